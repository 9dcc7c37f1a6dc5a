/* A5: one thread forks while another maps and unmaps a region in the same address space, and the
 * kernel's lock-order checker watches.
 *
 * A fork under emulation takes long: 100,000 of them would not end in a minute.  So the mapping
 * thread does 25,000 rounds in each of four tests, and the other forks for as long as that takes,
 * FORKING_MS at most.  The argument: every which mapping is touched, 0 for none. */
#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE       4096ul
#define ROUNDS     25000u
#define LEAST_FORK 50u
#define FORKING_MS 10000

static unsigned touch_every;
static _Atomic bool mapping_ends;

static void *map_in_rounds(void *arg)
{
    unsigned touch_each = *(unsigned *)arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        volatile unsigned *p = region_map("forked");

        if (touch_each && i % touch_each == 0)
            __atomic_fetch_add(p, 1, __ATOMIC_RELAXED);
        region_unmap("forked", (void *)p);
    }
    mapping_ends = true;
    return NULL;
}

/* Each child sees the one mapping that is always there, and perhaps the one of that moment. */
static void fork_once(volatile unsigned *always)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(always[1] == 77 ? 0 : 1);
    CHECK(pid > 0, "fork: %s", strerror(errno));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void fork_against_map(unsigned touch_each)
{
    volatile unsigned *always = region_new("forked", 2 * PAGE);
    unsigned forks = 0;
    long end_ms = check_now_ms() + FORKING_MS;
    pthread_t t;

    always[1] = 77;
    t = thread_new(map_in_rounds, &touch_each);
    while ((!mapping_ends && check_now_ms() < end_ms) || forks < LEAST_FORK) {
        fork_once(always);
        forks++;
    }
    thread_end(t);
    dprintf(STDOUT_FILENO, "     %u mappings against %u forks\n", ROUNDS, forks);
    CHECK(region_look("forked").mappings == 1, "A5: %lu mappings, must be 1",
          region_look("forked").mappings);
    if (touch_each)
        CHECK_EQ(always[0], (ROUNDS + touch_each - 1) / touch_each);
    region_unmap("forked", (void *)always);
    CHECK_ERR(destroySharedRegion("forked"), ERR_OK);
}

static void case_fork_against_map(void)
{
    fork_against_map(touch_every);
}

int main(int argc, char **argv)
{
    touch_every = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1;
    RUN(case_fork_against_map);
    return check_done();
}
