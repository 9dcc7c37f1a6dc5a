/* One-shot timers, kept a CPU each in order of deadline. */
#pragma once

#include <arch/time.h>
#include <lib/rbtree.h>

/* l the lock of the CPU the timer is on (RANK_TIMER)   c constant while armed */
struct timer {
    struct rbnode node;              /* l */
    uint64_t deadline_ns;            /* c */
    void (*expire)(struct timer *t); /* c  interrupts off, RANK_TIMER held: it may only wake and
                                        notify threads */
    bool unlocked;                   /* c  RANK_TIMER is not held: it may take other spin locks */
    uint32_t cpu;                    /* c */
    bool armed;                      /* l */
};

/* Arms *t (not armed) on this CPU. */
void timer_start(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t));

/* The same, and expire is called with no lock held.  timer_cancel then does not wait for it: what
 * expire uses must outlive the call, and it may run once more after a timer_cancel that is false.
 */
void timer_start_unlocked(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t));

/* After it returns, expire is not running and will not be called.  True if it had not been called.
 */
bool timer_cancel(struct timer *t);
