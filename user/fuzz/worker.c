/* A worker: three threads that make calls, each for ever. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define ALARM_US      60000 /* what sleeps for longer is woken */
#define REARM_TURNS   128   /* the calls themselves undo it */
#define CHILD_TURNS   48
#define PROGRAM_TURNS 16
#define TALLY_FD      3

struct area areas[AREAS];

static __thread sigjmp_buf touch_back;
static __thread volatile bool touching;
static volatile int thread_ids[THREADS];

long fuzz_call(struct fuzz *f, long nr, const long a[6])
{
    long result;
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];

    __atomic_fetch_add(f->calls, 1, __ATOMIC_RELAXED);
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

void area_add(struct fuzz *f, long beg, size_t bytes)
{
    struct area *a = area_pick(f), old = *a;

    if (beg < 0 && beg > -4096)
        return;
    a->bytes = bytes;
    a->beg = (uintptr_t)beg;
    if (old.bytes)
        CALL(f, SYS_munmap, (long)old.beg, (long)old.bytes);
}

static void on_fault(int sig)
{
    if (touching)
        siglongjmp(touch_back, 1);
    _exit(sig);
}

static void alarm_set(void)
{
    struct itimerval once = {{0, 0}, {0, ALARM_US}};

    setitimer(ITIMER_REAL, &once, NULL);
}

/* What sleeps in the other threads is woken too.  The next alarm is set here and not by an
 * interval, so that a slow machine does not spend all its time on alarms. */
static void on_alarm(int sig)
{
    int self = (int)syscall(SYS_gettid);

    if (sig != SIGALRM)
        return;
    for (unsigned i = 0; i < THREADS; i++)
        if (thread_ids[i] && thread_ids[i] != self)
            syscall(SYS_tgkill, getpid(), thread_ids[i], SIGUSR1);
    alarm_set();
}

/* Handlers, and the alarm that ends what sleeps too long. */
static void thread_arm(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS};
    struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    sigset_t none;

    for (unsigned i = 0; i < 2; i++)
        sigaction(faults[i], &sa, NULL);
    sa.sa_handler = on_alarm;
    sa.sa_flags = 0;
    sigaction(SIGALRM, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    alarm_set();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void touch(struct fuzz *f, uintptr_t addr, bool write)
{
    if (sigsetjmp(touch_back, 0) == 0) {
        touching = true;
        if (write)
            *(volatile unsigned char *)addr = (unsigned char)f->turn;
        else
            (void)*(volatile unsigned char *)addr;
    }
    touching = false;
}

void touch_area(struct fuzz *f, const struct area *a)
{
    size_t pages = a->bytes / PAGE_BYTES;

    if (pages == 0 || pages > 1ul << 30)
        return;
    for (unsigned i = 0; i < 8; i++)
        touch(f, a->beg + random_below(f, pages) * PAGE_BYTES + random_below(f, PAGE_BYTES),
              one_in(f, 2));
}

static void step(struct fuzz *f)
{
    static const struct {
        step_fn *run;
        unsigned weight;
    } steps[] = {
        {hostile_call, 480}, {step_region, 40},   {step_region_lock, 24}, {step_region_end, 12},
        {step_sysv, 24},     {step_numbered, 24}, {step_shm_file, 24},    {step_memory, 40},
        {step_remap, 24},    {step_touch, 80},    {step_hog, 1},          {step_files, 24},
        {step_names, 16},    {step_pipes, 16},    {step_proc, 8},         {step_fork, 3},
        {step_vfork, 2},     {step_clone, 3},     {step_exec, 1},         {step_wait, 8},
        {step_signals, 8},   {step_futex, 16},    {step_failing, 16},
    };
    unsigned long all = 0, at;
    unsigned i = 0;

    for (unsigned k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
        all += steps[k].weight;
    at = random_below(f, all);
    while (at >= steps[i].weight)
        at -= steps[i++].weight;
    if (f->turn++ % REARM_TURNS == 0)
        thread_arm();
    steps[i].run(f);
}

/* A thread's own memory: stack, a page without access, one read only, those for arguments, and one
 * without access. */
#define STACK_PAGES  16
#define THREAD_PAGES (STACK_PAGES + 1 + 1 + SCRATCH_PAGES + 1)

/* The kernel maps downwards: below all that is the program's own, a gap that what is longer than
 * its area runs into. */
#define GAP_PAGES 64

static unsigned char *memory_new(unsigned threads)
{
    size_t pages = GAP_PAGES + threads * THREAD_PAGES;
    unsigned char *p = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        _exit(2);
    mprotect(p, GAP_PAGES * PAGE_BYTES, PROT_NONE);
    p += GAP_PAGES * PAGE_BYTES;
    for (unsigned char *end = p + threads * THREAD_PAGES * PAGE_BYTES, *at = p; at < end;
         at += THREAD_PAGES * PAGE_BYTES) {
        mprotect(at + STACK_PAGES * PAGE_BYTES, PAGE_BYTES, PROT_NONE);
        mprotect(at + (STACK_PAGES + 1) * PAGE_BYTES, PAGE_BYTES, PROT_READ);
        mprotect(at + (THREAD_PAGES - 1) * PAGE_BYTES, PAGE_BYTES, PROT_NONE);
    }
    return p;
}

void child_run(struct fuzz *f)
{
    f->depth++;
    for (unsigned i = 0; i < THREADS; i++)
        thread_ids[i] = 0;
    thread_arm();
    for (unsigned n = (unsigned)random_below(f, CHILD_TURNS); n > 0; n--)
        step(f);
    for (;;)
        CALL(f, SYS_exit_group, (long)random_below(f, 4));
}

struct start {
    struct fuzz f;
    unsigned index;
    unsigned char *memory;
};

static void *thread_main(void *arg)
{
    struct start *s = arg;
    struct fuzz f = s->f;

    f.scratch = s->memory + (STACK_PAGES + 2) * PAGE_BYTES;
    thread_ids[s->index] = (int)syscall(SYS_gettid);
    for (;;)
        step(&f);
    return NULL;
}

/* "-w SLOT SEED USER": the tally's page SLOT is behind descriptor 3; USER 0 stays root. */
void worker_main(char **argv)
{
    static struct start starts[THREADS];
    unsigned slot = (unsigned)atoi(argv[0]);
    uint64_t seed = strtoull(argv[1], NULL, 0);
    uid_t user = (uid_t)atoi(argv[2]);
    struct tally *tally = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, TALLY_FD,
                               (off_t)(slot * PAGE_BYTES));
    unsigned char *memory;
    pthread_attr_t attr;
    pthread_t thread;

    if (tally == MAP_FAILED)
        _exit(2);
    close(TALLY_FD);
    setpgid(0, 0);
    umask(0); /* what one makes, others find */
    if (chdir(FUZZ_DIR) < 0 || (user && (setgid(user) < 0 || setuid(user) < 0)))
        _exit(2);
    table_init();
    memory = memory_new(THREADS);
    pthread_attr_init(&attr);
    for (unsigned i = THREADS; i-- > 0;) {
        starts[i].index = i;
        starts[i].memory = memory + i * THREAD_PAGES * PAGE_BYTES;
        pthread_attr_setstack(&attr, starts[i].memory, STACK_PAGES * PAGE_BYTES);
        starts[i].f = (struct fuzz){.random = (seed + i) * 0x9e3779b97f4a7c15ull | 1,
                                    .calls = &tally->calls,
                                    .root = user == 0};
        if (i > 0 && pthread_create(&thread, &attr, thread_main, &starts[i]) != 0)
            _exit(2);
    }
    thread_main(&starts[0]);
    _exit(2);
}

/* "-x SEED": what a child of a worker execs.  Its calls are not counted. */
void program_main(char **argv)
{
    static uint64_t calls;
    uid_t real, effective, saved;
    struct fuzz f = {.random = strtoull(argv[0], NULL, 0) | 1, .calls = &calls, .depth = 2};

    getresuid(&real, &effective, &saved);
    f.root = real == 0 || effective == 0 || saved == 0;
    f.scratch = memory_new(1) + (STACK_PAGES + 2) * PAGE_BYTES;
    table_init();
    thread_arm();
    for (unsigned i = 0; i < PROGRAM_TURNS; i++)
        step(&f);
    _exit(0);
}
