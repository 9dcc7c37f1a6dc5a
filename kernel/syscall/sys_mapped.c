/* Memory that is mapped already: moving it, asking about it, and advice.
 *
 * Nothing is ever paged out, so that a page once brought in stays: mlock(2) brings pages in, and
 * there is nothing to unlock. */
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/sched/thread.h>
#include <kernel/syscall/calls.h>
#include <lib/string.h>

/* Pages that mincore asks about at a time. */
#define MINCORE_PIECE 256u

static struct addrspace *current_as(void)
{
    return process_current()->as;
}

/* mremap(old_address, old_size, new_size, flags, new_address).  An old_size of 0 and
 * MREMAP_DONTUNMAP are refused. */
long sys_mremap(const unsigned long args[6])
{
    struct remap_request req = {
        .addr = args[0],
        .old_bytes = args[1],
        .new_bytes = args[2],
        .may_move = args[3] & MREMAP_MAYMOVE,
        .fixed = args[3] & MREMAP_FIXED,
        .new_addr = args[4],
    };
    if (args[3] & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED))
        return -EINVAL;
    uintptr_t addr;
    err_t err = addrspace_remap(current_as(), &req, &addr);
    return err ? err : (long)addr;
}

/* msync(addr, length, flags) */
long sys_msync(const unsigned long args[6])
{
    unsigned long flags = args[2];
    if (!IS_ALIGNED(args[0], PAGE_BYTES) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    return args[1] == 0 ? 0 : addrspace_sync(current_as(), args[0], args[1]);
}

/* mincore(addr, length, vec) */
long sys_mincore(const unsigned long args[6])
{
    uint8_t present[MINCORE_PIECE];
    uintptr_t addr = args[0], vec = args[2];
    if (!IS_ALIGNED(addr, PAGE_BYTES))
        return -EINVAL;
    if (ALIGN_UP_OVERFLOWS(args[1], PAGE_BYTES))
        return -ENOMEM;
    size_t left = ALIGN_UP(args[1], PAGE_BYTES) >> PAGE_SHIFT;
    err_t err = 0;
    while (left && !err) {
        size_t n = MIN(left, MINCORE_PIECE);
        /* A killed process does not ask about terabytes first. */
        err = thread_interrupted(SLEEP_KILLABLE)
                  ? -EINTR
                  : addrspace_resident(current_as(), addr, n, present);
        if (!err)
            err = copy_to_user(vec, present, n);
        addr += n << PAGE_SHIFT;
        vec += n;
        left -= n;
    }
    return err;
}

/* Pages of private memory that the program does not need are given back at once. */
static err_t free_pages(uintptr_t addr, size_t bytes)
{
    err_t err = addrspace_check_anonymous(current_as(), addr, bytes);
    return err ? err : addrspace_discard(current_as(), addr, bytes);
}

/* madvise(addr, length, advice).  What is about reading ahead, paging or dumps changes nothing. */
long sys_madvise(const unsigned long args[6])
{
    uintptr_t addr = args[0];
    size_t bytes = args[1];
    if (!IS_ALIGNED(addr, PAGE_BYTES) || ALIGN_UP_OVERFLOWS(bytes, PAGE_BYTES))
        return -EINVAL;
    switch ((int)args[2]) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return bytes ? addrspace_check_mapped(current_as(), addr, bytes) : 0;
    case MADV_DONTNEED:
        return bytes ? addrspace_discard(current_as(), addr, bytes) : 0;
    case MADV_FREE:
        return bytes ? free_pages(addr, bytes) : 0;
    default:
        return -EINVAL;
    }
}

/* mlock rounds the address down: [*addr, *addr + *bytes) is pages after.  -EINVAL. */
static err_t round_out(uintptr_t *addr, size_t *bytes)
{
    size_t offset = *addr % PAGE_BYTES;
    if (*bytes > SIZE_MAX - offset || ALIGN_UP_OVERFLOWS(*bytes + offset, PAGE_BYTES))
        return -EINVAL;
    *addr -= offset;
    *bytes = ALIGN_UP(*bytes + offset, PAGE_BYTES);
    return 0;
}

static long lock_range(uintptr_t addr, size_t bytes, bool bring_in)
{
    err_t err = round_out(&addr, &bytes);
    if (err || bytes == 0)
        return err;
    return bring_in ? addrspace_bring_in(current_as(), addr, bytes)
                    : addrspace_check_mapped(current_as(), addr, bytes);
}

/* mlock(addr, length) */
long sys_mlock(const unsigned long args[6])
{
    return lock_range(args[0], args[1], true);
}

/* mlock2(addr, length, flags) */
long sys_mlock2(const unsigned long args[6])
{
    if (args[2] & ~(unsigned long)MLOCK_ONFAULT)
        return -EINVAL;
    return lock_range(args[0], args[1], !(args[2] & MLOCK_ONFAULT));
}

/* munlock(addr, length) */
long sys_munlock(const unsigned long args[6])
{
    return lock_range(args[0], args[1], false);
}

/* mlockall(flags): a hint here; it brings nothing in. */
long sys_mlockall(const unsigned long args[6])
{
    unsigned long flags = args[0];
    bool known = !(flags & ~(unsigned long)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
    return known && (flags & (MCL_CURRENT | MCL_FUTURE)) ? 0 : -EINVAL;
}

long sys_munlockall(const unsigned long args[6])
{
    return 0;
}
