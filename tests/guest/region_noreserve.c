/* A7: a region is promised its memory, unless it gives the promise up. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE 4096ul
#define HUGE (512ul << 20) /* far more than the machine has */

/* Touches page after page until there is none left. */
static void eater(void *arg)
{
    volatile char *p = region_map(arg);

    child_settle();
    for (size_t at = 0; at < HUGE; at += PAGE)
        p[at] = 1;
}

static void case_promised(void)
{
    void *beg;

    CHECK_ERR(createSharedRegion("huge", HUGE, RS_DEFAULT), ERR_NOMEM);
    CHECK_ERR(createSharedRegion("huge", HUGE, RS_PERSIST), ERR_NOMEM);
    CHECK_ERR(createMapping("huge", &beg), ERR_NOTEXIST); /* A3 */
}

/* A touch that finds no memory is SIGBUS, and all of it comes back. */
static void case_not_promised(void)
{
    struct region_stat st;

    child_settle();
    for (unsigned round = 0; round < 2; round++) {
        CHECK_ERR(createSharedRegion("huge", HUGE, RS_PERSIST | RS_NORESERVE), ERR_OK);
        MUST_DIE(eater, "huge", SIGBUS);
        CHECK_ERR(statRegion("huge", &st), ERR_OK);
        CHECK(st.resident_bytes > 0 && st.resident_bytes < HUGE, "A7: resident %lu",
              (unsigned long)st.resident_bytes);
        CHECK_ERR(destroySharedRegion("huge"), ERR_OK);
    }
}

/* What was promised is there though others eat all the rest. */
static void case_promise_kept(void)
{
    volatile char *mine;

    mine = region_new("mine", 512 * PAGE);
    CHECK_ERR(createSharedRegion("huge", HUGE, RS_PERSIST | RS_NORESERVE), ERR_OK);
    child_settle();
    MUST_DIE(eater, "huge", SIGBUS);
    for (size_t at = 0; at < 512 * PAGE; at += PAGE)
        mine[at] = 1;
    CHECK_EQ(region_look("mine").resident_pages, 512);
    CHECK_ERR(destroySharedRegion("huge"), ERR_OK);
}

int main(void)
{
    RUN(case_promised);
    RUN(case_not_promised);
    RUN(case_promise_kept);
    return check_done();
}
