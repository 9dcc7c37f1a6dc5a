/* Files of memory without a name, and memory for files in advance. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

/* memfd_create(name, flags).  The name says nothing to anybody; there are no seals:
 * MFD_ALLOW_SEALING is refused, as are huge pages. */
long sys_memfd_create(const unsigned long args[6])
{
    char name[MFD_NAME_BYTES];
    struct shm_caller who = shm_caller_current();
    struct fdtable *fds = process_current()->fds;
    struct file *f;

    if (args[1] & ~(unsigned long)MFD_CLOEXEC)
        return -EINVAL;
    long n = copy_string_from_user(name, args[0], sizeof(name));
    if (n < 0)
        return n == -ENAMETOOLONG ? -EINVAL : n;
    int fd = fd_reserve(fds, 0);
    if (fd < 0)
        return fd;
    err_t err = shm_memfd_create(&who, &f);
    if (err) {
        fd_unreserve(fds, fd);
        return err;
    }
    fd_install(fds, fd, f, args[1] & MFD_CLOEXEC);
    return fd;
}

/* fallocate(fd, mode, offset, length): mode 0 only, there are no holes to punch. */
long sys_fallocate(const unsigned long args[6])
{
    long offset = (long)args[2], bytes = (long)args[3];
    if (offset < 0 || bytes <= 0)
        return -EINVAL;
    struct file *f = ufile_get(args[0]);
    if (!f)
        return -EBADF;
    err_t err = args[1] ? -EOPNOTSUPP : file_allocate(f, (uint64_t)offset, (uint64_t)bytes);
    file_put(f);
    return err;
}
