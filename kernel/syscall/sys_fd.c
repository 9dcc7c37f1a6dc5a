/* Descriptors: open, close, copy, pipes. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/pipe.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>

static long open_at(int dirfd, uintptr_t path, unsigned flags, unsigned mode)
{
    struct fdtable *fds = process_current()->fds;
    struct file *f = NULL;
    struct upath u;

    err_t err = upath_get(&u, dirfd, path);
    if (err != 0)
        return err;
    int fd = fd_reserve(fds, 0);
    if (fd >= 0) {
        err = file_open(&u.at, flags, mode & 07777 & ~process_umask(), &f);
        if (err == 0)
            fd_install(fds, fd, f, flags & O_CLOEXEC);
        else
            fd_unreserve(fds, fd);
    }
    upath_put(&u);
    return err != 0 ? err : fd;
}

long sys_open(const unsigned long args[6])
{
    return open_at(AT_FDCWD, args[0], (unsigned)args[1], (unsigned)args[2]);
}

long sys_openat(const unsigned long args[6])
{
    return open_at((int)args[0], args[1], (unsigned)args[2], (unsigned)args[3]);
}

long sys_creat(const unsigned long args[6])
{
    return open_at(AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC, (unsigned)args[1]);
}

long sys_close(const unsigned long args[6])
{
    return fd_close(process_current()->fds, (int)args[0]);
}

static long dup_from(unsigned long fd, unsigned long min, bool cloexec)
{
    struct fdtable *fds = process_current()->fds;
    struct file *f = ufile_get(fd);

    if (f == NULL)
        return -EBADF;
    int new = fd_reserve(fds, (unsigned)MIN(min, (unsigned long)FDS_MAX));
    if (new >= 0)
        fd_install(fds, new, f, cloexec);
    else
        file_put(f);
    return new;
}

static long dup_onto(unsigned long from, int to, bool cloexec)
{
    struct file *f = ufile_get(from);

    if (f == NULL)
        return -EBADF;
    err_t err = fd_replace(process_current()->fds, to, f, cloexec);
    file_put(f);
    return err != 0 ? err : to;
}

long sys_dup(const unsigned long args[6])
{
    return dup_from(args[0], 0, false);
}

long sys_dup2(const unsigned long args[6])
{
    if ((int)args[0] == (int)args[1])
        return fd_cloexec(process_current()->fds, (int)args[0]) < 0 ? -EBADF : (long)(int)args[0];
    return dup_onto(args[0], (int)args[1], false);
}

long sys_dup3(const unsigned long args[6])
{
    unsigned flags = (unsigned)args[2];

    if ((int)args[0] == (int)args[1] || (flags & ~(unsigned)O_CLOEXEC))
        return -EINVAL;
    return dup_onto(args[0], (int)args[1], flags & O_CLOEXEC);
}

/* Reserves both descriptors; all or none. */
static err_t reserve_two(struct fdtable *fds, int fd[2])
{
    fd[0] = fd_reserve(fds, 0);
    if (fd[0] < 0)
        return fd[0];
    fd[1] = fd_reserve(fds, 0);
    if (fd[1] >= 0)
        return 0;
    fd_unreserve(fds, fd[0]);
    return fd[1];
}

static long make_pipe(uintptr_t addr, unsigned flags)
{
    struct fdtable *fds = process_current()->fds;
    struct file *read_end, *write_end;
    int fd[2];

    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    err_t err = reserve_two(fds, fd);
    if (err != 0)
        return err;
    err = pipe_create(process_cred(), flags & O_NONBLOCK, &read_end, &write_end);
    if (err == 0) {
        err = copy_to_user(addr, fd, sizeof(fd));
        if (err == 0) {
            fd_install(fds, fd[0], read_end, flags & O_CLOEXEC);
            fd_install(fds, fd[1], write_end, flags & O_CLOEXEC);
            return 0;
        }
        file_put(read_end);
        file_put(write_end);
    }
    fd_unreserve(fds, fd[0]);
    fd_unreserve(fds, fd[1]);
    return err;
}

long sys_pipe(const unsigned long args[6])
{
    return make_pipe(args[0], 0);
}

long sys_pipe2(const unsigned long args[6])
{
    return make_pipe(args[0], (unsigned)args[1]);
}

static long flags_control(unsigned long fd, bool set, unsigned flags)
{
    struct file *f = ufile_get(fd);
    long result = 0;

    if (f == NULL)
        return -EBADF;
    if (!set)
        result = (long)file_flags(f);
    else if (file_flags(f) & O_PATH)
        result = -EBADF;
    else
        file_set_flags(f, ~0u, flags);
    file_put(f);
    return result;
}

long sys_fcntl(const unsigned long args[6])
{
    struct fdtable *fds = process_current()->fds;
    int fd = (int)args[0];

    switch ((unsigned)args[1]) {
    case F_DUPFD:
        return dup_from(args[0], args[2], false);
    case F_DUPFD_CLOEXEC:
        return dup_from(args[0], args[2], true);
    case F_GETFD:
        return fd_cloexec(fds, fd);
    case F_SETFD:
        return fd_set_cloexec(fds, fd, args[2] & FD_CLOEXEC);
    case F_GETFL:
        return flags_control(args[0], false, 0);
    case F_SETFL:
        return flags_control(args[0], true, (unsigned)args[2]);
    default:
        return fd_cloexec(fds, fd) < 0 ? -EBADF : -EINVAL;
    }
}
