/* Looking at files without opening them. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>

/* Copies out what vnode_stat says; drops v. */
static long stat_out(struct vnode *v, uintptr_t addr)
{
    struct linux_stat st;

    vnode_stat(v, &st);
    vnode_put(v);
    return copy_to_user(addr, &st, sizeof(st));
}

static long stat_path(int dirfd, uintptr_t path, uintptr_t addr, unsigned at_flags)
{
    struct vnode *v;
    err_t err = upath_vnode(dirfd, path, at_flags, &v);

    return err != 0 ? err : stat_out(v, addr);
}

long sys_stat(const unsigned long args[6])
{
    return stat_path(AT_FDCWD, args[0], args[1], 0);
}

long sys_lstat(const unsigned long args[6])
{
    return stat_path(AT_FDCWD, args[0], args[1], AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(const unsigned long args[6])
{
    struct vnode *v;
    err_t err = ufile_vnode((int)args[0], &v);

    return err != 0 ? err : stat_out(v, args[1]);
}

long sys_newfstatat(const unsigned long args[6])
{
    unsigned at_flags = (unsigned)args[3];

    if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    return stat_path((int)args[0], args[1], args[2], at_flags);
}

/* access(2) asks for the real user, so that a set-user-id program can ask for its caller. */
static long access_path(int dirfd, uintptr_t path, unsigned want, unsigned at_flags)
{
    struct cred cred = *process_cred();
    struct vnode *v = NULL;
    struct upath u;

    if ((want & ~(unsigned)(R_OK | W_OK | X_OK)) ||
        (at_flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW)))
        return -EINVAL;
    err_t err = upath_get(&u, dirfd, path);
    if (err != 0)
        return err;
    if (!(at_flags & AT_EACCESS)) {
        cred.euid = cred.uid;
        cred.egid = cred.gid;
    }
    u.at.cred = &cred;
    err = path_lookup(&u.at, at_flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0, &v);
    if (err == 0)
        err = vnode_may(v, &cred, want);
    vnode_put(v);
    upath_put(&u);
    return err;
}

_Static_assert(R_OK == MAY_READ && W_OK == MAY_WRITE && X_OK == MAY_EXEC,
               "access(2) bits are MAY_*");

long sys_access(const unsigned long args[6])
{
    return access_path(AT_FDCWD, args[0], (unsigned)args[1], 0);
}

long sys_faccessat(const unsigned long args[6])
{
    return access_path((int)args[0], args[1], (unsigned)args[2], 0);
}

long sys_faccessat2(const unsigned long args[6])
{
    return access_path((int)args[0], args[1], (unsigned)args[2], (unsigned)args[3]);
}

static long statfs_out(struct vnode *v, uintptr_t addr)
{
    struct linux_statfs st;

    vnode_statfs(v, &st);
    vnode_put(v);
    return copy_to_user(addr, &st, sizeof(st));
}

long sys_statfs(const unsigned long args[6])
{
    struct vnode *v;
    err_t err = upath_vnode(AT_FDCWD, args[0], 0, &v);

    return err != 0 ? err : statfs_out(v, args[1]);
}

long sys_fstatfs(const unsigned long args[6])
{
    struct vnode *v;
    err_t err = ufile_vnode((int)args[0], &v);

    return err != 0 ? err : statfs_out(v, args[1]);
}
