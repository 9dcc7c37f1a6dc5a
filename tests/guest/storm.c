/* Processes that do a bit of everything, and are killed, stopped and signalled at random moments.
 * Nothing is checked but that each ends as it must, and that the audit finds everything back.  The
 * first argument is the seed. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE       4096ul
#define PAGES      64ul
#define WORKERS    6
#define STORM_MS   1500
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
    static void (*const steps[])(void) = {do_regions, do_regions, do_memory, do_fork,
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

/* Workers that are left at the end are left to the shutdown. */
int main(int argc, char **argv)
{
    pid_t pids[WORKERS];
    long end_ms = check_now_ms() + STORM_MS;

    self = argv[0];
    if (argc > 1 && !strcmp(argv[1], "exit"))
        return 0;
    rng = rng_from_args(argc, argv);
    signal(SIGUSR1, SIG_IGN);
    for (unsigned long i = 0; i < WORKERS; i++)
        pids[i] = child_start(worker, (void *)i);
    for (unsigned long turn = WORKERS; check_now_ms() < end_ms; turn++) {
        check_sleep_ms(below(4));
        harass(&pids[below(WORKERS)], turn);
    }
    return 0;
}
