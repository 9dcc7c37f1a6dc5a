/* A5: fork inherits mappings, at the same address, counted.  A6: a bad access ends the process that
 * made it, nobody else; after an unmap no CPU reaches the page through the old address. */
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE 4096ul

static volatile int *shared;
static int private_value = 1;

static void look_and_write(void *arg)
{
    (void)arg;
    CHECK_EQ(region_look("f").mappings, 2);
    CHECK_EQ(shared[0], 5);
    shared[1] = 6;
    shared[PAGE / 4] = 7; /* a page neither had touched */
    private_value = 2;
}

static void case_inherited(void)
{
    shared = region_new("f", 2 * PAGE);
    shared[0] = 5;
    MUST_EXIT(look_and_write, NULL, 0);
    CHECK_EQ(shared[1], 6);
    CHECK_EQ(shared[PAGE / 4], 7);
    CHECK_EQ(private_value, 1);
    CHECK_EQ(region_look("f").mappings, 1);
}

static void unmap_own(void *arg)
{
    region_unmap("f", arg);
    CHECK_EQ(probe_read(arg), SIGSEGV);
    CHECK_EQ(region_look("f").mappings, 1);
}

static void case_child_unmaps_its_own(void)
{
    shared = region_new("f", PAGE);
    MUST_EXIT(unmap_own, (void *)shared, 0);
    shared[0] = 1;
    CHECK_EQ(shared[0], 1);
    CHECK_EQ(region_look("f").mappings, 1);
}

static void generations(unsigned depth)
{
    pid_t pid;

    __atomic_fetch_add(&shared[0], 1, __ATOMIC_SEQ_CST);
    CHECK_EQ(region_look("f").mappings, depth + 1);
    if (depth == 8)
        return;
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        generations(depth + 1);
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
}

static void case_generations(void)
{
    shared = region_new("f", PAGE);
    generations(0);
    CHECK_EQ(shared[0], 9);
    CHECK_EQ(region_look("f").mappings, 1);
}

/* Several mappings, some cut: the child has the same pieces. */
static void case_pieces_are_inherited(void)
{
    char *p = region_new("f", 5 * PAGE), *q = region_map("f");
    pid_t pid;

    for (unsigned i = 0; i < 5; i++)
        p[i * PAGE] = (char)(i + 1);
    CHECK_OK(munmap(q + 2 * PAGE, PAGE));
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(q[PAGE] * 10 + q[3 * PAGE], 24);
        CHECK_EQ(probe_read(q + 2 * PAGE), SIGSEGV);
        region_unmap("f", p);
        CHECK_OK(munmap(q, 5 * PAGE));
        CHECK_ERR(lockRegion("f"), ERR_NOTEXIST); /* it has nothing of it mapped any more */
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    CHECK_EQ(q[4 * PAGE], 5);
}

static void access_outside(void *arg)
{
    ((volatile char *)shared)[(long)arg] = 1;
}

static void write_read_only(void *arg)
{
    (void)arg;
    CHECK_OK(mprotect((void *)shared, PAGE, PROT_READ));
    CHECK_EQ(shared[0], 3);
    shared[0] = 4;
}

static void keep_counting(void *arg)
{
    volatile int *counter = &shared[100 + (long)arg];

    while (!shared[99])
        ++*counter;
}

/* A6: others that use the region go on while one is ended. */
static void case_only_the_offender(void)
{
    pid_t pids[2];
    int before;

    shared = region_new("f", 2 * PAGE);
    shared[0] = 3;
    for (long i = 0; i < 2; i++)
        pids[i] = child_start(keep_counting, (void *)i);
    MUST_DIE(access_outside, (void *)(2 * PAGE), SIGSEGV);
    MUST_DIE(access_outside, (void *)-1l, SIGSEGV);
    MUST_DIE(write_read_only, NULL, SIGSEGV);
    CHECK_EQ(shared[0], 3);
    before = shared[100];
    WAIT_UNTIL(shared[100] != before, "A6: another process goes on");
    shared[99] = 1;
    CHILD_EXITS(pids[0], 0);
    CHILD_EXITS(pids[1], 0);
    CHECK_EQ(region_look("f").mappings, 1);
}

/* A6: the frame of a region that is gone is never written through an address that had it: the
 * region is unmapped while other processes, on other CPUs, use their own mappings; new regions then
 * stay zero. */
static void case_no_stale_address(void)
{
    for (unsigned round = 0; round < 30; round++) {
        volatile char *p = region_new("old", 8 * PAGE);
        volatile char *fresh;
        pid_t pid;

        shared = region_new("flag", PAGE);
        shared[99] = 0;
        pid = child_start(keep_counting, (void *)0l);
        memset((char *)p, 0x11, 8 * PAGE);
        region_unmap("old", (void *)p);
        CHECK_EQ(probe_write(p), SIGSEGV);
        CHECK_EQ(probe_write(p + 7 * PAGE), SIGSEGV);
        shared[99] = 1;
        CHILD_EXITS(pid, 0);
        CHECK_ERR(destroySharedRegion("old"), ERR_OK);
        fresh = region_new("old", 8 * PAGE);
        for (size_t i = 0; i < 8 * PAGE; i += 512)
            CHECK_EQ(fresh[i], 0);
        region_unmap("old", (void *)fresh);
        CHECK_ERR(destroySharedRegion("old"), ERR_OK);
        region_unmap("flag", (void *)shared);
        CHECK_ERR(destroySharedRegion("flag"), ERR_OK);
    }
}

int main(void)
{
    RUN(case_inherited);
    RUN(case_child_unmaps_its_own);
    RUN(case_generations);
    RUN(case_pieces_are_inherited);
    RUN(case_only_the_offender);
    RUN(case_no_stale_address);
    return check_done();
}
