/* Paths and descriptors from system call arguments. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/process.h>

struct file *ufile_get(unsigned long fd)
{
    return fd_get(process_current()->fds, (int)fd);
}

err_t ufile_vnode(int fd, struct vnode **out)
{
    struct file *f = fd_get(process_current()->fds, fd);

    if (f == NULL)
        return -EBADF;
    vnode_get(f->vnode);
    *out = f->vnode;
    file_put(f);
    return 0;
}

static err_t base_get(int dirfd, struct vnode **out)
{
    if (dirfd != AT_FDCWD)
        return ufile_vnode(dirfd, out);
    *out = process_cwd(process_current());
    return 0;
}

/* As upath_get, but an empty path is allowed with `empty_ok`. */
static err_t upath_get_any(struct upath *u, int dirfd, uintptr_t addr, bool empty_ok)
{
    u->base = NULL;
    u->text = kmem_alloc_bytes(PATH_BYTES);
    if (u->text == NULL)
        return -ENOMEM;
    long n = copy_string_from_user(u->text, addr, PATH_BYTES);
    err_t err = n < 0 ? (err_t)n : n == 0 && !empty_ok ? -ENOENT : 0;
    if (err == 0 && u->text[0] != '/')
        err = base_get(dirfd, &u->base);
    if (err != 0) {
        kmem_free_bytes(u->text, PATH_BYTES);
        return err;
    }
    u->at = (struct path_at){.base = u->base, .path = u->text, .cred = process_cred()};
    return 0;
}

err_t upath_get(struct upath *u, int dirfd, uintptr_t addr)
{
    return upath_get_any(u, dirfd, addr, false);
}

void upath_put(struct upath *u)
{
    vnode_put(u->base);
    kmem_free_bytes(u->text, PATH_BYTES);
}

err_t upath_vnode(int dirfd, uintptr_t addr, unsigned at_flags, struct vnode **out)
{
    struct upath u;
    err_t err = upath_get_any(&u, dirfd, addr, at_flags & AT_EMPTY_PATH);

    if (err != 0)
        return err;
    if (u.text[0] == '\0') {
        vnode_get(u.base);
        *out = u.base;
    } else {
        err = path_lookup(&u.at, at_flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0, out);
    }
    upath_put(&u);
    return err;
}
