/* U2: musl's process-shared and robust synchronization, in a named region. */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE     4096ul
#define CHILDREN 4
#define ROUNDS   200

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    pthread_rwlock_t rwlock;
    sem_t sem;
    long a, b;
};

static struct shared *shared_new(int robust)
{
    struct shared *s = region_new("sync", PAGE);
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    pthread_barrierattr_t barrier;
    pthread_rwlockattr_t rwlock;

    CHECK_THR(pthread_mutexattr_init(&mutex), 0);
    CHECK_THR(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED), 0);
    CHECK_THR(pthread_mutexattr_setrobust(&mutex, robust), 0);
    CHECK_THR(pthread_mutex_init(&s->mutex, &mutex), 0);
    CHECK_THR(pthread_condattr_init(&cond), 0);
    CHECK_THR(pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED), 0);
    CHECK_THR(pthread_cond_init(&s->cond, &cond), 0);
    CHECK_THR(pthread_barrierattr_init(&barrier), 0);
    CHECK_THR(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED), 0);
    CHECK_THR(pthread_barrier_init(&s->barrier, &barrier, CHILDREN), 0);
    CHECK_THR(pthread_rwlockattr_init(&rwlock), 0);
    CHECK_THR(pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED), 0);
    CHECK_THR(pthread_rwlock_init(&s->rwlock, &rwlock), 0);
    CHECK_OK(sem_init(&s->sem, 1, 0));
    return s;
}

/* The child's own mapping, at another address than the parent's. */
static struct shared *shared_open(void)
{
    return region_map("sync");
}

static void run_children(child_fn *fn)
{
    pid_t pids[CHILDREN];

    for (long i = 0; i < CHILDREN; i++)
        pids[i] = child_start(fn, (void *)i);
    for (unsigned i = 0; i < CHILDREN; i++)
        CHILD_EXITS(pids[i], 0);
}

static void mutex_user(void *arg)
{
    struct shared *s = shared_open();

    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_THR(pthread_mutex_lock(&s->mutex), 0);
        s->a++;
        if (i % 8 == 0)
            sched_yield();
        s->b++;
        CHECK_EQ(s->a, s->b);
        CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
    }
}

static void case_mutex(void)
{
    struct shared *s = shared_new(PTHREAD_MUTEX_STALLED);

    run_children(mutex_user);
    CHECK_EQ(s->a, CHILDREN * ROUNDS);
}

static void turn_taker(void *arg)
{
    struct shared *s = shared_open();

    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        CHECK_THR(pthread_mutex_lock(&s->mutex), 0);
        while (s->a % CHILDREN != (long)arg)
            CHECK_THR(pthread_cond_wait(&s->cond, &s->mutex), 0);
        s->a++;
        CHECK_THR(pthread_cond_broadcast(&s->cond), 0);
        CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
    }
}

static void case_condition(void)
{
    struct shared *s = shared_new(PTHREAD_MUTEX_STALLED);

    run_children(turn_taker);
    CHECK_EQ(s->a, CHILDREN * (ROUNDS / 4));
}

static void barrier_user(void *arg)
{
    struct shared *s = shared_open();

    (void)arg;
    for (long i = 1; i <= 20; i++) {
        __atomic_fetch_add(&s->a, 1, __ATOMIC_SEQ_CST);
        CHECK(pthread_barrier_wait(&s->barrier) <= 0, "U2: barrier");
        CHECK_EQ(s->a, i * CHILDREN);
        CHECK(pthread_barrier_wait(&s->barrier) <= 0, "U2: barrier");
    }
}

static void case_barrier(void)
{
    shared_new(PTHREAD_MUTEX_STALLED);
    run_children(barrier_user);
}

static void rwlock_user(void *arg)
{
    struct shared *s = shared_open();

    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % 4 == 0) {
            CHECK_THR(pthread_rwlock_wrlock(&s->rwlock), 0);
            s->a++;
            if (i % 16 == 0)
                sched_yield();
            s->b++;
        } else {
            CHECK_THR(pthread_rwlock_rdlock(&s->rwlock), 0);
            CHECK_EQ(s->a, s->b);
        }
        CHECK_THR(pthread_rwlock_unlock(&s->rwlock), 0);
    }
}

static void case_rwlock(void)
{
    struct shared *s = shared_new(PTHREAD_MUTEX_STALLED);

    run_children(rwlock_user);
    CHECK_EQ(s->a, CHILDREN * ROUNDS / 4);
}

static void sem_taker(void *arg)
{
    struct shared *s = shared_open();

    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_OK(sem_wait(&s->sem));
        __atomic_fetch_add(&s->a, 1, __ATOMIC_SEQ_CST);
    }
}

static void case_semaphore(void)
{
    struct shared *s = shared_new(PTHREAD_MUTEX_STALLED);
    struct timespec end = thread_deadline(CLOCK_REALTIME, 10);
    pid_t pids[2];

    CHECK_ERRNO(sem_trywait(&s->sem), EAGAIN);
    CHECK_ERRNO(sem_timedwait(&s->sem, &end), ETIMEDOUT);
    for (unsigned i = 0; i < 2; i++)
        pids[i] = child_start(sem_taker, NULL);
    for (unsigned i = 0; i < 2 * ROUNDS; i++)
        CHECK_OK(sem_post(&s->sem));
    CHILD_EXITS(pids[0], 0);
    CHILD_EXITS(pids[1], 0);
    CHECK_EQ(s->a, 2 * ROUNDS);
}

static void die_with_mutex(void *arg)
{
    struct shared *s = shared_open();

    CHECK_THR(pthread_mutex_lock(&s->mutex), 0);
    s->a = 1;
    if (arg)
        kill(getpid(), SIGKILL);
    _exit(0);
}

/* The next holder is told, repairs, and all is as before; whoever gives up makes it useless. */
static void case_robust(void)
{
    struct shared *s = shared_new(PTHREAD_MUTEX_ROBUST);

    for (unsigned round = 0; round < 6; round++) {
        if (round % 2)
            MUST_DIE(die_with_mutex, (void *)1, SIGKILL);
        else
            MUST_EXIT(die_with_mutex, NULL, 0);
        CHECK_THR(round % 3 ? pthread_mutex_lock(&s->mutex) : pthread_mutex_trylock(&s->mutex),
                  EOWNERDEAD);
        CHECK_EQ(s->a, 1);
        s->a = 0;
        CHECK_THR(pthread_mutex_consistent(&s->mutex), 0);
        CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
    }
    CHECK_THR(pthread_mutex_lock(&s->mutex), 0);
    CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
    MUST_EXIT(die_with_mutex, NULL, 0);
    CHECK_THR(pthread_mutex_lock(&s->mutex), EOWNERDEAD);
    CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
    CHECK_THR(pthread_mutex_lock(&s->mutex), ENOTRECOVERABLE);
}

static void hold_and_wait(void *arg)
{
    struct shared *s = shared_open();

    CHECK_THR(pthread_mutex_lock(&s->mutex), 0);
    gate_open(arg, 1);
    for (;;)
        pause();
}

static void heir(void *arg)
{
    struct shared *s = shared_open();

    gate_open(arg, 1);
    CHECK_THR(pthread_mutex_lock(&s->mutex), EOWNERDEAD);
    CHECK_THR(pthread_mutex_consistent(&s->mutex), 0);
    CHECK_THR(pthread_mutex_unlock(&s->mutex), 0);
}

/* Killed while another sleeps for it, or is about to. */
static void case_robust_waiter(void)
{
    shared_new(PTHREAD_MUTEX_ROBUST);
    for (unsigned round = 0; round < 10; round++) {
        struct gate g = gate_make();
        pid_t owner = child_start(hold_and_wait, &g), next;

        gate_pass(&g);
        next = child_start(heir, &g);
        gate_pass(&g);
        if (round % 2)
            check_sleep_ms(2); /* most often it sleeps by then */
        child_kill(owner);
        CHILD_EXITS(next, 0);
        close(g.fd[0]);
        close(g.fd[1]);
    }
}

int main(void)
{
    RUN(case_mutex);
    RUN(case_condition);
    RUN(case_barrier);
    RUN(case_rwlock);
    RUN(case_semaphore);
    RUN(case_robust);
    RUN(case_robust_waiter);
    return check_done();
}
