#include "tree.h"

#include <stdio.h>
#include <string.h>

#define SHM_NAME_MAX 127
#define LINKS_MAX    40
#define SHM_NAMES    16 /* of one region: kernel/fs/shmms.h, CONTEXT_NAMES_MAX */

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

static void leave(struct tname *e)
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

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static long look(struct tree *t, struct tnode *dir, const char *name, struct tnode **out)
{
    if (!S_ISDIR(dir->mode))
        return -ENOTDIR;
    if (!tree_may(t, dir, 1))
        return -EACCES;
    if (is_dots(name)) {
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
        err = look(t, w->dir, p->name, &child);
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

static long find_place(struct tree *t, const char *path, struct tplace *p)
{
    struct twalk w;
    return walk(t, &w, path, p);
}

/* *missing: everything is there but the very last component. */
static long find_end(struct tree *t, const char *path, bool follow, struct tnode **out,
                     bool *missing)
{
    struct twalk w;
    struct tplace p;
    long err = walk(t, &w, path, &p);
    *missing = false;
    while (!err) {
        err = look(t, p.dir, p.name, out);
        *missing = err == -ENOENT && !is_dots(p.name);
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
    return find_end(t, path, follow, out, &missing);
}

/* ---- changes */

static long may_create(const struct tree *t, const struct tnode *dir)
{
    if (!dir->parent)
        return -ENOENT;
    return tree_may(t, dir, 3) ? 0 : -EACCES;
}

static long create_at(struct tree *t, const struct tplace *p, uint32_t mode, const char *target,
                      struct tnode **out)
{
    long err = may_create(t, p->dir);
    if (err)
        return err;
    if (p->dir->dev == TREE_PROC || (p->dir->dev == TREE_SHM && !S_ISREG(mode)))
        return -EPERM;
    struct tnode *n = tree_new(t, mode, p->dir->dev);
    if (p->dir->mode & S_ISGID) {
        n->gid = p->dir->gid;
        n->mode |= S_ISDIR(mode) ? S_ISGID : 0;
    }
    snprintf(n->target, sizeof(n->target), "%s", target ? target : "");
    tree_enter(t, p->dir, p->name, n);
    *out = n;
    return 0;
}

/* Is the place free for a new name? */
static long must_be_free(struct tree *t, const struct tplace *p, bool for_dir)
{
    struct tnode *there;
    if (is_dots(p->name))
        return -EEXIST;
    long err = look(t, p->dir, p->name, &there);
    if (!err)
        return -EEXIST;
    if (err != -ENOENT)
        return err;
    return p->slash && !for_dir ? -ENOENT : 0;
}

long tree_create(struct tree *t, const char *path, uint32_t mode, const char *target,
                 struct tnode **out)
{
    struct tplace p;
    long err = find_place(t, path, &p);
    if (!err)
        err = must_be_free(t, &p, S_ISDIR(mode));
    return err ? err : create_at(t, &p, mode, target, out);
}

/* open(path, O_CREAT | O_EXCL) */
long tree_open_new(struct tree *t, const char *path, uint32_t mode, struct tnode **out)
{
    struct tplace p;
    struct tnode *there;
    bool missing;
    long err = find_end(t, path, false, &there, &missing);
    if (!err)
        return -EEXIST;
    if (!missing)
        return err;
    err = find_place(t, path, &p);
    /* A directory is not made this way. */
    return err || p.slash ? -EISDIR : create_at(t, &p, mode, NULL, out);
}

static long may_remove(const struct tree *t, const struct tnode *dir, const struct tnode *child)
{
    if (dir->dev == TREE_PROC)
        return -EPERM;
    if (!tree_may(t, dir, 3))
        return -EACCES;
    if ((dir->mode & S_ISVTX) && t->uid != 0 && t->uid != child->uid && t->uid != dir->uid)
        return dir->dev == TREE_SHM ? -EACCES : -EPERM;
    return child->dev != dir->dev ? -EBUSY : 0;
}

long tree_unlink(struct tree *t, const char *path)
{
    struct tplace p;
    struct tnode *child;
    long err = find_place(t, path, &p);
    if (!err)
        err = is_dots(p.name) ? -EISDIR : look(t, p.dir, p.name, &child);
    if (!err)
        err = S_ISDIR(child->mode) ? -EISDIR : p.slash ? -ENOTDIR : 0;
    if (!err)
        err = may_remove(t, p.dir, child);
    if (!err)
        leave(tree_entry(t, p.dir, p.name));
    return err;
}

long tree_rmdir(struct tree *t, const char *path)
{
    struct tplace p;
    struct tnode *child;
    long err = find_place(t, path, &p);
    if (err)
        return err;
    if (strcmp(p.name, "..") == 0)
        return -ENOTEMPTY;
    if (strcmp(p.name, ".") == 0)
        return p.dir == t->root ? -EBUSY : -EINVAL;
    err = look(t, p.dir, p.name, &child);
    if (!err && !S_ISDIR(child->mode))
        err = -ENOTDIR;
    if (!err)
        err = may_remove(t, p.dir, child);
    if (!err && tree_entries(t, child) > 0)
        err = -ENOTEMPTY;
    if (!err)
        leave(tree_entry(t, p.dir, p.name));
    return err;
}

long tree_link(struct tree *t, const char *from, const char *to)
{
    struct tplace p;
    struct tnode *file;
    long err = tree_lookup(t, from, false, &file);
    if (!err)
        err = find_place(t, to, &p);
    if (!err)
        err = must_be_free(t, &p, false);
    if (!err)
        err = p.dir->dev != file->dev ? -EXDEV : may_create(t, p.dir);
    if (!err && (S_ISDIR(file->mode) || p.dir->dev == TREE_PROC))
        err = -EPERM;
    if (!err && file->dev == TREE_SHM && file->nlink >= SHM_NAMES)
        err = -EMLINK;
    if (!err)
        tree_enter(t, p.dir, p.name, file);
    return err;
}

/* Is `dir` the directory `top`, or below it? */
static bool is_below(const struct tnode *dir, const struct tnode *top)
{
    while (dir && dir != top && dir != dir->parent)
        dir = dir->parent;
    return dir == top;
}

static long may_rename(struct tree *t, const struct tplace *a, const struct tnode *child,
                       const struct tplace *b, const struct tnode *there)
{
    bool dir = S_ISDIR(child->mode);
    long err = may_remove(t, a->dir, child);
    if (err)
        return err;
    if (a->dir->dev == TREE_SHM)
        return -EPERM;
    if (!dir && (a->slash || b->slash))
        return -ENOTDIR;
    if (dir && is_below(b->dir, child))
        return -EINVAL;
    if (!there)
        return may_create(t, b->dir);
    if (dir != S_ISDIR(there->mode))
        return dir ? -ENOTDIR : -EISDIR;
    err = may_remove(t, b->dir, there);
    return !err && S_ISDIR(there->mode) && tree_entries(t, there) > 0 ? -ENOTEMPTY : err;
}

long tree_rename(struct tree *t, const char *from, const char *to)
{
    struct tplace a, b;
    struct tnode *child, *there = NULL;
    long err = find_place(t, from, &a);
    if (!err)
        err = find_place(t, to, &b);
    if (err)
        return err;
    if (a.dir->dev != b.dir->dev)
        return -EXDEV;
    if (is_dots(a.name) || is_dots(b.name))
        return -EBUSY;
    err = look(t, a.dir, a.name, &child);
    if (err)
        return err;
    err = look(t, b.dir, b.name, &there);
    if (err && err != -ENOENT)
        return err;
    if (child == there)
        return 0;
    err = may_rename(t, &a, child, &b, there);
    if (err)
        return err;
    if (there)
        leave(tree_entry(t, b.dir, b.name));
    leave(tree_entry(t, a.dir, a.name));
    tree_enter(t, b.dir, b.name, child);
    return 0;
}
