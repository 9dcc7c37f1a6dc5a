/* brk: grows, shrinks, and what comes back is zero.  The C library must not move it meanwhile: raw
 * calls only. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "probe.h"

static uintptr_t set_brk(uintptr_t to)
{
    return (uintptr_t)shoal_syscall(SYS_brk, (long)to, 0, 0, 0);
}

static void case_grow_and_shrink(void)
{
    uintptr_t start = set_brk(0), top;
    char *p;

    CHECK(start != 0, "brk(0)");
    top = (start + 4095) & ~4095ul;
    CHECK_EQ(set_brk(top), top);
    CHECK_EQ(set_brk(top + 3 * 4096), top + 3 * 4096);
    p = (char *)top;
    CHECK_EQ(probe_write(p + 3 * 4096 - 1), 0);
    CHECK_EQ(probe_read(p + 3 * 4096), SIGSEGV);
    memset(p, 5, 3 * 4096);
    CHECK_EQ(set_brk(top + 4096), top + 4096);
    CHECK_EQ(probe_read(p + 4096), SIGSEGV);
    CHECK_EQ(p[4095], 5);
    CHECK_EQ(set_brk(top + 2 * 4096), top + 2 * 4096);
    CHECK_EQ(p[4096], 0);
    CHECK_EQ(set_brk(top), top);
    CHECK_EQ(probe_read(p), SIGSEGV);
}

static void case_refusals(void)
{
    uintptr_t now = set_brk(0);

    CHECK_EQ(set_brk(1), now);
    CHECK_EQ(set_brk(0x7fffffffffff), now);
    CHECK_EQ(set_brk(UINTPTR_MAX), now);
    CHECK_EQ(set_brk(now + 1), now + 1);
    CHECK_EQ(set_brk(now), now);
}

static void child_grows(void *arg)
{
    uintptr_t top = (uintptr_t)arg;

    CHECK_EQ(set_brk(top + 65536), top + 65536);
    CHECK_EQ(probe_write((char *)top + 65535), 0);
}

static void case_fork_has_its_own(void)
{
    uintptr_t top = (set_brk(0) + 4095) & ~4095ul;

    CHECK_EQ(set_brk(top), top);
    MUST_EXIT(child_grows, (void *)top, 0);
    CHECK_EQ(set_brk(0), top);
    CHECK_EQ(probe_read((char *)top), SIGSEGV);
}

/* Two processes that share memory move the end of the heap at once.  Whatever each was told, in the
 * end the heap is what brk says it is. */
#define MOVES    200
#define MOVE_MAX 8ul
#define ROUNDS   40
#define STACK    16384

static uintptr_t heap_beg;
static char mover_stacks[2][STACK];

static int mover(void *arg)
{
    struct rng rng = {(uintptr_t)arg};

    for (unsigned i = 0; i < MOVES; i++)
        (void)set_brk(heap_beg + rng_below(&rng, MOVE_MAX + 1) * 4096);
    return 0;
}

static void heap_must_be_whole(void)
{
    uintptr_t end = set_brk(0);

    for (uintptr_t p = heap_beg; p < end; p += 4096)
        CHECK(probe_write((char *)p) == 0, "%#lx of [%#lx, %#lx)", p, heap_beg, end);
    for (uintptr_t p = end; p < heap_beg + MOVE_MAX * 4096; p += 4096)
        CHECK(probe_read((char *)p) == SIGSEGV, "%#lx behind [%#lx, %#lx)", p, heap_beg, end);
    CHECK_EQ(set_brk(heap_beg + MOVE_MAX * 4096), heap_beg + MOVE_MAX * 4096);
    CHECK_EQ(set_brk(heap_beg), heap_beg);
}

static void case_two_at_once(void)
{
    heap_beg = (set_brk(0) + 4095) & ~4095ul;
    CHECK_EQ(set_brk(heap_beg), heap_beg);
    for (uintptr_t round = 1; round <= ROUNDS; round++) {
        pid_t pids[2];

        for (uintptr_t i = 0; i < 2; i++) {
            pids[i] =
                clone(mover, mover_stacks[i] + STACK, CLONE_VM | SIGCHLD, (void *)(round * 2 + i));
            CHECK(pids[i] > 0, "clone: %s", strerror(errno));
        }
        for (int i = 0; i < 2; i++)
            CHILD_EXITS(pids[i], 0);
        heap_must_be_whole();
    }
}

int main(void)
{
    RUN(case_grow_and_shrink);
    RUN(case_refusals);
    RUN(case_fork_has_its_own);
    RUN(case_two_at_once);
    return check_done();
}
