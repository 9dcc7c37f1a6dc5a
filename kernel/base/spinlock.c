/* Spin locks for virtual CPUs.
 *
 * In a machine with more CPUs than its host has to spare, the CPU that is next in line is often not
 * running, and a lock that keeps to the line (a ticket lock) is then free and idle until the host
 * gets round to it.  So whoever runs takes a free lock: test and set, as Linux does on hypervisors
 * (arch/x86/include/asm/qspinlock.h, virt_spin_lock).
 *
 * That alone would starve those who wait for a CPU that lets go and comes back, as it does to let
 * them in: it is always the faster one.  So one of those who wait claims the next turn, and others
 * leave it the free lock for a little while, after which one of them takes over the claim. */
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/base/spinlock.h>

/* These functions are the locks: they are not analysed, they make what the others rely on. */
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK_INIT(name, rank);
}

/* How often a CPU that waits leaves the free lock to the one that has claimed it, which needs one
 * look, or a few, when it runs; then the claim is its own. */
#define CLAIM_LOOKS 64u

static bool try_take(struct spinlock *lock)
{
    return __atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) == 0;
}

/* Is the next turn this CPU's?  Claims it when it is nobody's. */
static bool my_turn(struct spinlock *lock, uint8_t me)
{
    uint8_t whose = __atomic_load_n(&lock->claimed_by, __ATOMIC_RELAXED);
    return whose == me ||
           (whose == 0 && __atomic_compare_exchange_n(&lock->claimed_by, &whose, me, false,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static void spin_wait(struct spinlock *lock)
{
    uint8_t me = (uint8_t)(arch_cpu_id() + 1);
    for (unsigned looks = 0; !panicking_here(); arch_cpu_relax()) {
        if (looks > CLAIM_LOOKS) {
            __atomic_store_n(&lock->claimed_by, me, __ATOMIC_RELAXED);
            looks = 0;
        }
        bool mine = my_turn(lock, me);
        if (spin_is_locked(lock))
            continue;
        if (!mine) {
            looks++;
        } else if (try_take(lock)) {
            __atomic_store_n(&lock->claimed_by, 0, __ATOMIC_RELAXED);
            return;
        }
    }
}

void spin_lock(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    bool irq_was_on = irq_save();
    /* Before waiting: see lock_rank_check. */
    lock_rank_acquire(&(struct lock_taker){
        .lock = lock, .name = lock->name, .rank = lock->rank, .frame = __builtin_frame_address(0)});

    if (__atomic_load_n(&lock->claimed_by, __ATOMIC_RELAXED) != 0 || !try_take(lock))
        spin_wait(lock);
    lock->irq_was_on = irq_was_on;
}

bool spin_unlock_keep_irq_off(struct spinlock *lock) NO_THREAD_SAFETY_ANALYSIS
{
    lock_rank_release(lock);
    bool irq_was_on = lock->irq_was_on;
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
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
    return __atomic_load_n(&lock->taken, __ATOMIC_RELAXED);
}
