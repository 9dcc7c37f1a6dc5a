/* Threads of one process, as musl's pthreads use the kernel. */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "threads.h"

static void *twice(void *arg)
{
    return (void *)((long)arg * 2);
}

static void case_create_and_join(void)
{
    pthread_t t[8];

    for (long round = 0; round < 10; round++) {
        for (long i = 0; i < 8; i++)
            t[i] = thread_new(twice, (void *)(round + i));
        for (long i = 0; i < 8; i++)
            CHECK_EQ(thread_end(t[i]), (round + i) * 2);
    }
}

static sem_t detached_done;

static void *detached(void *arg)
{
    CHECK_THR(pthread_detach(pthread_self()), 0);
    sem_post(&detached_done);
    return arg;
}

static void case_detached(void)
{
    pthread_attr_t attr;
    pthread_t t;

    CHECK_OK(sem_init(&detached_done, 0, 0));
    CHECK_THR(pthread_attr_init(&attr), 0);
    CHECK_THR(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    for (unsigned i = 0; i < 20; i++) {
        if (i % 2)
            thread_new(detached, NULL);
        else
            CHECK_THR(pthread_create(&t, &attr, (void *(*)(void *))sem_post, &detached_done), 0);
        CHECK_OK(sem_wait(&detached_done));
    }
}

/* One process, many thread ids; the first thread's is the process's. */
static void *tid_of(void *arg)
{
    CHECK_EQ(getpid(), (long)arg);
    return (void *)syscall(SYS_gettid);
}

static void case_ids(void)
{
    long a, b;

    CHECK_EQ(syscall(SYS_gettid), getpid());
    a = (long)thread_end(thread_new(tid_of, (void *)(long)getpid()));
    b = (long)thread_end(thread_new(tid_of, (void *)(long)getpid()));
    CHECK(a != getpid() && b != getpid(), "a thread has its process's id");
    CHECK_ERRNO(syscall(SYS_tgkill, getpid(), a, 0), ESRCH);
}

#define ADDERS 6
#define ADDS   2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile long total;

static void *adder(void *arg)
{
    for (unsigned i = 0; i < ADDS; i++) {
        long was;

        CHECK_THR(pthread_mutex_lock(&mutex), 0);
        was = total;
        if (i % 64 == 0)
            sched_yield();
        total = was + 1;
        CHECK_THR(pthread_mutex_unlock(&mutex), 0);
    }
    return arg;
}

static void case_mutex(void)
{
    pthread_t t[ADDERS];

    for (unsigned i = 0; i < ADDERS; i++)
        t[i] = thread_new(adder, NULL);
    for (unsigned i = 0; i < ADDERS; i++)
        thread_end(t[i]);
    CHECK_EQ(total, ADDERS * ADDS);
}

static void case_mutex_timed(void)
{
    struct timespec end = thread_deadline(CLOCK_REALTIME, 20);
    pthread_mutexattr_t attr;
    pthread_mutex_t checking;

    CHECK_THR(pthread_mutexattr_init(&attr), 0);
    CHECK_THR(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK), 0);
    CHECK_THR(pthread_mutex_init(&checking, &attr), 0);
    CHECK_THR(pthread_mutex_lock(&checking), 0);
    CHECK_THR(pthread_mutex_lock(&checking), EDEADLK);
    CHECK_THR(pthread_mutex_lock(&mutex), 0);
    CHECK_THR(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_THR(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT);
}

/* A queue of one place: every number arrives, once and in order. */
#define ITEMS 500

static pthread_cond_t put_cond = PTHREAD_COND_INITIALIZER, got_cond = PTHREAD_COND_INITIALIZER;
static int place, sum, sent_all;

static void *taker(void *arg)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (!place && !sent_all)
            CHECK_THR(pthread_cond_wait(&put_cond, &mutex), 0);
        sum += place;
        if (!place && sent_all) {
            pthread_mutex_unlock(&mutex);
            return arg;
        }
        place = 0;
        pthread_cond_signal(&got_cond);
        pthread_mutex_unlock(&mutex);
    }
}

static void case_condition(void)
{
    pthread_t t[3];

    for (unsigned i = 0; i < 3; i++)
        t[i] = thread_new(taker, NULL);
    for (int i = 1; i <= ITEMS; i++) {
        pthread_mutex_lock(&mutex);
        while (place)
            CHECK_THR(pthread_cond_wait(&got_cond, &mutex), 0);
        place = i;
        pthread_cond_signal(&put_cond);
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    sent_all = 1;
    pthread_cond_broadcast(&put_cond); /* musl moves the waiters to the mutex: FUTEX_REQUEUE */
    pthread_mutex_unlock(&mutex);
    for (unsigned i = 0; i < 3; i++)
        thread_end(t[i]);
    CHECK_EQ(sum, ITEMS * (ITEMS + 1) / 2);
}

static void case_condition_timed(void)
{
    struct timespec end = thread_deadline(CLOCK_REALTIME, 20);

    pthread_mutex_lock(&mutex);
    CHECK_THR(pthread_cond_timedwait(&put_cond, &mutex, &end), ETIMEDOUT);
    CHECK_THR(pthread_mutex_trylock(&mutex), EBUSY);
}

static pthread_barrier_t barrier;
static volatile unsigned phase_count[50];

static void *walker(void *arg)
{
    long serial = 0;

    for (unsigned i = 0; i < 50; i++) {
        int r;

        __atomic_fetch_add(&phase_count[i], 1, __ATOMIC_SEQ_CST);
        r = pthread_barrier_wait(&barrier);
        serial += r == PTHREAD_BARRIER_SERIAL_THREAD;
        CHECK(phase_count[i] == 4, "only %u of 4 came to barrier %u", phase_count[i], i);
    }
    (void)arg;
    return (void *)serial;
}

static void case_barrier(void)
{
    pthread_t t[4];
    long serial = 0;

    CHECK_THR(pthread_barrier_init(&barrier, NULL, 4), 0);
    for (unsigned i = 0; i < 4; i++)
        t[i] = thread_new(walker, NULL);
    for (unsigned i = 0; i < 4; i++)
        serial += (long)thread_end(t[i]);
    CHECK_EQ(serial, 50);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long pair[2];

static void *rw_user(void *arg)
{
    for (unsigned i = 0; i < 300; i++) {
        if (i % 4 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            pair[0]++;
            if (i % 16 == 0)
                sched_yield();
            pair[1]++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            CHECK_EQ(pair[0], pair[1]);
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return arg;
}

static void case_rwlock(void)
{
    pthread_t t[4];

    for (unsigned i = 0; i < 4; i++)
        t[i] = thread_new(rw_user, NULL);
    for (unsigned i = 0; i < 4; i++)
        thread_end(t[i]);
    CHECK_EQ(pair[0], 4 * 75);
}

static __thread long local = 7;
static pthread_key_t key;
static unsigned destroyed;

static void key_destroyed(void *value)
{
    CHECK_EQ(*(long *)value, 9);
    __atomic_fetch_add(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *local_user(void *arg)
{
    long mine = 9;

    CHECK_EQ(local, 7);
    local = (long)arg;
    CHECK_THR(pthread_setspecific(key, &mine), 0);
    errno = (int)(long)arg;
    for (unsigned i = 0; i < 50; i++) {
        sched_yield();
        CHECK_EQ(local, (long)arg);
        CHECK_EQ(errno, (long)arg);
    }
    pthread_exit(NULL);
}

static void case_thread_local(void)
{
    pthread_t t[6];

    CHECK_THR(pthread_key_create(&key, key_destroyed), 0);
    for (long i = 0; i < 6; i++)
        t[i] = thread_new(local_user, (void *)(100 + i));
    for (unsigned i = 0; i < 6; i++)
        thread_end(t[i]);
    CHECK_EQ(local, 7);
    CHECK_EQ(destroyed, 6);
}

static int cancel_pipe[2];
static unsigned cleaned;

static void clean(void *arg)
{
    (void)arg;
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void *blocked_reader(void *arg)
{
    char c;

    pthread_cleanup_push(clean, NULL);
    (void)!read(cancel_pipe[0], &c, 1);
    pthread_cleanup_pop(0);
    return arg;
}

static void *blocked_waiter(void *arg)
{
    pthread_cleanup_push(clean, NULL);
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &mutex);
    for (;;)
        pthread_cond_wait(&put_cond, &mutex);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void case_cancel(void)
{
    CHECK_OK(pipe(cancel_pipe));
    for (unsigned i = 0; i < 10; i++) {
        pthread_t t = thread_new(i % 2 ? blocked_reader : blocked_waiter, NULL);

        if (i % 3)
            sched_yield(); /* it may sleep already, or not have run yet */
        CHECK_THR(pthread_cancel(t), 0);
        CHECK(thread_end(t) == PTHREAD_CANCELED, "a cancelled thread came back");
    }
    CHECK_THR(pthread_mutex_trylock(&mutex), 0);
}

static void *crowd_member(void *arg)
{
    sem_post(&detached_done);
    pthread_mutex_lock(&mutex);
    total += (long)arg;
    pthread_mutex_unlock(&mutex);
    return arg;
}

static void case_hundred_threads(void)
{
    static pthread_t t[100];

    CHECK_OK(sem_init(&detached_done, 0, 0));
    pthread_mutex_lock(&mutex);
    for (long i = 0; i < 100; i++)
        t[i] = thread_new(crowd_member, (void *)i);
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(sem_wait(&detached_done));
    pthread_mutex_unlock(&mutex);
    for (long i = 0; i < 100; i++)
        CHECK_EQ(thread_end(t[i]), i);
    CHECK_EQ(total, 99 * 100 / 2);
}

/* What is neither a thread as pthread_create makes it, nor a process as fork and vfork do. */
static void case_clone_refuses(void)
{
    static const unsigned long thread =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    static const unsigned long none[] = {
        CLONE_THREAD,
        thread & ~CLONE_VM,
        thread & ~CLONE_FS,
        thread & ~CLONE_FILES,
        thread & ~CLONE_SIGHAND,
        thread | CLONE_VFORK,
        CLONE_FS | SIGCHLD,
        CLONE_VM | CLONE_SIGHAND | SIGCHLD,
        CLONE_PTRACE | SIGCHLD,
        CLONE_NEWPID | SIGCHLD,
        CLONE_UNTRACED | SIGCHLD,
        100, /* no signal */
    };

    for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        CHECK_EQ(shoal_syscall(SYS_clone, (long)none[i], 0, 0, 0), -EINVAL);
}

int main(void)
{
    RUN(case_create_and_join);
    RUN(case_detached);
    RUN(case_ids);
    RUN(case_mutex);
    RUN(case_mutex_timed);
    RUN(case_condition);
    RUN(case_condition_timed);
    RUN(case_barrier);
    RUN(case_rwlock);
    RUN(case_thread_local);
    RUN(case_cancel);
    RUN(case_hundred_threads);
    RUN(case_clone_refuses);
    return check_done();
}
