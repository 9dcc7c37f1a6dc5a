/* Copy on write after fork: both sides keep what they had, whoever writes first. */
#include <sys/mman.h>

#include "child.h"

#define PAGE  4096ul
#define PAGES 300ul

static char *area;

static void area_make(void)
{
    area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED, "mmap: %s", strerror(errno));
    for (size_t i = 0; i < PAGES; i++)
        area[i * PAGE] = (char)i;
}

static void area_must_be(size_t beg, size_t end, int add, const char *who)
{
    for (size_t i = beg; i < end; i++)
        CHECK(area[i * PAGE] == (char)(i + (size_t)add), "%s: page %zu holds %d", who, i,
              area[i * PAGE]);
}

static void area_add(size_t beg, size_t end, int add)
{
    for (size_t i = beg; i < end; i++)
        area[i * PAGE] = (char)(area[i * PAGE] + add);
}

static void case_child_writes(void)
{
    pid_t pid;

    area_make();
    pid = fork();
    if (pid == 0) {
        area_must_be(0, PAGES, 0, "child");
        area_add(0, PAGES, 50);
        area_must_be(0, PAGES, 50, "child");
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    area_must_be(0, PAGES, 0, "parent");
    area_add(0, PAGES, 1);
    area_must_be(0, PAGES, 1, "parent");
}

static void case_parent_writes(void)
{
    struct gate go = gate_make();
    pid_t pid;

    area_make();
    pid = fork();
    if (pid == 0) {
        gate_pass(&go);
        area_must_be(0, PAGES, 0, "child");
        _exit(0);
    }
    area_add(0, PAGES, 9);
    gate_open(&go, 1);
    CHILD_EXITS(pid, 0);
    area_must_be(0, PAGES, 9, "parent");
}

static void generation(unsigned depth)
{
    pid_t pid;

    if (depth == 6)
        return;
    area_add(depth * 50, depth * 50 + 50, 7);
    pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        generation(depth + 1);
        area_must_be(0, depth * 50 + 50, 7, "descendant");
        _exit(0);
    }
    /* Writes while the descendants read. */
    area_add(depth * 50, PAGES, 1);
    CHILD_EXITS(pid, 0);
    area_add(depth * 50, PAGES, -1);
    area_must_be(0, depth * 50 + 50, 7, "ancestor");
    area_must_be(depth * 50 + 50, PAGES, 0, "ancestor");
}

static void case_generations(void)
{
    area_make();
    generation(0);
}

static void sibling(void *arg)
{
    int add = (int)(long)arg;

    for (unsigned round = 0; round < 3; round++) {
        area_must_be(0, PAGES, add * (int)round, "sibling");
        area_add(0, PAGES, add);
    }
}

static void case_siblings_at_once(void)
{
    pid_t pids[6];

    area_make();
    for (long i = 0; i < 6; i++)
        pids[i] = child_start(sibling, (void *)(i + 1));
    for (unsigned i = 0; i < 6; i++)
        CHILD_EXITS(pids[i], 0);
    area_must_be(0, PAGES, 0, "parent");
}

/* The kernel's own writes into user memory must copy as well. */
static void case_kernel_writes(void)
{
    struct gate g = gate_make();
    pid_t pid;

    area_make();
    pid = fork();
    if (pid == 0) {
        gate_open(&g, 1);
        CHECK_EQ(read(g.fd[0], area + 5 * PAGE, 1), 1);
        CHECK_EQ(area[5 * PAGE], 'g');
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    area_must_be(0, PAGES, 0, "parent");
}

/* Pages that were never touched are zero in both, and apart. */
static void case_untouched(void)
{
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    CHECK(p != MAP_FAILED, "mmap");
    CHECK_EQ(p[PAGE], 0); /* read, never written */
    pid = fork();
    if (pid == 0) {
        p[0] = p[PAGE] = 1;
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    CHECK_EQ(p[0], 0);
    CHECK_EQ(p[PAGE], 0);
}

int main(void)
{
    RUN(case_child_writes);
    RUN(case_parent_writes);
    RUN(case_generations);
    RUN(case_siblings_at_once);
    RUN(case_kernel_writes);
    RUN(case_untouched);
    return check_done();
}
