/* Names and directories. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>
#include <lib/string.h>

long sys_getdents64(const unsigned long args[6])
{
    struct iobuf io;
    struct file *f = ufile_get(args[0]);

    if (f == NULL)
        return -EBADF;
    long n = iobuf_init_user(&io, args[1], (unsigned)args[2]);
    if (n == 0)
        n = file_readdir(f, &io);
    file_put(f);
    return n;
}

long sys_getcwd(const unsigned long args[6])
{
    char *buf = kmem_alloc_bytes(PATH_BYTES);

    if (buf == NULL)
        return -ENOMEM;
    struct vnode *cwd = process_cwd(process_current());
    long n = path_of_dir(cwd, buf, PATH_BYTES);
    vnode_put(cwd);
    if (n > 0 && (size_t)n > args[1])
        n = -ERANGE;
    if (n > 0 && copy_to_user(args[0], buf, (size_t)n) != 0)
        n = -EFAULT;
    kmem_free_bytes(buf, PATH_BYTES);
    return n;
}

/* Takes over the reference to v. */
static long change_cwd(struct vnode *v)
{
    err_t err = vnode_is_dir(v) ? vnode_may(v, process_cred(), MAY_EXEC) : -ENOTDIR;

    if (err == 0)
        process_set_cwd(process_current(), v);
    else
        vnode_put(v);
    return err;
}

long sys_chdir(const unsigned long args[6])
{
    struct vnode *v;
    err_t err = upath_vnode(AT_FDCWD, args[0], 0, &v);

    return err != 0 ? err : change_cwd(v);
}

long sys_fchdir(const unsigned long args[6])
{
    struct vnode *v;
    err_t err = ufile_vnode((int)args[0], &v);

    return err != 0 ? err : change_cwd(v);
}

static long mkdir_at(int dirfd, uintptr_t path, unsigned mode)
{
    struct upath u;
    err_t err = upath_get(&u, dirfd, path);

    if (err != 0)
        return err;
    err = path_mkdir(&u.at, mode & ~process_umask());
    upath_put(&u);
    return err;
}

long sys_mkdir(const unsigned long args[6])
{
    return mkdir_at(AT_FDCWD, args[0], (unsigned)args[1]);
}

long sys_mkdirat(const unsigned long args[6])
{
    return mkdir_at((int)args[0], args[1], (unsigned)args[2]);
}

static long unlink_at(int dirfd, uintptr_t path, bool is_dir)
{
    struct upath u;
    err_t err = upath_get(&u, dirfd, path);

    if (err != 0)
        return err;
    err = is_dir ? path_rmdir(&u.at) : path_unlink(&u.at);
    upath_put(&u);
    return err;
}

long sys_rmdir(const unsigned long args[6])
{
    return unlink_at(AT_FDCWD, args[0], true);
}

long sys_unlink(const unsigned long args[6])
{
    return unlink_at(AT_FDCWD, args[0], false);
}

long sys_unlinkat(const unsigned long args[6])
{
    unsigned at_flags = (unsigned)args[2];

    if (at_flags & ~(unsigned)AT_REMOVEDIR)
        return -EINVAL;
    return unlink_at((int)args[0], args[1], at_flags & AT_REMOVEDIR);
}

static long rename_at(int from_fd, uintptr_t from_path, int to_fd, uintptr_t to_path,
                      unsigned flags)
{
    struct upath from, to;

    if (flags & ~RENAME_NOREPLACE)
        return -EINVAL;
    err_t err = upath_get(&from, from_fd, from_path);
    if (err != 0)
        return err;
    err = upath_get(&to, to_fd, to_path);
    if (err == 0) {
        err = path_rename(&from.at, &to.at, flags & RENAME_NOREPLACE);
        upath_put(&to);
    }
    upath_put(&from);
    return err;
}

long sys_rename(const unsigned long args[6])
{
    return rename_at(AT_FDCWD, args[0], AT_FDCWD, args[1], 0);
}

long sys_renameat(const unsigned long args[6])
{
    return rename_at((int)args[0], args[1], (int)args[2], args[3], 0);
}

long sys_renameat2(const unsigned long args[6])
{
    return rename_at((int)args[0], args[1], (int)args[2], args[3], (unsigned)args[4]);
}

static long link_at(int from_fd, uintptr_t from_path, int to_fd, uintptr_t to_path,
                    unsigned at_flags)
{
    struct vnode *target;
    struct upath to;

    err_t err = upath_vnode(from_fd, from_path, at_flags, &target);
    if (err != 0)
        return err;
    err = upath_get(&to, to_fd, to_path);
    if (err == 0) {
        err = path_link(&to.at, target);
        upath_put(&to);
    }
    vnode_put(target);
    return err;
}

long sys_link(const unsigned long args[6])
{
    return link_at(AT_FDCWD, args[0], AT_FDCWD, args[1], AT_SYMLINK_NOFOLLOW);
}

long sys_linkat(const unsigned long args[6])
{
    unsigned at_flags = (unsigned)args[4];

    if (at_flags & ~(unsigned)AT_SYMLINK_FOLLOW)
        return -EINVAL;
    return link_at((int)args[0], args[1], (int)args[2], args[3],
                   at_flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW);
}

static long symlink_at(uintptr_t target_addr, int dirfd, uintptr_t path)
{
    struct upath u;
    char *target = kmem_alloc_bytes(PATH_BYTES);

    if (target == NULL)
        return -ENOMEM;
    long n = copy_string_from_user(target, target_addr, PATH_BYTES);
    err_t err = n < 0 ? (err_t)n : upath_get(&u, dirfd, path);
    if (err == 0) {
        err = path_symlink(&u.at, target);
        upath_put(&u);
    }
    kmem_free_bytes(target, PATH_BYTES);
    return err;
}

long sys_symlink(const unsigned long args[6])
{
    return symlink_at(args[0], AT_FDCWD, args[1]);
}

long sys_symlinkat(const unsigned long args[6])
{
    return symlink_at(args[0], (int)args[1], args[2]);
}

static long readlink_at(int dirfd, uintptr_t path, uintptr_t addr, int size)
{
    struct upath u;

    if (size <= 0)
        return -EINVAL;
    err_t err = upath_get(&u, dirfd, path);
    if (err != 0)
        return err;
    char *buf = kmem_alloc_bytes(PATH_BYTES);
    long n = -ENOMEM;
    if (buf != NULL) {
        n = path_readlink(&u.at, buf, MIN((size_t)size, (size_t)PATH_BYTES));
        if (n > 0 && copy_to_user(addr, buf, (size_t)n) != 0)
            n = -EFAULT;
        kmem_free_bytes(buf, PATH_BYTES);
    }
    upath_put(&u);
    return n;
}

long sys_readlink(const unsigned long args[6])
{
    return readlink_at(AT_FDCWD, args[0], args[1], (int)args[2]);
}

long sys_readlinkat(const unsigned long args[6])
{
    return readlink_at((int)args[0], args[1], args[2], (int)args[3]);
}
