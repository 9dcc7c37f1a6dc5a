/* Every way to break the rules of locks and of interrupt handlers, one at a time. */
#include "provoke.h"

#include <arch/usercopy.h>
#include <kernel/base/cmdline.h>
#include <kernel/base/context.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/procfs.h>
#include <kernel/phys/kmem.h>
#include <kernel/sched/mutex.h>
#include <kernel/sched/timer.h>
#include <lib/string.h>

/* What is wrong here is meant to be. */
#pragma clang diagnostic ignored "-Wthread-safety-analysis"

static struct spinlock spin, other_spin;
static struct mutex mutex;
static struct rwlock rwlock;
static struct timer timer;

/* The call that takes the lock and the call that breaks the rule are functions of their own, so
 * that both show in the panic. */
__attribute__((noinline)) static void provoke_take_spin(void)
{
    spin_lock(&spin);
}

__attribute__((noinline)) static void provoke_take_mutex(void)
{
    mutex_lock(&mutex);
}

__attribute__((noinline)) static void provoke_take_rwlock(void)
{
    rwlock_write(&rwlock);
}

static void lock_order(void)
{
    provoke_take_spin();
    spin_lock(&other_spin);
}

static void lock_again(void)
{
    provoke_take_spin();
    spin_lock(&spin);
}

/* A deadlock of the thread with itself. */
static void lock_mutex_again(void)
{
    provoke_take_mutex();
    mutex_lock(&mutex);
}

static void lock_sleep(void)
{
    provoke_take_spin();
    (void)thread_sleep_until(0, SLEEP_UNINTERRUPTIBLE);
}

static void lock_mutex_under_spin(void)
{
    provoke_take_spin();
    mutex_lock(&mutex);
}

/* Waiting on a queue lets go of that queue's lock, not of another. */
static void lock_wait(void)
{
    struct waitq q;
    waitq_init(&q);
    provoke_take_spin();
    (void)waitq_sleep(&q, &other_spin, SLEEP_UNINTERRUPTIBLE, 0);
}

static void lock_switch(void)
{
    provoke_take_spin();
    thread_yield();
}

static void lock_user(void)
{
    char c;
    provoke_take_spin();
    (void)copy_from_user(&c, USER_BEG, sizeof c);
}

static void lock_user_addrspace(void)
{
    char c;
    provoke_take_rwlock();
    (void)copy_from_user(&c, USER_BEG, sizeof c);
}

static void lock_fault(void)
{
    char c;
    provoke_take_spin();
    (void)arch_copy_from_user(&c, USER_BEG, sizeof c);
}

static void lock_fault_addrspace(void)
{
    char c;
    provoke_take_rwlock();
    (void)arch_copy_from_user(&c, USER_BEG, sizeof c);
}

static void lock_release(void)
{
    provoke_take_mutex();
    mutex_unlock(&mutex);
    mutex_unlock(&mutex);
}

static void lock_return(void)
{
    provoke_take_mutex();
}

static void lock_irq_on(void)
{
    provoke_take_spin();
    irq_enable();
}

/* The first lock's release turns interrupts on, and the second is still held. */
static void lock_crossed(void)
{
    struct spinlock inner;
    spin_init(&inner, "provoked inner lock", RANK_CONSOLE);
    provoke_take_spin();
    spin_lock(&inner);
    spin_unlock(&spin);
}

static void irq_unbalanced(void)
{
    bool irq = irq_save();
    irq_enable();
    irq_restore(irq);
}

static void expire_mutex(struct timer *t)
{
    mutex_lock(&mutex);
}

static void expire_alloc(struct timer *t)
{
    (void)kmem_alloc_bytes(8);
}

static void expire_user(struct timer *t)
{
    char c;
    (void)copy_from_user(&c, USER_BEG, sizeof c);
}

static void expire_keeps(struct timer *t)
{
    provoke_take_spin();
}

static void expire_irq_on(struct timer *t)
{
    irq_enable();
}

/* In the timer interrupt, with no lock of the timers held. */
static void in_interrupt(void (*expire)(struct timer *t))
{
    timer_start_unlocked(&timer, 0, expire);
    for (;;)
        thread_yield();
}

static const struct {
    const char *name;
    void (*fn)(void);
    void (*expire)(struct timer *t);
} rules[] = {
    {"lock-order", lock_order, NULL},
    {"lock-again", lock_again, NULL},
    {"lock-mutex-again", lock_mutex_again, NULL},
    {"lock-sleep", lock_sleep, NULL},
    {"lock-mutex-under-spin", lock_mutex_under_spin, NULL},
    {"lock-wait", lock_wait, NULL},
    {"lock-switch", lock_switch, NULL},
    {"lock-user", lock_user, NULL},
    {"lock-user-addrspace", lock_user_addrspace, NULL},
    {"lock-fault", lock_fault, NULL},
    {"lock-fault-addrspace", lock_fault_addrspace, NULL},
    {"lock-release", lock_release, NULL},
    {"lock-return", lock_return, NULL},
    {"lock-irq-on", lock_irq_on, NULL},
    {"lock-crossed", lock_crossed, NULL},
    {"irq-unbalanced", irq_unbalanced, NULL},
    {"irq-mutex", NULL, expire_mutex},
    {"irq-alloc", NULL, expire_alloc},
    {"irq-user", NULL, expire_user},
    {"irq-keeps", NULL, expire_keeps},
    {"irq-on", NULL, expire_irq_on},
};

static void provoke_printer(struct textbuf *b)
{
    spin_init(&spin, "provoked spin lock", RANK_FILE);
    spin_init(&other_spin, "another spin lock of its rank", RANK_FILE);
    mutex_init(&mutex, "provoked mutex", RANK_RMAP);
    rwlock_init(&rwlock, "provoked rwlock", RANK_ADDRSPACE);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!cmdline_has("provoke", rules[i].name))
            continue;
        if (rules[i].fn)
            rules[i].fn();
        else
            in_interrupt(rules[i].expire);
    }
}

void provoke_locks_init(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (cmdline_has("provoke", rules[i].name))
            procfs_add("provoke", provoke_printer);
}
