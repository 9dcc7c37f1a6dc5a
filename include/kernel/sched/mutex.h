/* Sleeping locks, first come first served. */
#pragma once

#include <kernel/sched/waitq.h>

/* i inner   c constant */
struct CAPABILITY("mutex") mutex {
    struct spinlock inner; /* has the lock's name */
    struct thread *owner;  /* i */
    struct waitq waiters;  /* i */
    enum lock_rank rank;   /* c */
};

void mutex_init(struct mutex *m, const char *name, enum lock_rank rank);
void mutex_lock(struct mutex *m) ACQUIRE(*m);
void mutex_unlock(struct mutex *m) RELEASE(*m);
bool mutex_held(const struct mutex *m); /* by the current thread */

/* Many readers or one writer; a waiting writer holds up readers that come later, so readers do not
 * nest. */
struct CAPABILITY("rwlock") rwlock {
    struct spinlock inner;      /* has the lock's name */
    unsigned readers;           /* i  active */
    struct thread *writer;      /* i  active */
    struct waitq read_waiters;  /* i */
    struct waitq write_waiters; /* i */
    enum lock_rank rank;        /* c */
};

void rwlock_init(struct rwlock *rw, const char *name, enum lock_rank rank);
void rwlock_read(struct rwlock *rw) ACQUIRE_READ(*rw);
void rwlock_read_done(struct rwlock *rw) RELEASE_READ(*rw);
void rwlock_write(struct rwlock *rw) ACQUIRE(*rw);
void rwlock_write_nested(struct rwlock *rw)
    ACQUIRE(*rw); /* a second lock of the same rank: fork's child, which nobody else knows */
void rwlock_write_done(struct rwlock *rw) RELEASE(*rw);
void rwlock_assert_write(const struct rwlock *rw) ASSERTS_HELD(*rw); /* panics in debug builds */
