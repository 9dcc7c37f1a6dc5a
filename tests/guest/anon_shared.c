/* P3: MAP_SHARED | MAP_ANONYMOUS: memory that a process shares with its children. */
#define _GNU_SOURCE
#include "child.h"
#include "probe.h"
#include "shmfile.h"

#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

static char *shared(size_t pages, int flags)
{
    char *p = mmap(NULL, pages * PAGE, RW, SHARED | flags, -1, 0);

    CHECK(p != MAP_FAILED, "P3: mmap of %zu shared pages: %s", pages, strerror(errno));
    return p;
}

static void adds(void *arg)
{
    for (unsigned i = 0; i < 10000; i++)
        __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

static void case_children_count_together(void)
{
    char *p = shared(3, 0);
    pid_t pid[4];

    for (unsigned i = 0; i < 4; i++)
        pid[i] = child_start(adds, p + 2 * PAGE); /* A5: not touched before: the same frame still */
    for (unsigned i = 0; i < 4; i++)
        CHILD_EXITS(pid[i], 0);
    CHECK_EQ(*(int *)(p + 2 * PAGE), 40000);
    CHECK_EQ(p[0], 0);
}

static void grandchild(void *arg)
{
    ((char *)arg)[PAGE] = 3;
}

static void child(void *arg)
{
    MUST_EXIT(grandchild, arg, 0);
    CHECK_OK(munmap(arg, 2 * PAGE)); /* A4: the others keep it */
    CHECK_EQ(probe_read(arg), SIGSEGV);
}

static void case_three_generations(void)
{
    char *p = shared(2, 0);

    p[0] = 1;
    MUST_EXIT(child, p, 0);
    CHECK_EQ(p[PAGE], 3);
    CHECK_EQ(p[0], 1);
}

static void waits_then_writes(void *arg)
{
    struct gate *g = *(struct gate **)arg;

    gate_pass(&g[0]);
    CHECK_EQ(((char *)arg)[100], 5);
    ((char *)arg)[100] = 6;
    gate_open(&g[1], 1);
    pause();
}

/* The parent lets go first; kill -9 ends the child. */
static void case_parent_unmaps_first(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    char *p = shared(1, 0);

    *(struct gate **)p = g;
    p[100] = 5;
    pid_t pid = child_start(waits_then_writes, p);
    CHECK_OK(munmap(p, PAGE));
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
    child_kill(pid);
}

static void case_pieces(void)
{
    char *p = shared(5, 0);

    memset(p, 7, 5 * PAGE);
    CHECK_OK(munmap(p + PAGE, PAGE));
    CHECK_OK(mprotect(p + 3 * PAGE, PAGE, PROT_READ));
    CHECK_EQ(probe_read(p + PAGE), SIGSEGV);
    CHECK_EQ(probe_write(p + 3 * PAGE), SIGSEGV);
    CHECK_EQ(p[PAGE - 1] + p[2 * PAGE] + p[3 * PAGE] + p[5 * PAGE - 1], 28);
    CHECK_OK(mprotect(p + 3 * PAGE, PAGE, RW));
    CHECK_EQ(probe_write(p + 3 * PAGE), 0);
    CHECK_OK(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
    CHECK_EQ(p[2 * PAGE] + p[4 * PAGE], 14); /* shared memory is not lost */
    CHECK_ERRNO(madvise(p + 2 * PAGE, PAGE, MADV_FREE), EINVAL);
}

static void case_placed(void)
{
    char *p = shared(4, 0);

    p[PAGE] = 1;
    CHECK(mmap(p + PAGE, PAGE, RW, SHARED | MAP_FIXED, -1, 0) == p + PAGE, "MAP_FIXED");
    CHECK_EQ(p[PAGE], 0);
    CHECK_ERRNO(mmap(p + PAGE, PAGE, RW, SHARED | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    p[0] = p[2 * PAGE] = 1; /* the neighbours are other memory */
    CHECK_EQ(p[PAGE], 0);
    /* An offset says nothing for memory without a file. */
    char *q = mmap(NULL, PAGE, RW, SHARED, -1, 64 * PAGE);
    CHECK(q != MAP_FAILED, "with an offset: %s", strerror(errno));
    CHECK_EQ(probe_write(q), 0);
}

static void case_populate(void)
{
    unsigned char there[8];
    char *p = shared(8, 0), *q = shared(8, MAP_POPULATE);

    CHECK_OK(mincore(p, 8 * PAGE, there));
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(there[i], 0);
    CHECK_OK(mincore(q, 8 * PAGE, there));
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(there[i], 1);
}

/* A7: a promise that cannot be kept is not made; without one there is room for more than memory. */
static void case_promises(void)
{
    CHECK_ERRNO(mmap(NULL, 1l << 30, RW, SHARED, -1, 0), ENOMEM);
    char *p = shared(1 << 18, MAP_NORESERVE);
    p[0] = p[(1l << 30) - 1] = 1;
    CHECK_OK(munmap(p, 1l << 30));
}

static void touches_all(void *arg)
{
    for (size_t i = 0; i < 1ul << 30; i += PAGE)
        ((char *)arg)[i] = 1;
}

static void case_no_promise_is_sigbus(void)
{
    child_settle();
    MUST_DIE(touches_all, shared(1 << 18, MAP_NORESERVE), SIGBUS);
}

static void case_thousand(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        char *p = shared(4, 0);

        p[3 * PAGE] = 1;
        CHECK_OK(munmap(p, 4 * PAGE));
    }
}

int main(void)
{
    RUN(case_children_count_together);
    RUN(case_three_generations);
    RUN(case_parent_unmaps_first);
    RUN(case_pieces);
    RUN(case_placed);
    RUN(case_populate);
    RUN(case_promises);
    RUN(case_no_promise_is_sigbus);
    RUN(case_thousand);
    return check_done();
}
