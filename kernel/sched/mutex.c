/* Sleeping locks.  A release hands the lock to the first waiter, so nobody overtakes and nobody
 * starves.  The functions that are the locks are not analysed: they make what the others rely on.
 */
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/sched/mutex.h>

/* For lock_rank_acquire: mutex or rwlock `l`, taken by the caller of this function. */
#define TAKER(l)                                                                                   \
    {                                                                                              \
        .lock = (l), .name = (l)->inner.name, .rank = (l)->rank,                                   \
        .frame = __builtin_frame_address(0)                                                        \
    }

void mutex_init(struct mutex *m, const char *name, enum lock_rank rank)
{
    spin_init(&m->inner, name, RANK_SLEEPLOCK);
    m->owner = NULL;
    waitq_init(&m->waiters);
    m->rank = rank;
}

void mutex_lock(struct mutex *m) NO_THREAD_SAFETY_ANALYSIS
{
    const struct lock_taker taker = TAKER(m);
    assert_may_sleep(m->inner.name);
    lock_rank_check(&taker);
    struct thread *self = thread_current();
    spin_lock(&m->inner);
    if (!m->owner)
        m->owner = self;
    else
        (void)waitq_sleep(&m->waiters, &m->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    ASSERT(m->owner == self);
    spin_unlock(&m->inner);
    lock_rank_acquire(&taker);
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY_ANALYSIS
{
    lock_rank_release(m);
    spin_lock(&m->inner);
    ASSERT(m->owner == thread_current());
    m->owner = waitq_first(&m->waiters);
    (void)waitq_wake_one(&m->waiters);
    spin_unlock(&m->inner);
}

bool mutex_held(const struct mutex *m)
{
    return __atomic_load_n(&m->owner, __ATOMIC_RELAXED) == thread_current();
}

void rwlock_init(struct rwlock *rw, const char *name, enum lock_rank rank)
{
    spin_init(&rw->inner, name, RANK_SLEEPLOCK);
    rw->readers = 0;
    rw->writer = NULL;
    waitq_init(&rw->read_waiters);
    waitq_init(&rw->write_waiters);
    rw->rank = rank;
}

void rwlock_read(struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    const struct lock_taker taker = TAKER(rw);
    assert_may_sleep(rw->inner.name);
    lock_rank_check(&taker);
    spin_lock(&rw->inner);
    if (!rw->writer && waitq_empty(&rw->write_waiters))
        rw->readers++;
    else /* a wake means that we have been counted */
        (void)waitq_sleep(&rw->read_waiters, &rw->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    spin_unlock(&rw->inner);
    lock_rank_acquire(&taker);
}

/* Hands the free lock to the first writer, if there is one. */
static void pass_to_writer(struct rwlock *rw)
{
    rw->writer = waitq_first(&rw->write_waiters);
    (void)waitq_wake_one(&rw->write_waiters);
}

void rwlock_read_done(struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    lock_rank_release(rw);
    spin_lock(&rw->inner);
    ASSERT(rw->readers > 0);
    if (--rw->readers == 0)
        pass_to_writer(rw);
    spin_unlock(&rw->inner);
}

static void write_lock(struct rwlock *rw, const struct lock_taker *taker) NO_THREAD_SAFETY_ANALYSIS
{
    assert_may_sleep(rw->inner.name);
    lock_rank_check(taker);
    spin_lock(&rw->inner);
    if (!rw->writer && rw->readers == 0)
        rw->writer = thread_current();
    else
        (void)waitq_sleep(&rw->write_waiters, &rw->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    ASSERT(rw->writer == thread_current());
    spin_unlock(&rw->inner);
    lock_rank_acquire(taker);
}

void rwlock_write(struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    const struct lock_taker taker = TAKER(rw);
    write_lock(rw, &taker);
}

void rwlock_write_nested(struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    struct lock_taker taker = TAKER(rw);
    taker.nested = true;
    write_lock(rw, &taker);
}

/* Readers that came while the writer was in go first, all together; then the next writer. */
void rwlock_write_done(struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    lock_rank_release(rw);
    spin_lock(&rw->inner);
    ASSERT(rw->writer == thread_current());
    rw->writer = NULL;
    if (waitq_empty(&rw->read_waiters))
        pass_to_writer(rw);
    else
        while (waitq_wake_one(&rw->read_waiters))
            rw->readers++;
    spin_unlock(&rw->inner);
}

void rwlock_assert_write(const struct rwlock *rw) NO_THREAD_SAFETY_ANALYSIS
{
    DEBUG_ASSERT(__atomic_load_n(&rw->writer, __ATOMIC_RELAXED) == thread_current());
}
