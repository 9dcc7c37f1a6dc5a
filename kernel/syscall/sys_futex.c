/* Futexes. */
#include <abi/linux.h>
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/futex.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

#include "utime.h"

/* The time at which a wait ends: relative for FUTEX_WAIT, otherwise absolute, by one clock or the
 * other. */
static err_t read_deadline(uintptr_t timeout, unsigned op, uint64_t *deadline_ns)
{
    uint64_t resumed = wait_resumed();
    *deadline_ns = NS_NEVER;
    if (!timeout)
        return 0;
    uint64_t ns;
    err_t err = timespec_from_user(timeout, &ns);
    if (err)
        return err;
    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        *deadline_ns = wait_deadline(resumed, ns);
    else if (op & FUTEX_CLOCK_REALTIME)
        *deadline_ns = ns > arch_boot_wall_ns() ? ns - arch_boot_wall_ns() : 0;
    else
        *deadline_ns = ns;
    return 0;
}

/* Counts are ints; Linux takes a negative one for "all". */
static unsigned count_of(unsigned long arg)
{
    return (int)arg < 0 ? UINT32_MAX : (unsigned)arg;
}

/* futex(addr, op, value, timeout or value 2, addr 2, value 3).  Locks with priority inheritance are
 * not there: -ENOSYS. FUTEX_PRIVATE_FLAG only promises what the mapping shows anyway. */
long sys_futex(const unsigned long args[6])
{
    uintptr_t addr = args[0], to = args[4];
    unsigned op = (unsigned)args[1], cmd = op & FUTEX_CMD_MASK;
    uint32_t value = (uint32_t)args[2], value3 = (uint32_t)args[5];
    uint64_t deadline_ns;
    switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
        err_t err = read_deadline(args[3], op, &deadline_ns);
        if (err)
            return err;
        err = futex_wait(addr, value, cmd == FUTEX_WAIT ? FUTEX_ANY : value3, deadline_ns);
        return cmd == FUTEX_WAIT && args[3] ? wait_done(err, deadline_ns) : err;
    }
    case FUTEX_WAKE:
        return futex_wake(addr, count_of(value), FUTEX_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(addr, count_of(value), value3);
    case FUTEX_REQUEUE:
        return futex_requeue(addr, to, count_of(value), count_of(args[3]), NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(addr, to, count_of(value), count_of(args[3]), &value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(addr, to, count_of(value), count_of(args[3]), value3);
    default:
        return -ENOSYS;
    }
}

#define ROBUST_HEAD_BYTES 24

/* set_robust_list(head, size) */
long sys_set_robust_list(const unsigned long args[6])
{
    if (args[1] != ROBUST_HEAD_BYTES)
        return -EINVAL;
    uthread_current()->robust_list = args[0];
    return 0;
}

/* get_robust_list(tid, head *, size *) of the caller. */
long sys_get_robust_list(const unsigned long args[6])
{
    struct uthread *ut = uthread_current();
    uint64_t size = ROBUST_HEAD_BYTES;
    if (args[0] != 0 && (int)args[0] != ut->tid)
        return -EPERM;
    if (copy_to_user(args[1], &ut->robust_list, sizeof ut->robust_list) ||
        copy_to_user(args[2], &size, sizeof size))
        return -EFAULT;
    return 0;
}
