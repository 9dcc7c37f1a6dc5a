/* Changing a file's rights, owner, size and times. */
#include "upath.h"
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>

static long attr_of_path(int dirfd, uintptr_t path, unsigned at_flags,
                         const struct vnode_attr *attr)
{
    struct vnode *v;
    err_t err = upath_vnode(dirfd, path, at_flags, &v);

    if (err != 0)
        return err;
    err = S_ISLNK(vnode_mode(v)) && (attr->valid & ATTR_MODE)
              ? -EOPNOTSUPP
              : vnode_setattr(v, attr, process_cred());
    vnode_put(v);
    return err;
}

static long attr_of_fd(unsigned long fd, const struct vnode_attr *attr)
{
    struct file *f = ufile_get(fd);

    if (f == NULL)
        return -EBADF;
    err_t err = file_flags(f) & O_PATH ? -EBADF : vnode_setattr(f->vnode, attr, process_cred());
    file_put(f);
    return err;
}

static struct vnode_attr attr_of_mode(unsigned long mode)
{
    return (struct vnode_attr){.valid = ATTR_MODE, .mode = (uint32_t)mode & 07777};
}

/* An id of -1 stays as it is. */
static struct vnode_attr attr_of_owner(unsigned long uid, unsigned long gid)
{
    struct vnode_attr attr = {.uid = (uint32_t)uid, .gid = (uint32_t)gid};

    if (attr.uid != UINT32_MAX)
        attr.valid |= ATTR_UID;
    if (attr.gid != UINT32_MAX)
        attr.valid |= ATTR_GID;
    return attr;
}

long sys_chmod(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_mode(args[1]);

    return attr_of_path(AT_FDCWD, args[0], 0, &attr);
}

long sys_fchmod(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_mode(args[1]);

    return attr_of_fd(args[0], &attr);
}

long sys_fchmodat(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_mode(args[2]);

    return attr_of_path((int)args[0], args[1], 0, &attr);
}

long sys_chown(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_owner(args[1], args[2]);

    return attr_of_path(AT_FDCWD, args[0], 0, &attr);
}

long sys_lchown(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_owner(args[1], args[2]);

    return attr_of_path(AT_FDCWD, args[0], AT_SYMLINK_NOFOLLOW, &attr);
}

long sys_fchown(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_owner(args[1], args[2]);

    return attr_of_fd(args[0], &attr);
}

long sys_fchownat(const unsigned long args[6])
{
    struct vnode_attr attr = attr_of_owner(args[2], args[3]);
    unsigned at_flags = (unsigned)args[4];

    if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return attr_of_path((int)args[0], args[1], at_flags, &attr);
}

long sys_truncate(const unsigned long args[6])
{
    struct vnode *v;

    if ((long)args[1] < 0)
        return -EINVAL;
    err_t err = upath_vnode(AT_FDCWD, args[0], 0, &v);
    if (err != 0)
        return err;
    err = vnode_may(v, process_cred(), MAY_WRITE);
    if (err == 0)
        err = vnode_truncate(v, args[1]);
    vnode_put(v);
    return err;
}

long sys_ftruncate(const unsigned long args[6])
{
    struct file *f = ufile_get(args[0]);

    if (f == NULL)
        return -EBADF;
    err_t err = (long)args[1] < 0 ? -EINVAL : file_truncate(f, args[1]);
    file_put(f);
    return err;
}

long sys_umask(const unsigned long args[6])
{
    return (long)process_umask_swap((unsigned)args[0] & 0777);
}

/* One of the two times of utimensat(2): sets *ns and returns its bit, or 0 to leave it.  -EINVAL.
 */
static int time_from_user(const struct linux_timespec *t, int64_t now_ns, unsigned bit, int64_t *ns,
                          bool *all_now)
{
    *ns = now_ns;
    if (t->nsec == UTIME_NOW)
        return (int)bit;
    *all_now = false;
    if (t->nsec == UTIME_OMIT)
        return 0;
    if (t->nsec < 0 || t->nsec >= (int64_t)NS_PER_S ||
        __builtin_mul_overflow(t->sec, (int64_t)NS_PER_S, ns) ||
        __builtin_add_overflow(*ns, t->nsec, ns))
        return -EINVAL;
    return (int)bit;
}

static err_t times_from_user(uintptr_t addr, struct vnode_attr *attr)
{
    struct linux_timespec times[2] = {{.nsec = UTIME_NOW}, {.nsec = UTIME_NOW}};
    int64_t now_ns = fs_now_ns();
    bool all_now = true;

    if (addr != 0 && copy_from_user(times, addr, sizeof(times)) != 0)
        return -EFAULT;
    int atime = time_from_user(&times[0], now_ns, ATTR_ATIME, &attr->atime_ns, &all_now);
    int mtime = time_from_user(&times[1], now_ns, ATTR_MTIME, &attr->mtime_ns, &all_now);
    if (atime < 0 || mtime < 0)
        return -EINVAL;
    attr->valid = (unsigned)(atime | mtime) | (all_now ? ATTR_NOW : 0);
    return 0;
}

long sys_utimensat(const unsigned long args[6])
{
    struct vnode_attr attr = {0};
    unsigned at_flags = (unsigned)args[3];

    err_t err = times_from_user(args[2], &attr);
    /* Both times stay: not even the path is looked at. */
    if (err != 0 || attr.valid == 0)
        return err;
    if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    /* Without a path it is futimens(3). */
    if (args[1] == 0)
        return (int)args[0] == AT_FDCWD ? -EFAULT : attr_of_fd(args[0], &attr);
    return attr_of_path((int)args[0], args[1], at_flags, &attr);
}
