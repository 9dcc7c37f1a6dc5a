/* A5: one thread forks while another maps and unmaps a region in the same address space, and the
 * kernel's lock-order checker watches.
 *
 * The tests of this file make 100,000 forks in all.  Arguments: how many forks, and every which
 * mapping is touched, 0 for none.  The other thread maps for as long as the forks last. */
#include <sys/syscall.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE         4096ul
#define REGION_PAGES 4u
#define IN_FLIGHT    8u
#define CASE_FORKS   2500u /* a case has a time limit */
#define MARK         77u   /* what every child must find in the region */

static unsigned forks_left = 2000, touch_every = 1;
static _Atomic bool forks_end;
static unsigned mappings_made, touched;

/* Whole and in part, to write, to read, as a copy, with pages at once: what fork meets differs. */
static const struct region_map kinds[] = {
    {.timeout_s = 0},       {.flags = RM_RDONLY},
    {.flags = RM_PRIVATE},  {.offset_bytes = PAGE, .length_bytes = PAGE},
    {.flags = RM_POPULATE}, {.flags = RM_PRIVATE | RM_POPULATE, .length_bytes = 2 * PAGE},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void *map_until_forks_end(void *arg)
{
    (void)arg;
    for (unsigned i = 0; !forks_end; i++) {
        const struct region_map *how = &kinds[i % KINDS];
        bool touch = touch_every && i % touch_every == 0;
        void *p = NULL;

        CHECK_ERR(createMappingWith("forked", &p, how), ERR_OK);
        if (touch && !(how->flags & RM_RDONLY)) {
            __atomic_fetch_add((unsigned *)p, 1, __ATOMIC_RELAXED);
            touched += !(how->flags & RM_PRIVATE) && how->offset_bytes == 0;
        }
        region_unmap("forked", p);
        mappings_made++;
    }
    return NULL;
}

/* The call itself: musl's fork does more, in parent and child, than the kernel's part, which this
 * is about.  Each child sees the one mapping that is always there, and perhaps the one of that
 * moment. */
static void fork_some(volatile unsigned *always, unsigned n)
{
    pid_t pids[IN_FLIGHT];
    int status;

    for (unsigned i = 0; i < n; i++) {
        pids[i] = (pid_t)syscall(SYS_fork);
        if (pids[i] == 0)
            syscall(SYS_exit_group, always[1] == MARK ? 0 : 1);
        CHECK(pids[i] > 0, "fork: %s", strerror(errno));
    }
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(waitpid(pids[i], &status, 0), pids[i]);
        CHECK_EQ(status, 0);
    }
}

static void case_fork_against_map(void)
{
    volatile unsigned *always = region_new("forked", REGION_PAGES * PAGE);
    unsigned forks = forks_left < CASE_FORKS ? forks_left : CASE_FORKS;
    pthread_t t;

    always[1] = MARK;
    t = thread_new(map_until_forks_end, NULL);
    for (unsigned left = forks, n; left > 0; left -= n) {
        n = left < IN_FLIGHT ? left : IN_FLIGHT;
        fork_some(always, n);
    }
    forks_end = true;
    thread_end(t);
    dprintf(STDOUT_FILENO, "     %u forks against %u mappings\n", forks, mappings_made);
    CHECK(mappings_made > KINDS, "%u mappings only", mappings_made);
    CHECK_EQ(region_look("forked").mappings, 1); /* A5 */
    CHECK_EQ(always[0], touched);
    region_unmap("forked", (void *)always);
    CHECK_ERR(destroySharedRegion("forked"), ERR_OK);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        forks_left = (unsigned)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        touch_every = (unsigned)strtoul(argv[2], NULL, 0);
    while (forks_left > 0) {
        RUN(case_fork_against_map);
        forks_left -= forks_left < CASE_FORKS ? forks_left : CASE_FORKS;
    }
    return check_done();
}
