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
    uint32_t cpu;                    /* c */
    bool armed;                      /* l */
};

/* Arms *t (not armed) on this CPU. */
void timer_start(struct timer *t, uint64_t deadline_ns, void (*expire)(struct timer *t));

/* After it returns, expire is not running and will not be called.  True if it had not been called.
 */
bool timer_cancel(struct timer *t);
