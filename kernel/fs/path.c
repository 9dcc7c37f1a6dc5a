/* The calls on names: look up, make, remove, rename. */
#include "walk.h"
#include <lib/string.h>

err_t path_lookup(const struct path_at *at, unsigned flags, struct vnode **out)
{
    struct walk w;

    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0)
        err = walk_last(&w, !(flags & PATH_NOFOLLOW), out);
    walk_end(&w);
    tree_unlock();
    return err;
}

/* After a walk_parent: 0 when w->last is free and may be made. */
static err_t name_must_be_free(struct walk *w, bool is_dir) REQUIRES(names_lock)
{
    struct vnode *there;

    if (walk_last_is_dots(w))
        return -EEXIST;
    /* Not walk_last: for making a name, a link is in the way whatever it points to. */
    err_t err = vnode_lookup(w->dir, w->last, w->cred, &there);
    if (err == 0) {
        vnode_put(there);
        return -EEXIST;
    }
    return err == -ENOENT && w->slash && !is_dir ? -ENOENT : err == -ENOENT ? 0 : err;
}

static err_t path_make(const struct path_at *at, uint32_t mode, const char *target)
{
    struct vnode *made = NULL;
    struct walk w;

    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0)
        err = name_must_be_free(&w, S_ISDIR(mode));
    if (err == 0)
        err = walk_create(&w, mode, target, &made);
    walk_end(&w);
    tree_unlock();
    vnode_put(made);
    return err;
}

err_t path_mkdir(const struct path_at *at, unsigned mode)
{
    return path_make(at, S_IFDIR | (mode & 01777), NULL);
}

err_t path_symlink(const struct path_at *at, const char *target)
{
    if (target[0] == '\0')
        return -ENOENT;
    return path_make(at, S_IFLNK | 0777, target);
}

/* As Linux with protected_hardlinks: a name keeps a file, and a region charged to its owner (A7),
 * so it is for the owner, and for who may read and write it. */
static err_t may_link(const struct cred *cred, const struct vnode *target)
{
    if (cred->euid == 0 || cred->euid == vnode_uid(target))
        return 0;
    bool regular = S_ISREG(vnode_mode(target));
    return regular && vnode_may(target, cred, MAY_READ | MAY_WRITE) == 0 ? 0 : -EPERM;
}

err_t path_link(const struct path_at *at, struct vnode *target)
{
    struct walk w;

    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0)
        err = name_must_be_free(&w, false);
    if (err == 0)
        err = w.dir->dev != target->dev ? -EXDEV : may_link(at->cred, target);
    if (err == 0)
        err = walk_may_create(&w);
    if (err == 0 && (vnode_is_dir(target) || w.dir->ops->link == NULL))
        err = -EPERM;
    if (err == 0)
        err = w.dir->ops->link(w.dir, w.last, target);
    walk_end(&w);
    tree_unlock();
    return err;
}

/* The check that unlink, rmdir and rename share: `child`, found as w->last, may lose its name. */
static err_t name_may_go(const struct walk *w, const struct vnode *child) REQUIRES(names_lock)
{
    return w->dir->ops->unlink == NULL ? -EPERM : walk_may_remove(w, child);
}

err_t path_unlink(const struct path_at *at)
{
    struct vnode *child = NULL;
    struct walk w;

    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0)
        err = walk_last_is_dots(&w) ? -EISDIR : vnode_lookup(w.dir, w.last, w.cred, &child);
    if (err == 0 && vnode_is_dir(child))
        err = -EISDIR;
    if (err == 0 && w.slash)
        err = -ENOTDIR;
    if (err == 0)
        err = name_may_go(&w, child);
    if (err == 0)
        err = w.dir->ops->unlink(w.dir, w.last, child);
    walk_end(&w);
    tree_unlock();
    vnode_put(child);
    return err;
}

err_t path_rmdir(const struct path_at *at)
{
    struct vnode *child = NULL;
    struct walk w;

    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0 && walk_last_is_dots(&w))
        err = strcmp(w.last, "..") == 0 ? -ENOTEMPTY : w.dir == fs_root() ? -EBUSY : -EINVAL;
    if (err == 0)
        err = vnode_lookup(w.dir, w.last, w.cred, &child);
    if (err == 0 && !vnode_is_dir(child))
        err = -ENOTDIR;
    if (err == 0)
        err = name_may_go(&w, child);
    if (err == 0)
        err = w.dir->ops->unlink(w.dir, w.last, child);
    walk_end(&w);
    tree_unlock();
    vnode_put(child);
    return err;
}

/* May `child` (found in from) take the place of `there` (found in to, or NULL)? */
static err_t rename_check(const struct walk *from, struct vnode *child, const struct walk *to,
                          struct vnode *there) REQUIRES(names_lock)
{
    err_t err = name_may_go(from, child);

    if (err != 0)
        return err;
    if (from->dir->ops->rename == NULL)
        return -EPERM;
    for (struct vnode *up = to->dir; vnode_is_dir(child) && up != NULL; up = up->parent) {
        if (up == child)
            return -EINVAL;
        if (up == up->parent)
            break;
    }
    if (there == NULL)
        err = walk_may_create(to);
    else if (vnode_is_dir(child) != vnode_is_dir(there))
        err = vnode_is_dir(child) ? -ENOTDIR : -EISDIR;
    else
        err = name_may_go(to, there);
    /* A directory that moves gets another "..": that is a change of itself. */
    if (err == 0 && vnode_is_dir(child) && from->dir != to->dir)
        err = vnode_may(child, from->cred, MAY_WRITE);
    return err;
}

/* Both walks are at their parents. */
static err_t rename_walked(struct walk *from, struct walk *to, bool noreplace) REQUIRES(names_lock)
{
    struct vnode *child = NULL, *there = NULL;

    if (from->dir->dev != to->dir->dev)
        return -EXDEV;
    if (walk_last_is_dots(from) || walk_last_is_dots(to))
        return -EBUSY;
    err_t err = vnode_lookup(from->dir, from->last, from->cred, &child);
    if (err == 0) {
        err = vnode_lookup(to->dir, to->last, to->cred, &there);
        if (err == -ENOENT)
            err = 0;
    }
    if (err == 0 && there != NULL && noreplace)
        err = -EEXIST;
    if (err == 0 && !vnode_is_dir(child) && (from->slash || to->slash))
        err = -ENOTDIR;
    /* Two names of one file: nothing to do, by POSIX. */
    if (err == 0 && child != there) {
        err = rename_check(from, child, to, there);
        if (err == 0)
            err = from->dir->ops->rename(from->dir, from->last, child, to->dir, to->last, there);
    }
    vnode_put(child);
    vnode_put(there);
    return err;
}

err_t path_rename(const struct path_at *from, const struct path_at *to, bool noreplace)
{
    struct walk a, b;

    tree_lock();
    err_t err = walk_parent(&a, from);
    if (err == 0) {
        err = walk_parent(&b, to);
        if (err == 0)
            err = rename_walked(&a, &b, noreplace);
        walk_end(&b);
    }
    walk_end(&a);
    tree_unlock();
    return err;
}

long path_readlink(const struct path_at *at, char *buf, size_t size)
{
    struct vnode *v;
    err_t err = path_lookup(at, PATH_NOFOLLOW, &v);

    if (err != 0)
        return err;
    long n = S_ISLNK(vnode_mode(v)) && v->ops->readlink != NULL ? v->ops->readlink(v, buf, size)
                                                                : -EINVAL;
    vnode_put(v);
    return n;
}

/* Writes "/a/b" before `end` going up from dir; the first byte written, or an error.  Tree lock
 * held. */
static err_t path_build(struct vnode *dir, const char *buf, char **pos) REQUIRES(names_lock)
{
    char name[NAME_MAX + 1];

    while (dir->parent != dir) {
        struct vnode *parent = dir->parent;
        if (parent == NULL || parent->ops->child_name == NULL)
            return -ENOENT;
        err_t err = parent->ops->child_name(parent, dir, name);
        if (err != 0)
            return err;
        size_t n = strlen(name);
        if ((size_t)(*pos - buf) < n + 1)
            return -ERANGE;
        *pos -= n;
        memcpy(*pos, name, n);
        *--*pos = '/';
        dir = parent;
    }
    return 0;
}

long path_of_dir(struct vnode *dir, char *buf, size_t size)
{
    if (size < 2)
        return -ERANGE;
    char *pos = buf + size - 1;
    *pos = '\0';
    tree_lock();
    err_t err = path_build(dir, buf, &pos);
    tree_unlock();
    if (err != 0)
        return err;
    if (*pos == '\0')
        *--pos = '/';
    size_t n = (size_t)(buf + size - pos);
    memmove(buf, pos, n);
    return (long)n;
}
