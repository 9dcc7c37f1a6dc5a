/* Timers: a tree a CPU, ordered by deadline. */
#include "sched.h"

#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/sched/timer.h>

/* t lock */
static struct timer_base {
    struct spinlock lock;
    struct rbtree timers; /* t */
} bases[CPUS_MAX] = {[0 ... CPUS_MAX - 1] = {.lock = SPINLOCK_INIT("timers", RANK_TIMER)}};

static struct timer *first_timer(struct timer_base *base)
{
    struct rbnode *node = rb_first(&base->timers);
    return node ? rb_entry(node, struct timer, node) : NULL;
}

static void insert(struct timer_base *base, struct timer *t)
{
    struct rbnode *parent = NULL, **link = &base->timers.root;
    while (*link) {
        parent = *link;
        bool before = t->deadline_ns < rb_entry(parent, struct timer, node)->deadline_ns;
        link = before ? &parent->left : &parent->right;
    }
    rb_insert(&base->timers, &t->node, parent, link);
}

static void start(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t),
                  bool unlocked)
{
    bool irq = irq_save();
    t->cpu = arch_cpu_id();
    t->deadline_ns = deadline_ns;
    t->expire = expire;
    t->unlocked = unlocked;
    struct timer_base *base = &bases[t->cpu];
    spin_lock(&base->lock);
    t->armed = true;
    insert(base, t);
    spin_unlock(&base->lock);
    sched_arm_timer(deadline_ns);
    irq_restore(irq);
}

void timer_start(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t))
{
    start(t, deadline_ns, expire, false);
}

void timer_start_unlocked(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t))
{
    start(t, deadline_ns, expire, true);
}

bool timer_cancel(struct timer *t)
{
    struct timer_base *base = &bases[t->cpu];
    spin_lock(&base->lock);
    bool armed = t->armed;
    if (armed) {
        rb_remove(&base->timers, &t->node);
        t->armed = false;
    }
    spin_unlock(&base->lock);
    return armed;
}

uint64_t timer_run_expired(uint64_t now_ns)
{
    struct timer_base *base = &bases[arch_cpu_id()];
    struct timer *t;
    spin_lock(&base->lock);
    while ((t = first_timer(base)) && t->deadline_ns <= now_ns) {
        rb_remove(&base->timers, &t->node);
        t->armed = false;
        if (t->unlocked) {
            spin_unlock(&base->lock);
            t->expire(t);
            spin_lock(&base->lock);
        } else {
            t->expire(t); /* under the lock, so that timer_cancel waits for it */
        }
    }
    uint64_t next = t ? t->deadline_ns : NS_NEVER;
    spin_unlock(&base->lock);
    return next;
}

uint64_t timer_next_deadline(void)
{
    struct timer_base *base = &bases[arch_cpu_id()];
    spin_lock(&base->lock);
    struct timer *t = first_timer(base);
    uint64_t next = t ? t->deadline_ns : NS_NEVER;
    spin_unlock(&base->lock);
    return next;
}
