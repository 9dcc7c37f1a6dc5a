/* Futexes (futex(2)): sleeping until somebody says that a word of user memory has changed.  A word
 * in a shared mapping is known by its place in the store, so that every process that maps it means
 * the same one (U2). */
#pragma once

#include <lib/err.h>
#include <lib/util.h>

#define FUTEX_ANY UINT32_MAX /* a bitset that every waker matches */

/* Sleeps if the word at `addr` is `value`.  0 when woken, -EAGAIN (another value), -EINTR,
 * -ETIMEDOUT, -EFAULT. */
err_t futex_wait(uintptr_t addr, uint32_t value, uint32_t bitset, uint64_t deadline_ns);

/* Wakes up to `max` whose bitset meets `bitset`; how many, or -EFAULT. */
long futex_wake(uintptr_t addr, unsigned max, uint32_t bitset);

/* Wakes up to `wake` of `addr` and moves up to `move` of the others to `to`; with `expect`, only if
 * the word is *expect
 * (-EAGAIN).  Woken and moved, or only woken when there is no `expect`, as futex(2) counts. */
long futex_requeue(uintptr_t addr, uintptr_t to, unsigned wake, unsigned move,
                   const uint32_t *expect);

/* FUTEX_WAKE_OP: changes the word at `to` by `op`, wakes `wake` of addr, and `wake_to` of `to` if
 * the old value fits. */
long futex_wake_op(uintptr_t addr, uintptr_t to, unsigned wake, unsigned wake_to, uint32_t op);

/* The thread dies: marks the locks of its robust list and wakes one waiter each
 * (get_robust_list(2)).  `head` is of user memory and as trustworthy. */
void futex_robust_exit(uintptr_t head, int tid);
