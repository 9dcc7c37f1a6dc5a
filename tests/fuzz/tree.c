#include "tree.h"

#include <stdio.h>
#include <string.h>

#define SHM_NAME_MAX 127
#define LINKS_MAX    40

struct tnode *tree_new(struct tree *t, uint32_t mode, uint64_t dev)
{
    CHECK(t->nnodes < TREE_NODES_MAX, "too many nodes");
    struct tnode *n = &t->nodes[t->nnodes++];
    memset(n, 0, sizeof(*n));
    n->mode = mode;
    n->dev = dev;
    n->uid = n->gid = t->uid;
    return n;
}

bool tree_full(const struct tree *t)
{
    unsigned used = 0;
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        used += t->names[i].dir != NULL;
    return t->nnodes > TREE_NODES_MAX - 4 || used > TREE_NAMES_MAX - 4;
}

void tree_enter(struct tree *t, struct tnode *dir, const char *name, struct tnode *node)
{
    unsigned i = 0;
    while (t->names[i].dir)
        CHECK(++i < TREE_NAMES_MAX, "too many names");
    t->names[i].dir = dir;
    t->names[i].node = node;
    snprintf(t->names[i].name, sizeof(t->names[i].name), "%s", name);
    node->nlink++;
    if (S_ISDIR(node->mode))
        node->parent = dir;
}

void tree_leave(struct tname *e)
{
    e->node->nlink--;
    if (S_ISDIR(e->node->mode))
        e->node->parent = NULL;
    e->dir = NULL;
}

struct tname *tree_entry(struct tree *t, const struct tnode *dir, const char *name)
{
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        if (t->names[i].dir == dir && strcmp(t->names[i].name, name) == 0)
            return &t->names[i];
    return NULL;
}

unsigned tree_entries(const struct tree *t, const struct tnode *dir)
{
    unsigned n = 0;
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        n += t->names[i].dir == dir;
    return n;
}

bool tree_may(const struct tree *t, const struct tnode *n, unsigned want)
{
    unsigned shift = t->uid == n->uid ? 6 : t->uid == n->gid ? 3 : 0;
    return t->uid == 0 || (n->mode >> shift & want) == want;
}

bool tree_is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

long tree_look(struct tree *t, struct tnode *dir, const char *name, struct tnode **out)
{
    if (!S_ISDIR(dir->mode))
        return -ENOTDIR;
    if (!tree_may(t, dir, 1))
        return -EACCES;
    if (tree_is_dots(name)) {
        *out = name[1] ? dir->parent : dir;
        return *out ? 0 : -ENOENT;
    }
    if (dir->dev == TREE_SHM && strlen(name) > SHM_NAME_MAX)
        return -ENAMETOOLONG;
    struct tname *e = tree_entry(t, dir, name);
    *out = e ? e->node : NULL;
    return e ? 0 : -ENOENT;
}

/* ---- walking: the path is text, a link is replaced by its target */

struct twalk {
    char todo[3 * PATH_BYTES];
    struct tnode *dir;
    unsigned links;
};

/* Cuts the first component off. */
static long cut(struct twalk *w, struct tplace *p)
{
    char *s = w->todo + strspn(w->todo, "/");
    size_t n = strcspn(s, "/");
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    snprintf(p->name, sizeof(p->name), "%.*s", n ? (int)n : 1, n ? s : ".");
    p->slash = s[n] == '/';
    s += n;
    s += strspn(s, "/");
    memmove(w->todo, s, strlen(s) + 1);
    return 0;
}

static long replace(struct tree *t, struct twalk *w, const struct tnode *link, bool slash)
{
    char text[3 * PATH_BYTES];
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    snprintf(text, sizeof(text), "%s%s%s", link->target, slash ? "/" : "", w->todo);
    if (strlen(text) >= PATH_BYTES)
        return -ENAMETOOLONG;
    memcpy(w->todo, text, sizeof(text));
    if (text[0] == '/')
        w->dir = t->root;
    return 0;
}

/* Up to the last component of what is to do. */
static long walk_on(struct tree *t, struct twalk *w, struct tplace *p)
{
    for (;;) {
        struct tnode *child;
        long err = cut(w, p);
        p->dir = w->dir;
        if (err || !w->todo[0])
            return err;
        err = tree_look(t, w->dir, p->name, &child);
        if (err)
            return err;
        if (S_ISLNK(child->mode))
            err = replace(t, w, child, true);
        else if (S_ISDIR(child->mode))
            w->dir = child;
        else
            err = -ENOTDIR;
        if (err)
            return err;
    }
}

static long walk(struct tree *t, struct twalk *w, const char *path, struct tplace *p)
{
    if (strlen(path) >= PATH_BYTES)
        return -ENAMETOOLONG;
    if (!*path)
        return -ENOENT;
    snprintf(w->todo, sizeof(w->todo), "%s", path);
    w->dir = path[0] == '/' ? t->root : t->cwd;
    w->links = 0;
    return walk_on(t, w, p);
}

long tree_place(struct tree *t, const char *path, struct tplace *p)
{
    struct twalk w;
    return walk(t, &w, path, p);
}

/* *missing: everything is there but the very last component. */
long tree_end(struct tree *t, const char *path, bool follow, struct tnode **out, bool *missing)
{
    struct twalk w;
    struct tplace p;
    long err = walk(t, &w, path, &p);
    *missing = false;
    while (!err) {
        err = tree_look(t, p.dir, p.name, out);
        *missing = err == -ENOENT && !tree_is_dots(p.name);
        if (err)
            break;
        if (!S_ISLNK((*out)->mode) || (!follow && !p.slash))
            return p.slash && !S_ISDIR((*out)->mode) ? -ENOTDIR : 0;
        err = replace(t, &w, *out, p.slash);
        if (!err)
            err = walk_on(t, &w, &p);
    }
    return err;
}

long tree_lookup(struct tree *t, const char *path, bool follow, struct tnode **out)
{
    bool missing;
    return tree_end(t, path, follow, out, &missing);
}
