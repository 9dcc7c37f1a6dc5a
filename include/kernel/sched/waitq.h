/* Wait queues: threads asleep until woken, in order of arrival.  A queue is guarded by a spin lock
 * of its owner's: every call here needs that same lock held. */
#pragma once

#include <kernel/base/spinlock.h>
#include <kernel/sched/thread.h>

struct waitq {
    struct list waiters;
};

void waitq_init(struct waitq *q);

/* Releases `lock`, sleeps, takes `lock` again.
 * 0: woken by waitq_wake_*, exactly once for each wake (a wake is never lost to a signal that comes
 * with it). -EINTR: notified in a way `mode` heeds.  -ETIMEDOUT: `deadline_ns` of arch_time_ns()
 * passed (NS_NEVER: never). The caller holds no other spin lock.  It looks at its condition again
 * whatever the result. */
err_t waitq_sleep(struct waitq *q, struct spinlock *lock, enum sleep_mode mode,
                  uint64_t deadline_ns) REQUIRES(*lock);

/* Wakes the thread that came first; false when there is none. */
bool waitq_wake_one(struct waitq *q);
void waitq_wake_all(struct waitq *q);
/* The thread that waitq_wake_one would wake; NULL when there is none. */
struct thread *waitq_first(const struct waitq *q);
bool waitq_empty(const struct waitq *q);
