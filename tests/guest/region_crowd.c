/* Many at once: 64 mappers that exit together while others map, and a thousand lives of a region.
 */
#include "child.h"
#include "regions.h"

#define PAGE    4096ul
#define MAPPERS 64

static void map_and_wait(void *arg)
{
    struct gate *g = arg;
    volatile unsigned *p = region_map("crowd");

    __atomic_fetch_add(&p[0], 1, __ATOMIC_SEQ_CST);
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
}

static void map_in_a_loop(void *arg)
{
    volatile unsigned *stop = arg;

    while (!*stop) {
        volatile unsigned *p = region_map("crowd");

        __atomic_fetch_add(&p[1], 1, __ATOMIC_SEQ_CST);
        region_unmap("crowd", (void *)p);
    }
}

static void case_64_exit_at_once(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    volatile unsigned *stop = region_new("stop", PAGE);
    volatile unsigned *p;
    pid_t pids[MAPPERS], others[2];

    CHECK_ERR(createSharedRegion("crowd", 2 * PAGE, RS_DEFAULT), ERR_OK);
    for (unsigned i = 0; i < 2; i++)
        others[i] = child_start(map_in_a_loop, (void *)stop);
    for (unsigned i = 0; i < MAPPERS; i++)
        pids[i] = child_start(map_and_wait, g);
    for (unsigned i = 0; i < MAPPERS; i++)
        gate_pass(&g[0]);
    CHECK(region_look("crowd").mappings >= MAPPERS, "R7: %lu mappings of %u processes",
          region_look("crowd").mappings, MAPPERS);
    gate_open(&g[1], MAPPERS);
    for (unsigned i = 0; i < MAPPERS; i++)
        CHILD_EXITS(pids[i], 0);
    *stop = 1;
    CHILD_EXITS(others[0], 0);
    CHILD_EXITS(others[1], 0);
    CHECK(region_look("crowd").mappings == 0, "A4: %lu mappings, and nobody has it mapped",
          region_look("crowd").mappings);
    p = region_map("crowd");
    CHECK_EQ(p[0], MAPPERS);
    CHECK(p[1] > 0, "the others mapped too");
}

static void case_1000_lives(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        volatile unsigned *p = region_new("lives", (1 + i % 4) * PAGE);

        CHECK_EQ(p[5], 0);
        p[5] = i;
        p[i % 4 * PAGE / 4] = i;
        region_unmap("lives", (void *)p);
        CHECK_ERR(destroySharedRegion("lives"), ERR_OK);
    }
}

/* Each process lives its own regions, all through the one table. */
static void live(void *arg)
{
    char name[16];

    snprintf(name, sizeof(name), "own%ld", (long)arg);
    for (unsigned i = 0; i < 100; i++) {
        volatile unsigned *p = region_new(name, PAGE);

        CHECK_EQ(*p, 0);
        *p = i;
        CHECK_ERR(lockRegion(name), ERR_OK);
        CHECK_ERR(unlockRegion(name), ERR_OK);
        region_unmap(name, (void *)p);
        CHECK_ERR(destroySharedRegion(name), ERR_OK);
    }
}

static void case_8_tables_users(void)
{
    pid_t pids[8];

    for (long i = 0; i < 8; i++)
        pids[i] = child_start(live, (void *)i);
    for (unsigned i = 0; i < 8; i++)
        CHILD_EXITS(pids[i], 0);
}

int main(void)
{
    RUN(case_64_exit_at_once);
    RUN(case_1000_lives);
    RUN(case_8_tables_users);
    return check_done();
}
