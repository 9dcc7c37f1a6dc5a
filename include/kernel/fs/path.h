/* Paths: finding a vnode by name, and the calls that change names.  All take the tree lock
 * themselves; may sleep. */
#pragma once

#include <kernel/fs/vnode.h>

#define SYMLINKS_MAX 40

/* A path in kernel memory, where it starts when it is relative, and who asks. */
struct path_at {
    struct vnode *base; /* may be NULL when the path is absolute */
    const char *path;
    const struct cred *cred;
};

/* The root directory; no reference is taken: it stays until rootfs_unmount(). */
struct vnode *fs_root(void);
void fs_set_root(struct vnode *root); /* takes over the reference; NULL at the end */

/* Errors of every call below: -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -ENOMEM. */

#define PATH_NOFOLLOW 1u /* a symbolic link at the end is the result itself */

/* A reference in *out. */
err_t path_lookup(const struct path_at *at, unsigned flags, struct vnode **out);

/* Permission bits have the umask applied.  -EEXIST, -ENOSPC, -EPERM. */
err_t path_mkdir(const struct path_at *at, unsigned mode);
err_t path_symlink(const struct path_at *at, const char *target);

/* A new name for `target`.  -EEXIST, -EXDEV, -EPERM (a directory, or of another user who has
 * not given the rights to read and to write it), -EMLINK. */
err_t path_link(const struct path_at *at, struct vnode *target);
err_t path_unlink(const struct path_at *at); /* -EISDIR, -EPERM, -EBUSY */
err_t path_rmdir(const struct path_at *at);  /* -ENOTEMPTY, -EBUSY, -EINVAL */

/* rename(2); the cred of `from` counts.  -EXDEV, -EINVAL, -EISDIR, -ENOTEMPTY, -EBUSY, -EEXIST
 * (with noreplace). */
err_t path_rename(const struct path_at *from, const struct path_at *to, bool noreplace);

/* The target without NUL, cut at size; its length.  -EINVAL: not a link. */
long path_readlink(const struct path_at *at, char *buf, size_t size);

/* The absolute path of a directory into buf[size], with NUL; length with NUL.  -ERANGE, -ENOENT:
 * removed. */
long path_of_dir(struct vnode *dir, char *buf, size_t size);
