/* Spin locks: interrupts are off while one is held, so a holder is never preempted or interrupted.
 */
#pragma once

#include <arch/cpu.h>
#include <kernel/base/lockrank.h>
#include <lib/thread_safety.h>

struct CAPABILITY("spin lock") spinlock {
    const char *name;
    uint8_t taken;      /* atomic: 0 or 1 */
    uint8_t claimed_by; /* atomic: whose turn is next, a CPU's number + 1; 0: nobody's */
    uint8_t rank;       /* enum lock_rank */
    bool irq_was_on;    /* of the holder */
};
_Static_assert(RANK_MAX <= UINT8_MAX && CPUS_MAX < UINT8_MAX, "small locks: objects have several");

#define SPINLOCK_INIT(lock_name, lock_rank)                                                        \
    {                                                                                              \
        .name = (lock_name), .rank = (lock_rank)                                                   \
    }

/* `name` is a string constant, shown in panics. */
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank);
void spin_lock(struct spinlock *lock) ACQUIRE(*lock);
void spin_unlock(struct spinlock *lock) RELEASE(*lock);

/* Releases but leaves interrupts off; returns whether they were on before spin_lock.  For going to
 * sleep. */
bool spin_unlock_keep_irq_off(struct spinlock *lock) RELEASE(*lock);
/* Panics in debug builds when the current context does not hold it. */
void spin_assert_held(const struct spinlock *lock) ASSERTS_HELD(*lock);
bool spin_is_locked(const struct spinlock *lock);
