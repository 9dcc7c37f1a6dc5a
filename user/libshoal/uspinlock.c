/* The user spin lock (U1). */
#include <sched.h>

#include <shoal/uspinlock.h>

/* Longer than a short critical section, shorter than what a switch of threads costs. */
#define SPINS_BEFORE_YIELD 100

/* Waits until the lock looks free, by reading only: the cache line stays with the holder. */
static void free_await(const struct uspinlock *lock)
{
    for (unsigned spins = 0; __atomic_load_n(&lock->locked, __ATOMIC_RELAXED); spins++) {
        if (spins < SPINS_BEFORE_YIELD) {
            __builtin_ia32_pause();
            continue;
        }
        /* The holder may be waiting for this very CPU. */
        sched_yield();
        spins = 0;
    }
}

void uacquire(struct uspinlock *lock)
{
    while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
        free_await(lock);
}

void urelease(struct uspinlock *lock)
{
    __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}
