#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/base/spinlock.h>

/* These functions are the locks: they are not analysed, they make what the others rely on. */
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK_INIT(name, rank);
}

void spin_lock(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    bool irq_was_on = irq_save();
    /* Before waiting: see lock_rank_check. */
    lock_rank_acquire(&(struct lock_taker){
        .lock = lock, .name = lock->name, .rank = lock->rank, .frame = __builtin_frame_address(0)});

    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
        if (panicking_here())
            break;
        arch_cpu_relax();
    }
    lock->irq_was_on = irq_was_on;
}

bool spin_unlock_keep_irq_off(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    lock_rank_release(lock);
    bool irq_was_on = lock->irq_was_on;
    uint16_t owner =
        __atomic_load_n(&lock->owner, __ATOMIC_RELAXED); /* only the holder writes it */
    __atomic_store_n(&lock->owner, (uint16_t)(owner + 1), __ATOMIC_RELEASE);
    return irq_was_on;
}

void spin_unlock(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    irq_restore(spin_unlock_keep_irq_off(lock));
}

void spin_assert_held(const struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    ASSERTF(lock_rank_holds(lock), "\"%s\"", lock->name);
}

bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) !=
           __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
}
