/* The caller's end of a read or write: segments of user memory, or one piece of kernel memory. */
#pragma once

#include <abi/linux_fs.h>
#include <lib/err.h>
#include <lib/util.h>

/* A single call moves at most this much; the rest is a short count, as on Linux. */
#define IOBUF_BYTES_MAX ((size_t)0x7ffff000)

struct iobuf {
    const struct linux_iovec *seg; /* the segment we are in */
    size_t seg_done_bytes;         /* of it */
    size_t left_bytes;             /* in all segments */
    bool user;
    bool broken;            /* a write has found that nobody will read: SIGPIPE */
    struct linux_iovec one; /* when there is a single segment: do not copy the structure */
};

void iobuf_init_kernel(struct iobuf *io, void *buf, size_t n);
err_t iobuf_init_user(struct iobuf *io, uintptr_t addr, size_t n); /* -EFAULT: not in user space */

/* `iov` (kernel memory) stays valid as long as *io.  -EFAULT; -EINVAL: the lengths overflow. */
err_t iobuf_init_iovec(struct iobuf *io, const struct linux_iovec *iov, size_t n);

/* Moves n bytes (n <= left_bytes) to or from the caller and advances; how many.  Less than n: the
 * caller's next byte cannot be touched, and nothing from there on was moved.  May fault and sleep:
 * no spin lock, no addrspace lock. */
size_t iobuf_put_some(struct iobuf *io, const void *src, size_t n);
size_t iobuf_take_some(struct iobuf *io, void *dst, size_t n);
size_t iobuf_put_zeros(struct iobuf *io, size_t n);

/* The same for what is all or nothing.  -EFAULT: not advanced, though a part may have been copied.
 */
err_t iobuf_put(struct iobuf *io, const void *src, size_t n);
err_t iobuf_take(struct iobuf *io, void *dst, size_t n);
