/* P3: mremap: in place and elsewhere, private and shared, whole mappings and pieces. */
#define _GNU_SOURCE
#include "child.h"
#include "probe.h"
#include "shmfile.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* `pages` pages of private memory, page i full of i + 1, at a place with nothing mapped for 64
 * pages around it. */
static char *area(size_t pages)
{
    char *p = mmap(NULL, (pages + 128) * PAGE, PROT_NONE, ANON, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(munmap(p, (pages + 128) * PAGE));
    p = mmap(p + 64 * PAGE, pages * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    for (size_t i = 0; i < pages; i++)
        memset(p + i * PAGE, (int)i + 1, PAGE);
    return p;
}

static void must_hold(const char *p, size_t first, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        CHECK(p[i * PAGE] == (char)(first + i + 1) && p[(i + 1) * PAGE - 1] == p[i * PAGE],
              "page %zu holds %d", i, p[i * PAGE]);
}

static void case_grow_in_place(void)
{
    char *p = area(3);

    CHECK(mremap(p, 3 * PAGE, 5 * PAGE, 0) == p, "grow: %s", strerror(errno));
    must_hold(p, 0, 3);
    CHECK_EQ(p[5 * PAGE - 1], 0);
    CHECK_EQ(probe_read(p + 5 * PAGE), SIGSEGV);
    CHECK_OK(munmap(p, 5 * PAGE));
    CHECK_EQ(probe_read(p + 4 * PAGE), SIGSEGV);
}

static void case_shrink(void)
{
    char *p = area(5);

    CHECK(mremap(p, 5 * PAGE, 2 * PAGE - 7, 0) == p, "shrink");
    must_hold(p, 0, 2);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK(mremap(p, 2 * PAGE, 2 * PAGE, 0) == p, "the same size");
    must_hold(p, 0, 2);
}

static void case_move_when_blocked(void)
{
    char *p = area(3);

    CHECK(mmap(p + 3 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + 3 * PAGE,
          "neighbour");
    CHECK_ERRNO(mremap(p, 3 * PAGE, 6 * PAGE, 0), ENOMEM);
    must_hold(p, 0, 3);
    char *q = mremap(p, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p, "move: %s", strerror(errno));
    must_hold(q, 0, 3);
    CHECK_EQ(q[6 * PAGE - 1], 0);
    q[0] = 9;
    CHECK_EQ(probe_read(p), SIGSEGV); /* A6 */
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_EQ(p[3 * PAGE], 0);
}

/* A piece out of the middle: what lies beside stays. */
static void case_piece_to_a_fixed_place(void)
{
    char *p = area(6), *to = area(8);

    CHECK(mremap(p + 2 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 3 * PAGE) ==
              to + 3 * PAGE,
          "fixed: %s", strerror(errno));
    must_hold(to, 0, 3);
    must_hold(to + 3 * PAGE, 2, 2);
    CHECK_EQ(to[5 * PAGE], 0); /* new, and not what was there */
    must_hold(to + 6 * PAGE, 6, 2);
    must_hold(p, 0, 2);
    must_hold(p + 4 * PAGE, 4, 2);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_EQ(probe_read(p + 4 * PAGE - 1), SIGSEGV);
    /* Shorter and elsewhere at once: the rest goes. */
    CHECK(mremap(to, 8 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PAGE) == p + 2 * PAGE,
          "fixed and shorter: %s", strerror(errno));
    must_hold(p, 0, 2);
    must_hold(p + 2 * PAGE, 0, 1);
    CHECK_EQ(probe_read(to), SIGSEGV);
    CHECK_EQ(probe_read(to + 7 * PAGE), SIGSEGV);
}

static void case_refused(void)
{
    char *p = area(4);

    CHECK_ERRNO(mremap(p + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, PAGE, 8), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, PAGE, MREMAP_FIXED, p + 64 * PAGE), EINVAL);
    CHECK_ERRNO(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 64 * PAGE + 1), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)-PAGE), EINVAL);
    CHECK_ERRNO(mremap(p + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERRNO(mremap(p, 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERRNO(mremap(p, PAGE, 1l << 47, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO(mremap(p, PAGE, (1l << 47) - (1l << 23), MREMAP_MAYMOVE), ENOMEM);
    must_hold(p, 0, 4);
    CHECK_OK(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
    CHECK_ERRNO(mremap(p, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE), EFAULT);
    must_hold(p, 0, 4);
}

static void checks_and_writes(void *arg)
{
    must_hold(arg, 0, 3);
    memset(arg, 50, 3 * PAGE);
}

/* Pages that a fork shares stay copy on write after a move. */
static void case_copy_on_write(void)
{
    char *p = area(3);
    struct gate g = gate_make();
    pid_t pid = fork();

    if (pid == 0) {
        gate_pass(&g);
        checks_and_writes(p);
        _exit(0);
    }
    char *q = mremap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 32 * PAGE);
    CHECK(q == p + 32 * PAGE, "move: %s", strerror(errno));
    q[PAGE] = 77;
    gate_open(&g, 1);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(q[PAGE], 77);
    CHECK_EQ(q[0], 1);
    MUST_EXIT(checks_and_writes, area(3), 0);
}

static void case_shared_file(void)
{
    int fd = shm_new("/moved", 4 * PAGE);
    struct region_stat st;
    char *p = map_shared(fd, 2 * PAGE), *other = map_shared(fd, 4 * PAGE);

    p[PAGE] = 1;
    char *q = mremap(p, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area(1));
    CHECK(q != MAP_FAILED, "move: %s", strerror(errno));
    CHECK_EQ(q[PAGE], 1);
    other[3 * PAGE] = 3;
    CHECK_EQ(q[3 * PAGE], 3); /* a longer mapping shows more of the file */
    q[0] = 5;
    CHECK_EQ(other[0], 5);
    CHECK_EQ(probe_read(q + 4 * PAGE), SIGBUS); /* P2 */
    CHECK_OK(ftruncate(fd, PAGE));              /* found at its new place */
    CHECK_EQ(probe_read(q + PAGE), SIGBUS);
    CHECK_OK(ftruncate(fd, 6 * PAGE));
    CHECK_EQ(probe_write(q + 5 * PAGE), 0);
    CHECK_ERR(statRegion("moved", &st), ERR_OK);
    CHECK_EQ(st.mappings, 2); /* R8: it is the same mapping still */
    CHECK_OK(munmap(q, 6 * PAGE));
    CHECK_OK(munmap(other, 4 * PAGE));
    CHECK_ERR(statRegion("moved", &st), ERR_OK);
    CHECK_EQ(st.mappings, 0);
    CHECK_OK(shm_unlink("/moved"));
}

/* A region stays one mapping through its pieces' moves, and goes with destroyMapping. */
static void case_region(void)
{
    void *beg;
    char *p, *q;

    CHECK_ERR(createSharedRegion("moving", 4 * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createMapping("moving", &beg), ERR_OK);
    p = beg;
    p[2 * PAGE] = 2;
    q = mremap(p + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area(1));
    CHECK_EQ(q[0], 2);
    CHECK_ERR(lockRegion("moving"), ERR_OK);
    CHECK_ERR(destroyMapping("moving", q), ERR_OK);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_read(p + 3 * PAGE), SIGSEGV);
    CHECK_EQ(probe_read(q), SIGSEGV);
    CHECK_ERR(destroySharedRegion("moving"), ERR_OK);
}

static void case_far_and_large(void)
{
    size_t bytes = 600 * PAGE;
    char *p = mmap(NULL, bytes, RW, ANON, -1, 0);

    for (size_t i = 0; i < 600; i++)
        p[i * PAGE] = (char)i;
    for (unsigned k = 1; k < 40; k++) { /* other tables each time; the old ones are given back */
        char *to = (char *)(0x100000000000ul + k * 0x8040201000ul);
        p = mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
        CHECK(p == to, "move %u: %s", k, strerror(errno));
    }
    for (size_t i = 0; i < 600; i++)
        CHECK_EQ(p[i * PAGE], (char)i);
}

static void case_thousand(void)
{
    char *p = area(2);

    for (unsigned i = 0; i < 1000; i++) {
        size_t from = 2 + i % 7, to = 2 + (i + 1) % 7;
        p = mremap(p, from * PAGE, to * PAGE, MREMAP_MAYMOVE);
        CHECK(p != MAP_FAILED, "round %u: %s", i, strerror(errno));
        must_hold(p, 0, 2);
    }
}

int main(void)
{
    RUN(case_grow_in_place);
    RUN(case_shrink);
    RUN(case_move_when_blocked);
    RUN(case_piece_to_a_fixed_place);
    RUN(case_refused);
    RUN(case_copy_on_write);
    RUN(case_shared_file);
    RUN(case_region);
    RUN(case_far_and_large);
    RUN(case_thousand);
    return check_done();
}
