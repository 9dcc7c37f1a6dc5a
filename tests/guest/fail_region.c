/* A3: createSharedRegion and createMapping with every one of their allocations failing in turn:
 * ERR_NOMEM, and no trace. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "failing.h"

#define PAGE 4096ul

/* The table as it must be again after each failure. */
static char before[REGION_TABLE_BYTES];

static void table_keep(void)
{
    strcpy(before, region_table());
}

static void table_must_be_kept(const char *call, unsigned n)
{
    CHECK(strcmp(before, region_table()) == 0, "A3: %s, allocation %u: the table changed", call, n);
}

static void case_create(void)
{
    for (unsigned n = 1;; n++) {
        struct fail_result r;

        table_keep();
        r = fail_nth(n, SHOAL_SYS_createSharedRegion, (long)"fail", 20 * PAGE, RS_DEFAULT);
        if (!r.delivered) {
            CHECK_ERR((err_t)r.result, ERR_OK);
            CHECK(n > 1, "A3: createSharedRegion allocates nothing");
            CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
            return;
        }
        CHECK(r.result == ERR_NOMEM, "A3: allocation %u: %s", n, shoal_errname((err_t)r.result));
        table_must_be_kept("createSharedRegion", n);
    }
}

static void case_map(void)
{
    static void *beg;

    CHECK_ERR(createSharedRegion("fail", 20 * PAGE, RS_DEFAULT), ERR_OK);
    for (unsigned n = 1;; n++) {
        struct fail_result r;

        table_keep();
        beg = NULL;
        r = fail_nth(n, SHOAL_SYS_createMapping, (long)"fail", (long)&beg, 0);
        if (!r.delivered) {
            CHECK_ERR((err_t)r.result, ERR_OK);
            CHECK(n > 1, "A3: createMapping allocates nothing");
            region_unmap("fail", beg);
            break;
        }
        CHECK(r.result == ERR_NOMEM, "A3: allocation %u: %s", n, shoal_errname((err_t)r.result));
        CHECK(beg == NULL, "A3: allocation %u: an address was stored", n);
        table_must_be_kept("createMapping", n);
        CHECK_EQ(region_look("fail").mappings, 0);
    }
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

/* Calls that only give back must not need anything: or they fail and change nothing. */
static void case_unmap_and_destroy(void)
{
    for (unsigned n = 1;; n++) {
        void *beg = region_new("fail", 3 * PAGE);
        struct fail_result unmap, destroy;

        unmap = fail_nth(n, SHOAL_SYS_destroyMapping, (long)"fail", (long)beg, 0);
        if (unmap.result == ERR_NOMEM) {
            CHECK_EQ(region_look("fail").mappings, 1);
            region_unmap("fail", beg);
        } else {
            CHECK_ERR((err_t)unmap.result, ERR_OK);
        }
        CHECK_EQ(region_look("fail").mappings, 0);
        destroy = fail_nth(n, SHOAL_SYS_destroySharedRegion, (long)"fail", 0, 0);
        if (destroy.result == ERR_NOMEM)
            CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
        else
            CHECK_ERR((err_t)destroy.result, ERR_OK);
        if (!unmap.delivered && !destroy.delivered)
            return;
    }
}

/* munmap from the middle needs a new piece; when there is no memory for it, all stays mapped. */
static void case_split(void)
{
    for (unsigned n = 1;; n++) {
        char *beg = region_new("fail", 5 * PAGE);
        struct fail_result r;

        memset(beg, 1, 5 * PAGE);
        r = fail_nth(n, SYS_munmap, (long)beg + 2 * PAGE, PAGE, 0);
        if (!r.delivered) {
            CHECK_EQ(r.result, 0);
            CHECK_OK(munmap(beg, 5 * PAGE));
            CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
            return;
        }
        CHECK_EQ(r.result, -ENOMEM);
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQ(beg[i * PAGE], 1);
        CHECK_EQ(region_look("fail").mappings, 1);
        region_unmap("fail", beg);
        CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
    }
}

/* A5: a fork that fails leaves the counts of the parent's mappings alone. */
static void case_fork(void)
{
    volatile char *beg = region_new("fail", 8 * PAGE);

    for (size_t i = 0; i < 8 * PAGE; i += PAGE)
        beg[i] = 3;
    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_fork, 0, 0, 0);

        if (r.result == 0)
            _exit(0);
        if (r.result > 0)
            CHILD_EXITS((pid_t)r.result, 0);
        CHECK_EQ(region_look("fail").mappings, 1);
        CHECK_EQ(beg[PAGE], 3);
        if (!r.delivered) {
            CHECK(r.result > 0, "A5: fork: %ld", r.result);
            break;
        }
        CHECK(r.result == -ENOMEM || r.result == -EAGAIN, "A5: fork, allocation %u: %ld", n,
              r.result);
    }
    region_unmap("fail", (void *)beg);
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

int main(void)
{
    RUN(case_create);
    RUN(case_map);
    RUN(case_unmap_and_destroy);
    RUN(case_split);
    RUN(case_fork);
    return check_done();
}
