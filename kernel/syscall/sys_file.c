/* Bytes in and out of files. */
#include "upath.h"
#include <kernel/base/usercopy.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>
#include <lib/string.h>

/* No position: the file's own offset counts. */
#define POS_OF_FILE (-1l)

static long read_or_write(struct file *f, struct iobuf *io, bool write, long pos)
{
    if (pos != POS_OF_FILE)
        return write ? file_pwrite(f, io, (uint64_t)pos) : file_pread(f, io, (uint64_t)pos);
    long n = write ? file_write(f, io) : file_read(f, io);
    if (io->broken)
        signal_raise_current(SIGPIPE);
    return n;
}

static long transfer(unsigned long fd, uintptr_t addr, size_t n, bool write, long pos)
{
    struct iobuf io;
    struct file *f = ufile_get(fd);

    if (f == NULL)
        return -EBADF;
    long result = iobuf_init_user(&io, addr, n);
    if (result == 0)
        result = read_or_write(f, &io, write, pos);
    file_put(f);
    return result;
}

static long transfer_segments(struct file *f, uintptr_t iov_addr, size_t n, bool write, long pos)
{
    struct linux_iovec few[8], *iov = few;
    size_t bytes = n * sizeof(iov[0]);
    struct iobuf io;

    if (n > IOV_MAX)
        return -EINVAL;
    if (n > ARRAY_LEN(few))
        iov = kmem_alloc_bytes(bytes);
    if (iov == NULL)
        return -ENOMEM;
    long result = copy_from_user(iov, iov_addr, bytes);
    if (result == 0)
        result = iobuf_init_iovec(&io, iov, n);
    if (result == 0)
        result = read_or_write(f, &io, write, pos);
    if (iov != few)
        kmem_free_bytes(iov, bytes);
    return result;
}

static long transfer_vector(const unsigned long args[6], bool write, long pos)
{
    struct file *f = ufile_get(args[0]);

    if (f == NULL)
        return -EBADF;
    long result = transfer_segments(f, args[1], args[2], write, pos);
    file_put(f);
    return result;
}

long sys_read(const unsigned long args[6])
{
    return transfer(args[0], args[1], args[2], false, POS_OF_FILE);
}

long sys_write(const unsigned long args[6])
{
    return transfer(args[0], args[1], args[2], true, POS_OF_FILE);
}

long sys_pread64(const unsigned long args[6])
{
    return (long)args[3] < 0 ? -EINVAL : transfer(args[0], args[1], args[2], false, (long)args[3]);
}

long sys_pwrite64(const unsigned long args[6])
{
    return (long)args[3] < 0 ? -EINVAL : transfer(args[0], args[1], args[2], true, (long)args[3]);
}

long sys_readv(const unsigned long args[6])
{
    return transfer_vector(args, false, POS_OF_FILE);
}

long sys_writev(const unsigned long args[6])
{
    return transfer_vector(args, true, POS_OF_FILE);
}

long sys_preadv(const unsigned long args[6])
{
    return (long)args[3] < 0 ? -EINVAL : transfer_vector(args, false, (long)args[3]);
}

long sys_pwritev(const unsigned long args[6])
{
    return (long)args[3] < 0 ? -EINVAL : transfer_vector(args, true, (long)args[3]);
}

long sys_lseek(const unsigned long args[6])
{
    struct file *f = ufile_get(args[0]);

    if (f == NULL)
        return -EBADF;
    long pos = file_seek(f, (int64_t)args[1], (unsigned)args[2]);
    file_put(f);
    return pos;
}

static long set_nonblocking(struct file *f, uintptr_t arg)
{
    int on;
    err_t err = copy_from_user(&on, arg, sizeof(on));

    if (err == 0)
        file_set_flags(f, O_NONBLOCK, on ? O_NONBLOCK : 0);
    return err;
}

long sys_ioctl(const unsigned long args[6])
{
    unsigned cmd = (unsigned)args[1];
    struct file *f = ufile_get(args[0]);

    if (f == NULL)
        return -EBADF;
    long result = cmd == FIONBIO && !(file_flags(f) & O_PATH) ? set_nonblocking(f, args[2])
                                                              : file_ioctl(f, cmd, args[2]);
    file_put(f);
    return result;
}

/* Everything is in memory: there is nothing to write out. */
static long sync_one(unsigned long fd)
{
    struct file *f = ufile_get(fd);

    if (f == NULL)
        return -EBADF;
    long result = S_ISREG(vnode_mode(f->vnode)) || vnode_is_dir(f->vnode) ? 0 : -EINVAL;
    if (file_flags(f) & O_PATH)
        result = -EBADF;
    file_put(f);
    return result;
}

long sys_fsync(const unsigned long args[6])
{
    return sync_one(args[0]);
}

long sys_fdatasync(const unsigned long args[6])
{
    return sync_one(args[0]);
}

long sys_sync(const unsigned long args[6])
{
    return 0;
}

/* Moves up to n bytes from `in` at pos through `buf` (PAGE_BYTES): bytes moved, or an error when
 * none was. */
static long send_pieces(struct file *out, struct file *in, uint64_t pos, size_t n, char *buf)
{
    size_t done = 0;
    long moved = 0;

    while (done < n) {
        struct iobuf io;
        iobuf_init_kernel(&io, buf, MIN(n - done, PAGE_BYTES));
        moved = file_pread(in, &io, pos + done);
        if (moved <= 0)
            break;
        iobuf_init_kernel(&io, buf, (size_t)moved);
        long written = read_or_write(out, &io, true, POS_OF_FILE);
        if (written > 0)
            done += (size_t)written;
        if (written != moved) {
            moved = written;
            break;
        }
    }
    return done > 0 ? (long)done : moved;
}

/* sendfile(2), ERRORS. */
static err_t send_allowed(struct file *out, struct file *in, bool at_offset)
{
    if (!file_readable(in) || !file_writable(out))
        return -EBADF;
    if (at_offset && file_seek(in, 0, SEEK_CUR) == -ESPIPE)
        return -ESPIPE;
    if (!S_ISREG(vnode_mode(in->vnode)))
        return -EINVAL;
    return file_flags(out) & O_APPEND ? -EINVAL : 0;
}

static long send_file(struct file *out, struct file *in, uint64_t pos, size_t n)
{
    char *buf = kmem_alloc_bytes(PAGE_BYTES);
    if (buf == NULL)
        return -ENOMEM;
    long result = send_pieces(out, in, pos, MIN(n, IOBUF_BYTES_MAX), buf);
    kmem_free_bytes(buf, PAGE_BYTES);
    return result;
}

/* Where sendfile begins: *offset in user memory, or the offset of `in`. */
static long send_begin(struct file *out, struct file *in, uintptr_t offset_addr)
{
    int64_t pos;
    err_t err = send_allowed(out, in, offset_addr != 0);

    if (err != 0)
        return err;
    if (offset_addr == 0)
        return file_seek(in, 0, SEEK_CUR);
    if (copy_from_user(&pos, offset_addr, sizeof(pos)) != 0)
        return -EFAULT;
    return pos < 0 ? -EINVAL : pos;
}

long sys_sendfile(const unsigned long args[6])
{
    struct file *out = ufile_get(args[0]), *in = ufile_get(args[1]);
    long result = out == NULL || in == NULL ? -EBADF : send_begin(out, in, args[2]);

    if (result >= 0) {
        int64_t pos = result;
        result = send_file(out, in, (uint64_t)pos, args[3]);
        if (result > 0) {
            pos += result;
            if (args[2] == 0)
                (void)file_seek(in, pos, SEEK_SET);
            else if (copy_to_user(args[2], &pos, sizeof(pos)) != 0)
                result = -EFAULT;
        }
    }
    file_put(in);
    file_put(out);
    return result;
}
