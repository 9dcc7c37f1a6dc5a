/* Inside of the file calls: paths and files as a program names them. */
#pragma once

#include <kernel/fs/file.h>

struct upath {
    struct path_at at;
    char *text;         /* PATH_BYTES of kernel memory */
    struct vnode *base; /* a reference, or NULL */
};

/* Copies the path at user address `addr` in; a relative one starts at descriptor `dirfd` (or
 * AT_FDCWD).  On success end with upath_put.  -EFAULT, -ENAMETOOLONG, -ENOENT (empty), -EBADF,
 * -ENOMEM. */
err_t upath_get(struct upath *u, int dirfd, uintptr_t addr);
void upath_put(struct upath *u);

/* The vnode of a path, as fstatat(2) finds it: at_flags of AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
err_t upath_vnode(int dirfd, uintptr_t addr, unsigned at_flags, struct vnode **out);

/* The file of a descriptor of the current process with a reference; NULL: -EBADF. */
struct file *ufile_get(unsigned long fd);

/* The vnode of a descriptor, with a reference.  -EBADF. */
err_t ufile_vnode(int fd, struct vnode **out);
