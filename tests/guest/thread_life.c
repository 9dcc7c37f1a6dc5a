/* Threads and what concerns their whole process: exit, exec, fork, kill, signals. */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

static struct gate started;

/* Never ends by itself; every way of waiting is one of these. */
static void *busy(void *arg)
{
    gate_open(&started, 1);
    for (;;)
        __asm__ volatile("pause");
    return arg;
}

static void *asleep(void *arg)
{
    gate_open(&started, 1);
    for (;;)
        pause();
    return arg;
}

static void *reader(void *arg)
{
    int fd[2];
    char c;

    CHECK_OK(pipe(fd));
    gate_open(&started, 1);
    (void)!read(fd[0], &c, 1);
    return arg;
}

static void *futex_waiter(void *arg)
{
    static sem_t never;

    gate_open(&started, 1);
    sem_wait(&never);
    return arg;
}

static void *yielder(void *arg)
{
    gate_open(&started, 1);
    for (;;)
        sched_yield();
    return arg;
}

/* Threads that do all of this, started. */
static void others_start(void)
{
    static void *(*const ways[])(void *) = {busy, asleep, reader, futex_waiter, yielder};

    for (unsigned i = 0; i < 5; i++)
        thread_new(ways[i], NULL);
    for (unsigned i = 0; i < 5; i++)
        gate_pass(&started);
}

static void return_from_main(void *arg)
{
    others_start();
    exit((int)(long)arg);
}

static void *exiter(void *arg)
{
    exit((int)(long)arg);
}

static void exit_in_a_thread(void *arg)
{
    others_start();
    thread_end(thread_new(exiter, arg));
}

static void first_thread_leaves(void *arg)
{
    others_start();
    thread_new(exiter, arg);
    pthread_exit(NULL);
}

static void *last_thread(void *arg)
{
    for (unsigned i = 0; i < 20; i++)
        sched_yield();
    return arg;
}

/* The process ends with the last thread, and then with 0.  In a program of its own: musl's list of
 * threads is not good for this after a fork. */
static _Noreturn void first_thread_leaves_alone(void)
{
    thread_new(last_thread, NULL);
    pthread_exit(NULL);
}

static void exec_leaver(void *arg)
{
    execl("/test/thread_life", "thread_life", "leave", (char *)arg);
}

static void case_exit(void)
{
    started = gate_make();
    for (unsigned round = 0; round < 5; round++) {
        MUST_EXIT(return_from_main, (void *)31, 31);
        MUST_EXIT(exit_in_a_thread, (void *)32, 32);
        MUST_EXIT(first_thread_leaves, (void *)33, 33);
        MUST_EXIT(exec_leaver, NULL, 0);
    }
}

static void *crasher(void *arg)
{
    *(volatile int *)arg = 1;
    return arg;
}

static void crash_in_a_thread(void *arg)
{
    others_start();
    thread_end(thread_new(crasher, arg));
}

static void wait_for_death(void *arg)
{
    others_start();
    __atomic_store_n((unsigned *)arg, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

/* Killed with all its threads at work, or anywhere in its start. */
static void case_death(void)
{
    unsigned *ready = region_new("ready", 4096);

    for (unsigned round = 0; round < 5; round++) {
        pid_t pid;

        started = gate_make(); /* a killed child leaves what it had opened */
        MUST_DIE(crash_in_a_thread, (void *)8, SIGSEGV);
        *ready = 0;
        pid = child_start(wait_for_death, ready);
        if (round % 2)
            WAIT_UNTIL(__atomic_load_n(ready, __ATOMIC_ACQUIRE), "the child does not start");
        child_kill(pid);
    }
}

/* The new program is alone, and has the process's id. */
static int exec_target(const char *pid_text)
{
    char line[64];
    FILE *f = fopen("/proc/self/status", "r");

    CHECK_EQ(getpid(), strtol(pid_text, NULL, 10));
    CHECK_EQ(syscall(SYS_gettid), getpid());
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "Threads:", 8))
            CHECK_EQ(strtol(line + 8, NULL, 10), 1);
    if (f)
        fclose(f);
    return 44;
}

static void *self_execer(void *arg)
{
    char pid_text[16];

    snprintf(pid_text, sizeof(pid_text), "%d", getpid());
    execl("/test/thread_life", "thread_life", "exec-target", pid_text, (char *)NULL);
    return arg;
}

static void exec_again(void *from_thread)
{
    others_start();
    if (from_thread)
        thread_end(thread_new(self_execer, NULL));
    else
        self_execer(NULL);
    _exit(45);
}

static void case_exec(void)
{
    started = gate_make();
    for (unsigned round = 0; round < 4; round++) {
        MUST_EXIT(exec_again, (void *)1, 44);
        MUST_EXIT(exec_again, NULL, 44);
    }
}

static void *many_execs(void *arg)
{
    gate_open(&started, 1);
    return self_execer(arg);
}

/* Several threads exec at once: one program runs, with 44. */
static void exec_race(void *arg)
{
    for (unsigned i = 0; i < 4; i++)
        thread_new(many_execs, arg);
    pause();
    pause();
}

static void case_exec_race(void)
{
    started = gate_make();
    for (unsigned round = 0; round < 6; round++)
        MUST_EXIT(exec_race, NULL, 44);
}

static void *forker(void *arg)
{
    volatile long *shared = arg;
    pid_t pid = fork();

    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        /* The child has this thread only, and its own memory. */
        CHECK_EQ(syscall(SYS_gettid), getpid());
        *shared += 1;
        _exit(thread_end(thread_new((void *(*)(void *))strlen, "four")) == (void *)4 ? 21 : 22);
    }
    CHILD_EXITS(pid, 21);
    return NULL;
}

static void case_fork(void)
{
    static long value;
    pthread_t t[4];

    started = gate_make();
    others_start();
    for (unsigned i = 0; i < 4; i++)
        t[i] = thread_new(forker, &value);
    for (unsigned i = 0; i < 4; i++)
        thread_end(t[i]);
    CHECK_EQ(value, 0);
}

static _Atomic long hit_tid;
static _Atomic unsigned hits;

static void on_usr1(int sig)
{
    (void)sig;
    hit_tid = syscall(SYS_gettid);
    hits++;
}

static void *signal_target(void *arg)
{
    *(_Atomic long *)arg = syscall(SYS_gettid);
    while (hits == 0)
        sched_yield();
    return NULL;
}

static void *mask_all(void *arg)
{
    sigset_t set;

    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    gate_open(&started, 1);
    while (hits == 0)
        sched_yield();
    return arg;
}

/* pthread_kill reaches one thread; kill one that does not block it. */
static void case_signals(void)
{
    struct sigaction sa = {.sa_handler = on_usr1};
    static _Atomic long tid;
    pthread_t t, masked;
    sigset_t set, old;

    started = gate_make();
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    t = thread_new(signal_target, &tid);
    WAIT_UNTIL(tid, "the thread does not start");
    CHECK_THR(pthread_kill(t, SIGUSR1), 0);
    thread_end(t);
    CHECK_EQ(hit_tid, tid);

    hits = 0;
    tid = 0;
    masked = thread_new(mask_all, NULL);
    gate_pass(&started);
    sigfillset(&set);
    t = thread_new(signal_target, &tid);
    CHECK_THR(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
    WAIT_UNTIL(tid, "the thread does not start");
    CHECK_OK(kill(getpid(), SIGUSR1));
    thread_end(t);
    thread_end(masked);
    CHECK_EQ(hit_tid, tid);
    CHECK_EQ(hits, 1);
}

/* A page taken away by one thread is gone for all, on every CPU (A6). */
static char *volatile victim;

static void *toucher(void *arg)
{
    gate_open(&started, 1);
    for (;;)
        (void)*(volatile char *)victim;
    return arg;
}

static void unmap_under_a_thread(void *arg)
{
    victim = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(victim != MAP_FAILED, "mmap: %s", strerror(errno));
    *victim = 1;
    thread_new(toucher, arg);
    gate_pass(&started);
    CHECK_OK(munmap(victim, 4096));
    for (;;)
        pause();
}

static void case_unmap(void)
{
    started = gate_make();
    for (unsigned round = 0; round < 5; round++)
        MUST_DIE(unmap_under_a_thread, NULL, SIGSEGV);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "exec-target"))
        return exec_target(argv[2]);
    if (argc == 2 && !strcmp(argv[1], "leave"))
        first_thread_leaves_alone();
    RUN(case_exit);
    RUN(case_death);
    RUN(case_exec);
    RUN(case_exec_race);
    RUN(case_fork);
    RUN(case_signals);
    RUN(case_unmap);
    return check_done();
}
