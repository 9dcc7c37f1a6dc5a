/* Processes that do a bit of everything (map, lock, forget to unlock, fault, fork, exec, sleep in
 * destroy), and are killed, stopped and signalled at random moments.  Checked is that each ends as
 * it must, that the kernel's invariants hold in the middle of it and at the end, and that the audit
 * finds everything back.  Arguments: the seed, and for how many milliseconds. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE       4096ul
#define PAGES      64ul
#define WORKERS    6
#define STORM_MS   1500 /* unless told */
#define WALK_TURNS 40
#define MAP_FLAGS  (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

static struct rng rng;
static const char *self;
static char *memory;
static char clone_stack[16384];

static unsigned below(unsigned n)
{
    return (unsigned)rng_below(&rng, n);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void end(pid_t pid)
{
    if (pid <= 0)
        return;
    if (below(2))
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void do_regions(void)
{
    char name[8];
    void *p;

    snprintf(name, sizeof(name), "r%u", below(4));
    switch (below(4)) {
    case 0:
        (void)createSharedRegion(name, (1 + below(8)) * PAGE, RS_DEFAULT);
        break;
    case 1:
        if (createMapping(name, &p) != ERR_OK)
            break;
        ((volatile char *)p)[0]++;
        if (below(3))
            (void)destroyMapping(name, p);
        break;
    case 2:
        (void)lockRegion(name);
        if (below(3))
            (void)unlockRegion(name);
        break;
    default:
        (void)destroySharedRegion(name);
    }
}

/* Faults of all kinds in a region that others unmap, lock and destroy, and in a private copy. */
static void do_faults(void)
{
    const struct region_map how = {.flags = below(2) ? RM_PRIVATE : 0};
    char name[8];
    void *beg;
    pid_t pid;

    snprintf(name, sizeof(name), "r%u", below(4));
    if (createMappingWith(name, &beg, &how) != ERR_OK)
        return;
    (void)tryLockRegion(name);
    ((volatile char *)beg)[0]++;
    pid = fork();
    ((volatile char *)beg)[0]++;
    if (pid == 0)
        for (;;) /* until it is killed */
            ((volatile char *)beg)[0]++;
    if (pid > 0) {
        kill(pid, SIGKILL);
        end(pid);
    }
    (void)destroyMapping(name, beg);
}

/* Somebody maps the region for a while, so that its destroyer sleeps. */
static void do_destroy(void)
{
    char name[16];
    void *beg;
    pid_t pid;

    snprintf(name, sizeof(name), "own%d", (int)getpid());
    if (createSharedRegion(name, PAGE, RS_PERSIST) != ERR_OK)
        return;
    pid = fork();
    if (pid == 0) {
        if (createMapping(name, &beg) == ERR_OK)
            check_sleep_ms(below(3));
        _exit(0);
    }
    (void)destroySharedRegion(name);
    end(pid);
    (void)destroySharedRegionWith(name, RS_UNLINK, NULL); /* when a signal ended the sleep */
}

static void do_exec(void)
{
    pid_t pid = fork();
    void *beg;

    if (pid == 0) {
        (void)createMapping("r0", &beg);
        (void)tryLockRegion("r0");
        execl(self, self, "exit", (char *)NULL);
        _exit(3);
    }
    end(pid);
}

static void do_memory(void)
{
    for (unsigned i = 0; i < 32; i++)
        memory[rng_below(&rng, PAGES * PAGE)] = (char)i;
    mprotect(memory + below(32) * PAGE, (1 + below(31)) * PAGE, PROT_READ);
    mprotect(memory, PAGES * PAGE, READ_WRITE);
    munmap(memory + below(60) * PAGE, 4 * PAGE);
    CHECK(mmap(memory, PAGES * PAGE, READ_WRITE, MAP_FLAGS | MAP_FIXED, -1, 0) == memory, "mmap");
    (void)sbrk((intptr_t)(below(4) * PAGE));
}

static void do_fork(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        memory[rng_below(&rng, PAGES * PAGE)] = 1;
        _exit((int)below(4));
    }
    end(pid);
}

static void do_vfork(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        execl(self, self, "exit", (char *)NULL);
        _exit(3);
    }
    end(pid);
}

static void do_stop(void)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            memory[0]++;
    if (pid < 0)
        return;
    kill(pid, SIGSTOP);
    if (below(2))
        kill(pid, SIGTERM);
    if (below(2))
        kill(pid, SIGCONT);
    kill(pid, SIGKILL);
    end(pid);
}

static int borrow(void *arg)
{
    (void)arg;
    char *p = mmap(NULL, 2 * PAGE, READ_WRITE, MAP_FLAGS, -1, 0);

    if (p == MAP_FAILED)
        return 1;
    *p = 1;
    return munmap(p, 2 * PAGE);
}

static void do_clone(void)
{
    end(clone(borrow, clone_stack + sizeof(clone_stack), CLONE_VM | SIGCHLD, NULL));
}

static void worker(void *arg)
{
    static void (*const steps[])(void) = {do_regions, do_regions, do_regions, do_memory,
                                          do_faults,  do_destroy, do_exec,    do_fork,
                                          do_vfork,   do_stop,    do_clone};
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = below(2) ? SA_RESTART : 0};

    rng.state += (unsigned long)arg * 2654435761u;
    setpgid(0, 0);
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    memory = mmap(NULL, PAGES * PAGE, READ_WRITE, MAP_FLAGS, -1, 0);
    CHECK(memory != MAP_FAILED, "mmap");
    for (;;)
        steps[below(sizeof(steps) / sizeof(steps[0]))]();
}

static void harass(pid_t *pid, unsigned long turn)
{
    switch (below(4)) {
    case 0:
        kill(*pid, SIGSTOP);
        check_sleep_ms(below(2));
        kill(*pid, SIGCONT);
        return;
    case 1:
        kill(*pid, SIGUSR1);
        return;
    default:
        kill(-*pid, SIGKILL); /* its children with it, or they would take the CPUs for ever */
        child_kill(*pid);
        *pid = child_start(worker, (void *)turn);
    }
}

/* Every invariant of the kernel; release kernels do not check them. */
static void walk(void)
{
    char answer[4] = "";
    int fd = open("/proc/check", O_RDONLY);

    if (fd < 0 && errno == ENOENT)
        return;
    CHECK_OK(fd);
    CHECK_EQ(read(fd, answer, 3), 3);
    CHECK(strcmp(answer, "ok\n") == 0, "/proc/check: %s", answer);
    close(fd);
}

/* Workers that are left at the end are left to the shutdown. */
int main(int argc, char **argv)
{
    pid_t pids[WORKERS];
    long end_ms;

    self = argv[0];
    if (argc > 1 && !strcmp(argv[1], "exit"))
        return 0;
    rng = rng_from_args(argc, argv);
    end_ms = check_now_ms() + (argc > 2 ? atol(argv[2]) : STORM_MS);
    signal(SIGUSR1, SIG_IGN);
    for (unsigned long i = 0; i < WORKERS; i++)
        pids[i] = child_start(worker, (void *)i);
    for (unsigned long turn = WORKERS; check_now_ms() < end_ms; turn++) {
        check_sleep_ms(below(4));
        harass(&pids[below(WORKERS)], turn);
        if (turn % WALK_TURNS == 0)
            walk();
    }
    walk();
    return 0;
}
