/* The calls that change names, for the reference tree. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#define SHM_NAMES 16 /* of one region: kernel/fs/shmms.h, CONTEXT_NAMES_MAX */

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
        if (S_ISDIR(mode))
            n->mode |= S_ISGID;
        else if (t->uid != 0 && t->uid != n->gid)
            n->mode &= ~(uint32_t)S_ISGID;
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
    if (tree_is_dots(p->name))
        return -EEXIST;
    long err = tree_look(t, p->dir, p->name, &there);
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
    long err = tree_place(t, path, &p);
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
    long err = tree_end(t, path, false, &there, &missing);
    if (!err)
        return -EEXIST;
    if (!missing)
        return err;
    err = tree_place(t, path, &p);
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
    long err = tree_place(t, path, &p);
    if (!err)
        err = tree_is_dots(p.name) ? -EISDIR : tree_look(t, p.dir, p.name, &child);
    if (!err)
        err = S_ISDIR(child->mode) ? -EISDIR : p.slash ? -ENOTDIR : 0;
    if (!err)
        err = may_remove(t, p.dir, child);
    if (!err)
        tree_leave(tree_entry(t, p.dir, p.name));
    return err;
}

long tree_rmdir(struct tree *t, const char *path)
{
    struct tplace p;
    struct tnode *child;
    long err = tree_place(t, path, &p);
    if (err)
        return err;
    if (strcmp(p.name, "..") == 0)
        return -ENOTEMPTY;
    if (strcmp(p.name, ".") == 0)
        return p.dir == t->root ? -EBUSY : -EINVAL;
    err = tree_look(t, p.dir, p.name, &child);
    if (!err && !S_ISDIR(child->mode))
        err = -ENOTDIR;
    if (!err)
        err = may_remove(t, p.dir, child);
    if (!err && tree_entries(t, child) > 0)
        err = -ENOTEMPTY;
    if (!err)
        tree_leave(tree_entry(t, p.dir, p.name));
    return err;
}

/* The owner, root, or who may read and write a file. */
static long may_link(const struct tree *t, const struct tnode *file)
{
    bool owner = t->uid == 0 || t->uid == file->uid;
    return owner || (S_ISREG(file->mode) && tree_may(t, file, 6)) ? 0 : -EPERM;
}

long tree_link(struct tree *t, const char *from, const char *to)
{
    struct tplace p;
    struct tnode *file;
    long err = tree_lookup(t, from, false, &file);
    if (!err)
        err = tree_place(t, to, &p);
    if (!err)
        err = must_be_free(t, &p, false);
    if (!err)
        err = p.dir->dev != file->dev ? -EXDEV : may_link(t, file);
    if (!err)
        err = may_create(t, p.dir);
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
    if (dir && is_below(b->dir, child))
        return -EINVAL;
    if (there && dir != S_ISDIR(there->mode))
        return dir ? -ENOTDIR : -EISDIR;
    err = there ? may_remove(t, b->dir, there) : may_create(t, b->dir);
    if (!err && dir && a->dir != b->dir && !tree_may(t, child, 2))
        err = -EACCES;
    return !err && there && S_ISDIR(there->mode) && tree_entries(t, there) > 0 ? -ENOTEMPTY : err;
}

long tree_rename(struct tree *t, const char *from, const char *to)
{
    struct tplace a, b;
    struct tnode *child, *there = NULL;
    long err = tree_place(t, from, &a);
    if (!err)
        err = tree_place(t, to, &b);
    if (err)
        return err;
    if (a.dir->dev != b.dir->dev)
        return -EXDEV;
    if (tree_is_dots(a.name) || tree_is_dots(b.name))
        return -EBUSY;
    err = tree_look(t, a.dir, a.name, &child);
    if (err)
        return err;
    err = tree_look(t, b.dir, b.name, &there);
    if (err && err != -ENOENT)
        return err;
    if (!S_ISDIR(child->mode) && (a.slash || b.slash))
        return -ENOTDIR;
    /* A file of /proc is made anew by each look. */
    if (child == there && a.dir->dev != TREE_PROC)
        return 0;
    err = may_rename(t, &a, child, &b, there);
    if (err)
        return err;
    if (there)
        tree_leave(tree_entry(t, b.dir, b.name));
    tree_leave(tree_entry(t, a.dir, a.name));
    tree_enter(t, b.dir, b.name, child);
    return 0;
}
