/* open(2). */
#include "walk.h"
#include <kernel/fs/file.h>

/* An O_PATH descriptor is only a place; a directory is read by file_readdir. */
static const struct file_ops path_file_ops;
static const struct file_ops dir_file_ops;

static const struct file_ops *ops_of_type(const struct vnode *v)
{
    switch (vnode_mode(v) & S_IFMT) {
    case S_IFDIR:
        return &dir_file_ops;
    case S_IFREG:
        return v->ops->store != NULL ? &store_file_ops : NULL;
    case S_IFCHR:
        return chardev_ops(v->rdev);
    default:
        return NULL;
    }
}

err_t vnode_open(struct vnode *v, unsigned flags, struct file **out)
{
    if (flags & O_PATH)
        return file_create(&path_file_ops, v, flags & (O_PATH | O_DIRECTORY), out);
    flags &= ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    if (v->ops->open != NULL)
        return v->ops->open(v, flags, out);
    if (S_ISLNK(vnode_mode(v)))
        return -ELOOP;
    const struct file_ops *ops = ops_of_type(v);
    return ops != NULL ? file_create(ops, v, flags, out) : -ENXIO;
}

static unsigned wanted_rights(unsigned flags)
{
    static const unsigned by_accmode[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};

    return by_accmode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* The rules for a file that was there before. */
static err_t open_check(const struct vnode *v, unsigned flags, const struct cred *cred)
{
    unsigned want = wanted_rights(flags);

    if ((flags & O_DIRECTORY) && !vnode_is_dir(v))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (S_ISLNK(vnode_mode(v)))
        return -ELOOP;
    if (vnode_is_dir(v) && ((want & MAY_WRITE) || (flags & O_CREAT)))
        return -EISDIR;
    return vnode_may(v, cred, want);
}

/* Makes w->last and opens it; if that fails the name goes again. */
static err_t open_new(struct walk *w, unsigned flags, unsigned mode, struct file **out)
    REQUIRES(names_lock)
{
    struct vnode *v;

    if (w->slash)
        return -EISDIR;
    err_t err = walk_create(w, S_IFREG | (mode & 07777), NULL, &v);
    if (err != 0)
        return err;
    err = vnode_open(v, flags, out);
    if (err != 0)
        (void)w->dir->ops->unlink(w->dir, w->last, v);
    vnode_put(v);
    return err;
}

/* After walk_parent. */
static err_t open_last(struct walk *w, unsigned flags, unsigned mode, struct file **out)
    REQUIRES(names_lock)
{
    bool creating = flags & O_CREAT;
    bool exclusive = creating && (flags & O_EXCL);
    struct vnode *v;

    err_t err = walk_last(w, !exclusive && !(flags & O_NOFOLLOW), &v);
    if (w->missing && creating) {
        err = open_new(w, flags, mode, out);
        if (err != -EEXIST || exclusive)
            return err;
        /* Regions are made without the tree lock: one has come since the look. */
        err = walk_last(w, false, &v);
        if (w->missing)
            return -EEXIST; /* or it is being destroyed, and the name taken (R3) */
    }
    if (err != 0)
        return err;
    err = exclusive ? -EEXIST : open_check(v, flags, w->cred);
    if (err == 0)
        err = vnode_open(v, flags, out);
    vnode_put(v);
    return err;
}

err_t file_open(const struct path_at *at, unsigned flags, unsigned mode, struct file **out)
{
    struct walk w;

    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
    if ((flags & O_ACCMODE) == O_ACCMODE ||
        (flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return -EINVAL;
    if (flags & O_TMPFILE_BIT)
        return -EOPNOTSUPP;
    tree_lock();
    err_t err = walk_parent(&w, at);
    if (err == 0)
        err = open_last(&w, flags, mode, out);
    walk_end(&w);
    tree_unlock();
    if (err == 0 && (flags & O_TRUNC) && S_ISREG(vnode_mode((*out)->vnode)) &&
        (*out)->vnode->ops->resize != NULL) {
        err = vnode_truncate((*out)->vnode, 0);
        if (err != 0)
            file_put(*out);
    }
    return err;
}

err_t file_open_exec(const struct path_at *at, struct file **out)
{
    struct vnode *v;
    err_t err = path_lookup(at, 0, &v);

    if (err != 0)
        return err;
    err = S_ISREG(vnode_mode(v)) ? vnode_may(v, at->cred, MAY_EXEC) : -EACCES;
    if (err == 0)
        err = vnode_open(v, O_RDONLY, out);
    vnode_put(v);
    return err;
}
