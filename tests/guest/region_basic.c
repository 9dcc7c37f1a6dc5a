/* Create, map, unmap, destroy; one frame everywhere, zero at first sight (A1); the table (A10). */
#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE 4096ul

static void case_one_process(void)
{
    void *beg = NULL;
    char *p;

    region_must_be_gone("r", "R7");
    CHECK_ERR(createSharedRegion("r", 3 * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createSharedRegion("r", 3 * PAGE, RS_DEFAULT), ERR_EXIST);
    CHECK_EQ(region_look("r").mappings, 0);
    CHECK_ERR(createMapping("r", &beg), ERR_OK);
    CHECK_EQ(region_look("r").mappings, 1);
    p = beg;
    for (size_t i = 0; i < 3 * PAGE; i++)
        CHECK_EQ(p[i], 0);
    memset(p, 0x42, 3 * PAGE);
    CHECK_ERR(destroySharedRegion("r"), ERR_INVAL);
    CHECK_EQ(p[PAGE], 0x42);
    CHECK_ERR(destroyMapping("r", p), ERR_OK);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(region_look("r").mappings, 0);
    CHECK_ERR(destroyMapping("r", p), ERR_NOTEXIST);
    CHECK_ERR(createMapping("r", &beg), ERR_OK);
    CHECK_EQ(((char *)beg)[2 * PAGE],
             0x42); /* the region outlives its mappings while its creator lives */
    CHECK_ERR(destroyMapping("r", beg), ERR_OK);
    CHECK_ERR(destroySharedRegion("r"), ERR_OK);
    CHECK_ERR(destroySharedRegion("r"), ERR_NOTEXIST);
    region_must_be_gone("r", "R5");
}

/* A1: a new region never shows what an old one held. */
static void case_zero_again(void)
{
    for (unsigned round = 0; round < 10; round++) {
        unsigned char *p = region_new("z", 20 * PAGE);

        for (size_t i = 0; i < 20 * PAGE; i += 64)
            CHECK_EQ(p[i], 0);
        memset(p, 0xcc, 20 * PAGE);
        region_unmap("z", p);
        CHECK_ERR(destroySharedRegion("z"), ERR_OK);
    }
}

static void other_side(void *arg)
{
    struct gate *g = arg;
    volatile int *p = region_map("two");

    CHECK_EQ(region_look("two").mappings, 3); /* ours, the parent's, and the one fork gave us */
    CHECK_EQ(p[0], 11);
    p[1] = 22;
    p[PAGE / 4] = 33; /* touched here first */
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
    CHECK_EQ(p[2], 44);
}

static void case_two_processes(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    volatile int *p = region_new("two", 2 * PAGE);
    pid_t pid;

    p[0] = 11;
    pid = child_start(other_side, g);
    gate_pass(&g[0]);
    CHECK_EQ(p[1], 22);
    CHECK_EQ(p[PAGE / 4], 33);
    p[2] = 44;
    gate_open(&g[1], 1);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(region_look("two").mappings, 1);
    CHECK_EQ(region_look("two").resident_pages, 2);
}

static void touch_all(void *arg)
{
    struct gate *start = arg;
    volatile uint64_t *p = region_map("race");

    gate_pass(start);
    for (size_t i = 0; i < 64; i++)
        __atomic_fetch_add(&p[i * PAGE / 8], 1, __ATOMIC_SEQ_CST);
}

/* A1: whoever touches first, there is one frame: no increment is lost in a copy. */
static void case_first_touch_race(void)
{
    for (unsigned round = 0; round < 5; round++) {
        struct gate start = gate_make();
        volatile uint64_t *p;
        pid_t pids[8];

        CHECK_ERR(createSharedRegion("race", 64 * PAGE, RS_DEFAULT), ERR_OK);
        for (unsigned i = 0; i < 8; i++)
            pids[i] = child_start(touch_all, &start);
        gate_open(&start, 8);
        for (unsigned i = 0; i < 8; i++)
            CHILD_EXITS(pids[i], 0);
        p = region_map("race");
        for (size_t i = 0; i < 64; i++)
            CHECK(p[i * PAGE / 8] == 8, "A1: page %zu counts %llu of 8", i,
                  (unsigned long long)p[i * PAGE / 8]);
        region_unmap("race", (void *)p);
        CHECK_ERR(destroySharedRegion("race"), ERR_OK);
        close(start.fd[0]);
        close(start.fd[1]);
    }
}

static void create_once(void *arg)
{
    struct gate *g = arg;
    err_t err;

    gate_pass(&g[0]);
    err = createSharedRegion("once", PAGE, RS_DEFAULT);
    CHECK(err == ERR_OK || err == ERR_EXIST, "R3: %s", shoal_errname(err));
    if (err == ERR_OK)
        gate_open(&g[1], 1);
    gate_open(&g[3], 1);
    gate_pass(&g[2]); /* the creator lives until all have tried */
}

static void case_two_creators(void)
{
    for (unsigned round = 0; round < 10; round++) {
        struct gate g[4] = {gate_make(), gate_make(), gate_make(), gate_make()};
        char winners[8];
        pid_t pids[6];

        for (unsigned i = 0; i < 6; i++)
            pids[i] = child_start(create_once, g);
        gate_open(&g[0], 6);
        gate_pass(&g[1]);
        for (unsigned i = 0; i < 6; i++)
            gate_pass(&g[3]);
        gate_open(&g[2], 6);
        for (unsigned i = 0; i < 6; i++)
            CHILD_EXITS(pids[i], 0);
        close(g[1].fd[1]);
        CHECK(read(g[1].fd[0], winners, sizeof(winners)) == 0, "R3: two creators won");
        for (unsigned i = 0; i < 4; i++) {
            close(g[i].fd[0]);
            if (i != 1)
                close(g[i].fd[1]);
        }
        region_must_be_gone("once", "R4");
    }
}

static void case_many_regions(void)
{
    char name[16];
    void *p[60];

    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "many%u", i);
        p[i] = region_new(name, (1 + i % 5) * PAGE);
        *(unsigned *)p[i] = i;
    }
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "many%u", i);
        CHECK_EQ(*(unsigned *)p[i], i);
        CHECK_EQ(region_look(name).mappings, 1);
        CHECK_EQ(region_look(name).size_bytes, (1 + i % 5) * PAGE);
        if (i % 2) {
            region_unmap(name, p[i]);
            CHECK_ERR(destroySharedRegion(name), ERR_OK);
        }
    }
    for (unsigned i = 0; i < 60; i += 2)
        CHECK_EQ(*(unsigned *)p[i], i);
}

/* The kernel reads and writes a region on a process's behalf (system calls with buffers there). */
static void case_buffers_in_a_region(void)
{
    struct gate g = gate_make();
    char *p = region_new("buffer", 2 * PAGE);

    CHECK_EQ(write(g.fd[1], "across pages", 12), 12);
    CHECK_EQ(read(g.fd[0], p + PAGE - 5, 12), 12);
    CHECK(memcmp(p + PAGE - 5, "across pages", 12) == 0, "read into a region");
    CHECK_EQ(write(g.fd[1], p + PAGE - 5, 12), 12);
    CHECK_EQ(read(g.fd[0], p, 12), 12);
    CHECK(memcmp(p, "across pages", 12) == 0, "write from a region");
}

int main(void)
{
    RUN(case_one_process);
    RUN(case_zero_again);
    RUN(case_two_processes);
    RUN(case_first_touch_race);
    RUN(case_two_creators);
    RUN(case_many_regions);
    RUN(case_buffers_in_a_region);
    return check_done();
}
