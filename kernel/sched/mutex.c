/* Sleeping locks.  A release hands the lock to the first waiter, so nobody overtakes and nobody
 * starves. */
#include <kernel/base/panic.h>
#include <kernel/sched/mutex.h>

#define CALLER_PC() ((uintptr_t)__builtin_return_address(0))

void mutex_init(struct mutex *m, const char *name, enum lock_rank rank)
{
    spin_init(&m->inner, name, RANK_SLEEPLOCK);
    m->owner = NULL;
    waitq_init(&m->waiters);
    m->rank = rank;
}

void mutex_lock(struct mutex *m)
{
    assert_may_sleep(m->inner.name);
    struct thread *self = thread_current();
    spin_lock(&m->inner);
    if (!m->owner)
        m->owner = self;
    else
        (void)waitq_sleep(&m->waiters, &m->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    ASSERT(m->owner == self);
    spin_unlock(&m->inner);
    lock_rank_acquire(m, m->inner.name, m->rank, CALLER_PC());
}

void mutex_unlock(struct mutex *m)
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

void rwlock_read(struct rwlock *rw)
{
    assert_may_sleep(rw->inner.name);
    spin_lock(&rw->inner);
    if (!rw->writer && waitq_empty(&rw->write_waiters))
        rw->readers++;
    else /* a wake means that we have been counted */
        (void)waitq_sleep(&rw->read_waiters, &rw->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    spin_unlock(&rw->inner);
    lock_rank_acquire(rw, rw->inner.name, rw->rank, CALLER_PC());
}

/* Hands the free lock to the first writer, if there is one. */
static void pass_to_writer(struct rwlock *rw)
{
    rw->writer = waitq_first(&rw->write_waiters);
    (void)waitq_wake_one(&rw->write_waiters);
}

void rwlock_read_done(struct rwlock *rw)
{
    lock_rank_release(rw);
    spin_lock(&rw->inner);
    ASSERT(rw->readers > 0);
    if (--rw->readers == 0)
        pass_to_writer(rw);
    spin_unlock(&rw->inner);
}

static void write_lock(struct rwlock *rw)
{
    assert_may_sleep(rw->inner.name);
    spin_lock(&rw->inner);
    if (!rw->writer && rw->readers == 0)
        rw->writer = thread_current();
    else
        (void)waitq_sleep(&rw->write_waiters, &rw->inner, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    ASSERT(rw->writer == thread_current());
    spin_unlock(&rw->inner);
}

void rwlock_write(struct rwlock *rw)
{
    write_lock(rw);
    lock_rank_acquire(rw, rw->inner.name, rw->rank, CALLER_PC());
}

void rwlock_write_nested(struct rwlock *rw)
{
    write_lock(rw);
    lock_rank_acquire_nested(rw, rw->inner.name, rw->rank, CALLER_PC());
}

/* Readers that came while the writer was in go first, all together; then the next writer. */
void rwlock_write_done(struct rwlock *rw)
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

bool rwlock_write_held(const struct rwlock *rw)
{
    return __atomic_load_n(&rw->writer, __ATOMIC_RELAXED) == thread_current();
}
