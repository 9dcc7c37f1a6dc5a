/* The supervisor: keeps workers running, kills them at random, and looks after the machine from
 * time to time.  It forks nothing and allocates nothing while workers run, so that it needs no
 * memory when they have taken it all: a worker starts with vfork and exec. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "quiet.h"

#define TICK_MS     5
#define KILL_ONE_IN 12    /* ticks, of a random worker */
#define STALL_MS    400   /* a worker that makes no call for as long is killed */
#define END_MS      30000 /* a killed one must be gone after */
#define ROUND_MS    4000  /* between two looks at the quiet machine */
#define START_MS    60000 /* some worker must have started within */

struct worker {
    pid_t pid; /* 0: none */
    unsigned lives;
    uint64_t calls; /* of its tally, when last seen */
    long moved_ms;  /* when that changed */
    long killed_ms; /* 0: not killed */
};

static struct worker workers[PROCESSES_MAX];
static struct tally *tallies[PROCESSES_MAX];
static struct fuzz own; /* random numbers */
static uint64_t seed, total, odd_tallies;
static unsigned nworkers, kills, starts, stalls, rounds;

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&ts, NULL);
}

static int tallies_make(void)
{
    int fd = memfd_create("tallies", 0);

    if (fd < 0 || dup2(fd, 3) < 0 || ftruncate(3, (off_t)(nworkers * PAGE_BYTES)) < 0)
        return -1;
    if (fd != 3)
        close(fd);
    for (unsigned i = 0; i < nworkers; i++) {
        tallies[i] = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, 3,
                          (off_t)(i * PAGE_BYTES));
        if (tallies[i] == MAP_FAILED)
            return -1;
    }
    return 0;
}

/* A quarter of the workers is root; the others are two users. */
static unsigned worker_user(unsigned slot)
{
    return slot % 4 == 3 ? 0 : 1000 + slot % 2;
}

/* Without memory there is no worker now; the next tick tries again. */
static void worker_start(unsigned slot)
{
    static char slot_text[12], seed_text[24], user_text[12];
    static char *argv[] = {FUZZ_PROGRAM, "-w", slot_text, seed_text, user_text, NULL};
    struct worker *w = &workers[slot];
    pid_t pid;

    w->lives++;
    snprintf(slot_text, sizeof(slot_text), "%u", slot);
    snprintf(seed_text, sizeof(seed_text), "%llu",
             (unsigned long long)(seed * 1000003 + slot * 100003 + w->lives) & 0xffffffffffff);
    snprintf(user_text, sizeof(user_text), "%u", worker_user(slot));
    pid = vfork();
    if (pid == 0) {
        static char *const no_environment[] = {NULL};
        int null = open("/dev/null", O_RDWR);

        if (null < 0)
            _exit(1);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        execve(FUZZ_PROGRAM, argv, no_environment);
        _exit(1);
    }
    if (pid < 0)
        return;
    starts++;
    w->pid = pid;
    w->killed_ms = 0;
    w->moved_ms = now_ms();
}

/* A call may have written on the tally: what cannot be is not counted. */
static void worker_count(unsigned slot)
{
    struct worker *w = &workers[slot];
    uint64_t calls = __atomic_load_n(&tallies[slot]->calls, __ATOMIC_RELAXED);

    if (calls == w->calls)
        return;
    w->moved_ms = now_ms();
    if (calls > w->calls && calls - w->calls < 10000000)
        total += calls - w->calls;
    else
        odd_tallies++;
    w->calls = calls;
}

static void worker_kill(unsigned slot)
{
    struct worker *w = &workers[slot];

    if (!w->pid || w->killed_ms)
        return;
    kills++;
    w->killed_ms = now_ms();
    if (random_next(&own) % 2) /* its children too, as far as they are still its group */
        kill(-w->pid, SIGKILL);
    kill(w->pid, SIGKILL);
}

static void workers_reap(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (unsigned i = 0; i < nworkers; i++)
            if (workers[i].pid == pid)
                workers[i].pid = 0;
}

/* 0, or 1 when a killed worker does not end. */
static int workers_tend(bool restart)
{
    workers_reap();
    for (unsigned i = 0; i < nworkers; i++) {
        struct worker *w = &workers[i];

        worker_count(i);
        if (!w->pid && restart)
            worker_start(i);
        if (w->pid && !w->killed_ms && now_ms() - w->moved_ms > STALL_MS) {
            stalls++;
            worker_kill(i);
        }
        if (w->pid && w->killed_ms && now_ms() - w->killed_ms > END_MS) {
            dprintf(STDERR_FILENO, "fuzz: worker %d was killed and does not end\n", (int)w->pid);
            return 1;
        }
    }
    return 0;
}

/* Ends everybody but init, and waits until they are gone. */
static int everybody_ends(void)
{
    long end_ms = now_ms() + END_MS;

    while (kill(-1, SIGKILL) == 0 || errno != ESRCH) {
        workers_reap();
        if (now_ms() > end_ms) {
            dprintf(STDERR_FILENO, "fuzz: some process was killed and does not end\n");
            return 1;
        }
        sleep_ms(1);
    }
    return workers_tend(false);
}

/* One round: workers come and go, then the machine is quiet and looked at. */
static int round_run(uint64_t calls, long start_free_kb)
{
    long end_ms = now_ms() + ROUND_MS;

    while (total < calls && now_ms() < end_ms) {
        if (workers_tend(true))
            return 1;
        if (random_next(&own) % KILL_ONE_IN == 0)
            worker_kill((unsigned)(random_next(&own) % nworkers));
        sleep_ms(TICK_MS);
    }
    rounds++;
    return everybody_ends() || quiet_check(start_free_kb) ? 1 : 0;
}

/* Brings in all the program has, and makes it its own, so that it needs no memory from now on. */
static void settle(void)
{
    const Elf64_Phdr *segment = (const Elf64_Phdr *)getauxval(AT_PHDR);
    volatile char stack[16 * PAGE_BYTES];

    for (unsigned long n = getauxval(AT_PHNUM); n > 0; n--, segment++) {
        uintptr_t end = segment->p_vaddr + segment->p_memsz;

        if (segment->p_type != PT_LOAD)
            continue;
        mlock((void *)segment->p_vaddr, segment->p_memsz);
        for (uintptr_t p = segment->p_vaddr & ~(PAGE_BYTES - 1);
             (segment->p_flags & PF_W) && p < end; p += PAGE_BYTES)
            __asm__ volatile("lock addb $0, (%0)" : : "r"(p) : "memory", "cc");
    }
    for (size_t i = 0; i < sizeof(stack); i += PAGE_BYTES)
        stack[i] = 0;
}

int supervise(uint64_t the_seed, uint64_t calls, unsigned processes)
{
    long free_kb, last_ms = now_ms();
    uint64_t last = 0;
    int failed = 0;

    settle();
    seed = the_seed;
    own.random = seed * 0x9e3779b97f4a7c15ull | 1;
    nworkers = processes;
    dprintf(STDOUT_FILENO, "fuzz: seed %llu, %u processes, %llu calls\n", (unsigned long long)seed,
            processes, (unsigned long long)calls);
    if (tallies_make() || quiet_prepare()) {
        dprintf(STDERR_FILENO, "fuzz: cannot start: %s\n", strerror(errno));
        return 1;
    }
    free_kb = quiet_free_kb();
    while (!failed && total < calls) {
        failed = round_run(calls, free_kb);
        if (total != last)
            last_ms = now_ms();
        else if (now_ms() - last_ms > START_MS)
            failed = dprintf(STDERR_FILENO, "fuzz: no call was made for a minute\n");
        last = total;
    }
    dprintf(STDOUT_FILENO,
            "fuzz: %llu calls, %u lives, %u kills, %u stalls, %u rounds, %llu odd tallies\n",
            (unsigned long long)total, starts, kills, stalls, rounds,
            (unsigned long long)odd_tallies);
    return failed ? 1 : 0;
}
