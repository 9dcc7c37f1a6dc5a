/* Copies between the kernel and the caller of a read or write. */
#include <arch/mmu.h>
#include <kernel/base/panic.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/iobuf.h>
#include <lib/string.h>

static void iobuf_init_one(struct iobuf *io, uintptr_t addr, size_t n, bool user)
{
    io->one.base = addr;
    io->one.len = n;
    io->seg = &io->one;
    io->seg_done_bytes = 0;
    io->left_bytes = MIN(n, IOBUF_BYTES_MAX);
    io->user = user;
    io->broken = false;
}

void iobuf_init_kernel(struct iobuf *io, void *buf, size_t n)
{
    iobuf_init_one(io, (uintptr_t)buf, n, false);
}

static bool range_is_user(uint64_t addr, uint64_t n)
{
    return n == 0 || (addr < USER_END && n <= USER_END - addr);
}

err_t iobuf_init_user(struct iobuf *io, uintptr_t addr, size_t n)
{
    if (!range_is_user(addr, n))
        return -EFAULT;
    iobuf_init_one(io, addr, MIN(n, IOBUF_BYTES_MAX), true);
    return 0;
}

err_t iobuf_init_iovec(struct iobuf *io, const struct linux_iovec *iov, size_t n)
{
    uint64_t total_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        if (iov[i].len > INT64_MAX || total_bytes + iov[i].len > INT64_MAX)
            return -EINVAL;
        total_bytes += iov[i].len;
        if (!range_is_user(iov[i].base, iov[i].len))
            return -EFAULT;
    }
    io->seg = iov;
    io->seg_done_bytes = 0;
    io->left_bytes = MIN(total_bytes, IOBUF_BYTES_MAX);
    io->user = true;
    io->broken = false;
    return 0;
}

/* Skips finished segments; the piece of the current one at hand, at most n bytes.  It does not go
 * beyond a page of the caller's: either all of it can be touched or none.  n > 0 and within
 * left_bytes. */
static size_t iobuf_piece(struct iobuf *io, size_t n, uintptr_t *addr)
{
    while (io->seg_done_bytes == io->seg->len) {
        io->seg++;
        io->seg_done_bytes = 0;
    }
    *addr = io->seg->base + io->seg_done_bytes;
    size_t in_page = io->user ? PAGE_BYTES - *addr % PAGE_BYTES : n;
    return MIN(MIN(n, in_page), io->seg->len - io->seg_done_bytes);
}

/* Zeros when src is NULL. */
static err_t put_piece(bool user, uintptr_t addr, const void *src, size_t n)
{
    if (user)
        return src != NULL ? copy_to_user(addr, src, n) : clear_user(addr, n);
    if (src != NULL)
        memcpy((void *)addr, src, n);
    else
        memset((void *)addr, 0, n);
    return 0;
}

static err_t take_piece(bool user, uintptr_t addr, void *dst, size_t n)
{
    if (user)
        return copy_from_user(dst, addr, n);
    memcpy(dst, (const void *)addr, n);
    return 0;
}

static void iobuf_advance(struct iobuf *io, size_t n)
{
    io->seg_done_bytes += n;
    io->left_bytes -= n;
}

/* As iobuf_put_some; zeros when src is NULL. */
static size_t iobuf_fill(struct iobuf *io, const char *src, size_t n)
{
    size_t done = 0;

    ASSERT(n <= io->left_bytes);
    while (done < n) {
        uintptr_t addr;
        size_t piece = iobuf_piece(io, n - done, &addr);
        if (put_piece(io->user, addr, src != NULL ? src + done : NULL, piece) != 0)
            break;
        iobuf_advance(io, piece);
        done += piece;
    }
    return done;
}

size_t iobuf_put_some(struct iobuf *io, const void *src, size_t n)
{
    return iobuf_fill(io, src, n);
}

size_t iobuf_put_zeros(struct iobuf *io, size_t n)
{
    return iobuf_fill(io, NULL, n);
}

size_t iobuf_take_some(struct iobuf *io, void *dst, size_t n)
{
    size_t done = 0;

    ASSERT(n <= io->left_bytes);
    while (done < n) {
        uintptr_t addr;
        size_t piece = iobuf_piece(io, n - done, &addr);
        if (take_piece(io->user, addr, (char *)dst + done, piece) != 0)
            break;
        iobuf_advance(io, piece);
        done += piece;
    }
    return done;
}

/* Where it was before. */
static void iobuf_go_back(struct iobuf *io, const struct linux_iovec *seg, size_t seg_done_bytes,
                          size_t left_bytes)
{
    io->seg = seg;
    io->seg_done_bytes = seg_done_bytes;
    io->left_bytes = left_bytes;
}

err_t iobuf_put(struct iobuf *io, const void *src, size_t n)
{
    const struct linux_iovec *seg = io->seg;
    size_t seg_done_bytes = io->seg_done_bytes, left_bytes = io->left_bytes;

    if (iobuf_put_some(io, src, n) == n)
        return 0;
    iobuf_go_back(io, seg, seg_done_bytes, left_bytes);
    return -EFAULT;
}

err_t iobuf_take(struct iobuf *io, void *dst, size_t n)
{
    const struct linux_iovec *seg = io->seg;
    size_t seg_done_bytes = io->seg_done_bytes, left_bytes = io->left_bytes;

    if (iobuf_take_some(io, dst, n) == n)
        return 0;
    iobuf_go_back(io, seg, seg_done_bytes, left_bytes);
    return -EFAULT;
}
