/* Sleeping and waking. */
#include "sched.h"

#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/sched/timer.h>
#include <kernel/sched/waitq.h>
#include <lib/err.h>

bool thread_wake(struct thread *t)
{
    uint32_t blocked = THREAD_BLOCKED;
    if (!__atomic_compare_exchange_n(&t->state, &blocked, THREAD_RUNNABLE, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return false;
    /* It said BLOCKED with interrupts off and is on its way off its CPU; it needs no lock that we
     * may hold. */
    while (__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE))
        arch_cpu_relax();
    sched_enqueue(t);
    return true;
}

static bool heeds(uint32_t mode, uint32_t notify)
{
    switch (mode) {
    case SLEEP_INTERRUPTIBLE:
        return notify & (NOTIFY_SIGNAL | NOTIFY_KILL);
    case SLEEP_KILLABLE:
        return notify & NOTIFY_KILL;
    default:
        return false;
    }
}

static bool notified(enum sleep_mode mode)
{
    return heeds(mode, __atomic_load_n(&thread_current()->notify, __ATOMIC_SEQ_CST));
}

/* As if a signal had come already (FAIL_SLEEP). */
static bool made_to_fail(enum sleep_mode mode)
{
    return mode != SLEEP_UNINTERRUPTIBLE && failpoint_hit(FAIL_SLEEP);
}

/* What a sleep is made to answer instead of sleeping; 0: it sleeps. */
static err_t failure(enum sleep_mode mode, uint64_t deadline_ns)
{
    if (made_to_fail(mode))
        return -EINTR;
    return deadline_ns != NS_NEVER && failpoint_hit(FAIL_TIMEOUT) ? -ETIMEDOUT : 0;
}

bool thread_interrupted(enum sleep_mode mode)
{
    return notified(mode) || made_to_fail(mode);
}

void thread_notify(struct thread *t, unsigned bits)
{
    bool irq = irq_save();
    __atomic_fetch_or(&t->notify, bits, __ATOMIC_SEQ_CST);
    /* Pairs with block_current: it says BLOCKED, then looks at notify; we set notify, then look at
     * the state. */
    if (__atomic_load_n(&t->state, __ATOMIC_SEQ_CST) == THREAD_BLOCKED) {
        if (heeds(__atomic_load_n(&t->sleep_mode, __ATOMIC_RELAXED), bits))
            thread_wake(t);
    } else if (__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE)) {
        /* The CPU it runs on.  If it leaves that one now, it looks at notify before user mode. */
        unsigned cpu = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);
        if (cpu != arch_cpu_id())
            arch_cpu_kick(cpu);
    }
    irq_restore(irq);
}

void thread_clear_notify(struct thread *t, unsigned bits)
{
    __atomic_fetch_and(&t->notify, ~bits, __ATOMIC_SEQ_CST);
}

/* The current thread says it is asleep.  Interrupts off until schedule().  False: it must not sleep
 * after all. */
static bool block_begin(enum sleep_mode mode)
{
    struct thread *t = thread_current();
    __atomic_store_n(&t->sleep_mode, mode, __ATOMIC_RELAXED);
    __atomic_store_n(&t->state, THREAD_BLOCKED, __ATOMIC_SEQ_CST);
    return !notified(mode);
}

struct sleeper {
    struct timer timer;
    struct thread *thread;
    bool expired;
};

static void sleeper_expire(struct timer *timer)
{
    struct sleeper *s = container_of(timer, struct sleeper, timer);
    __atomic_store_n(&s->expired, true, __ATOMIC_RELEASE);
    thread_wake(s->thread);
}

/* Leaves the CPU until woken, interrupted or past the deadline.  Interrupts off, no spin lock.
 * `lock` (may be NULL) is held on entry and released once the thread counts as asleep.  Not
 * analysed: whether there is a lock to release is known to the caller. */
static void block_current(struct spinlock *lock, enum sleep_mode mode, uint64_t deadline_ns,
                          struct sleeper *s) NO_THREAD_SAFETY_ANALYSIS
{
    struct thread *t = thread_current();
    bool timed = deadline_ns != NS_NEVER;
    s->thread = t;
    s->expired = false;
    if (timed)
        timer_start(&s->timer, deadline_ns, sleeper_expire);
    bool sleeps = block_begin(mode);
    if (lock)
        (void)spin_unlock_keep_irq_off(lock);
    if (sleeps) {
        schedule(false);
    } else {
        /* Whoever wakes us now would wait for this CPU to let go: take the wake-up back, or follow
         * it through. */
        uint32_t blocked = THREAD_BLOCKED;
        if (!__atomic_compare_exchange_n(&t->state, &blocked, THREAD_RUNNABLE, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            schedule(false);
    }
    irq_enable();
    if (timed)
        (void)timer_cancel(&s->timer);
}

struct waiter {
    struct list node;
    struct thread *thread;
    bool woken;
};

void waitq_init(struct waitq *q)
{
    list_init(&q->waiters);
}

/* Not analysed: block_current is not. */
err_t waitq_sleep(struct waitq *q, struct spinlock *lock, enum sleep_mode mode,
                  uint64_t deadline_ns) NO_THREAD_SAFETY_ANALYSIS
{
    struct waiter w = {.thread = thread_current()};
    struct sleeper s;
    assert_may_sleep_on(lock, "waitq_sleep");
    ASSERTF(lock->irq_was_on, "sleeping on \"%s\" with interrupts off", lock->name);
    err_t err = failure(mode, deadline_ns);
    if (err) {
        spin_unlock(lock); /* as a sleep does: others may change what it protects */
        spin_lock(lock);
        return err;
    }
    list_push_back(&q->waiters, &w.node);
    for (;;) {
        block_current(lock, mode, deadline_ns, &s);
        spin_lock(lock);
        if (w.woken)
            return 0;
        bool interrupted = notified(mode);
        if (interrupted || s.expired) {
            list_remove(&w.node);
            return interrupted ? -EINTR : -ETIMEDOUT;
        }
    }
}

bool waitq_wake_one(struct waitq *q)
{
    struct list *node = list_pop_front(&q->waiters);
    if (!node)
        return false;
    struct waiter *w = list_entry(node, struct waiter, node);
    struct thread *t = w->thread;
    w->woken = true; /* w is gone once the lock of the queue is released */
    thread_wake(t);
    return true;
}

void waitq_wake_all(struct waitq *q)
{
    while (waitq_wake_one(q))
        ;
}

struct thread *waitq_first(const struct waitq *q)
{
    return list_empty(&q->waiters) ? NULL : list_first(&q->waiters, struct waiter, node)->thread;
}

bool waitq_empty(const struct waitq *q)
{
    return list_empty(&q->waiters);
}

err_t thread_sleep_until(uint64_t deadline_ns, enum sleep_mode mode)
{
    assert_may_sleep("thread_sleep_until");
    struct sleeper s;
    err_t err = failure(mode, deadline_ns);
    if (err)
        return err == -EINTR ? err : 0;
    for (;;) {
        irq_disable();
        block_current(NULL, mode, deadline_ns, &s);
        if (notified(mode))
            return -EINTR;
        if (s.expired)
            return 0;
    }
}
