/* A6, R7, R8: where a mapping ends.  Three regions side by side around a boundary of the page
 * tables, of every size from 1 to 513 pages: the one page between goes, and its neighbours stay. */
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE      4096ul
#define MAX_PAGES 513ul
#define BASE      0x100000000000ul
#define BOUND_2M  (BASE + 0x200000)
#define BOUND_1G  (BASE + 0x40000000)

static char *map_at(const char *name, uintptr_t at, size_t pages)
{
    struct region_map how = {.flags = RM_FIXED, .addr = at, .length_bytes = pages * PAGE};
    void *beg = NULL;

    CHECK_ERR(createMappingWith(name, &beg, &how), ERR_OK);
    CHECK(beg == (void *)at, "R7: %s is at %p, not at %p", name, beg, (void *)at);
    return beg;
}

static void mark(char *p, size_t pages, char value)
{
    p[0] = p[pages * PAGE - 1] = value;
}

static void must_be_marked(const char *p, size_t pages, char value)
{
    CHECK_EQ(p[0], value);
    CHECK_EQ(p[pages * PAGE - 1], value);
}

/* The page at `at` between `pages` pages on either side. */
static void unmap_between(uintptr_t at, size_t pages, bool by_munmap)
{
    char *left = map_at("left", at - pages * PAGE, pages), *target = map_at("target", at, 1);
    char *right = map_at("right", at + PAGE, pages);

    mark(left, pages, 1);
    mark(target, 1, 2);
    mark(right, pages, 3);
    if (by_munmap)
        CHECK_OK(munmap(target, PAGE));
    else
        region_unmap("target", target);
    CHECK(probe_read(target) == SIGSEGV, "A6: %zu pages at %p", pages, (void *)at);
    CHECK_EQ(probe_write(target + PAGE - 1), SIGSEGV);
    must_be_marked(left, pages, 1);
    must_be_marked(right, pages, 3);
    CHECK_EQ(probe_read(left - 1), SIGSEGV);
    CHECK_EQ(probe_read(right + pages * PAGE), SIGSEGV);
    region_unmap("left", left);
    must_be_marked(right, pages, 3);
    region_unmap("right", right);
    CHECK_EQ(probe_read(left), SIGSEGV);
    CHECK_EQ(probe_read(right), SIGSEGV);
}

static void regions_make(void)
{
    CHECK_ERR(createSharedRegion("left", MAX_PAGES * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createSharedRegion("target", PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createSharedRegion("right", MAX_PAGES * PAGE, RS_DEFAULT), ERR_OK);
}

/* The page after the boundary, and the page before it. */
static void all_sizes(uintptr_t boundary)
{
    regions_make();
    for (size_t pages = 1; pages <= MAX_PAGES; pages++) {
        unmap_between(boundary, pages, pages % 2);
        unmap_between(boundary - PAGE, pages, pages % 2 == 0);
    }
    CHECK_EQ(region_look("left").mappings + region_look("right").mappings, 0);
    CHECK_EQ(region_look("target").mappings, 0);
}

static void case_beside_2_mebibytes(void)
{
    all_sizes(BOUND_2M);
}

static void case_beside_1_gibibyte(void)
{
    all_sizes(BOUND_1G);
}

/* A mapping of n pages is n pages: each can be written, the ones before and after fault. */
static void case_exact_extent(void)
{
    regions_make();
    for (size_t pages = 1; pages <= MAX_PAGES; pages += pages < 16 || pages > 508 ? 1 : 29) {
        char *p = map_at("left", BOUND_2M - PAGE, pages);

        for (size_t i = 0; i < pages; i++)
            p[i * PAGE] = p[i * PAGE + PAGE - 1] = (char)i;
        CHECK_EQ(probe_read(p - 1), SIGSEGV);
        CHECK(probe_read(p + pages * PAGE) == SIGSEGV, "A6: %zu pages have one more", pages);
        CHECK_EQ(probe_write(p + pages * PAGE), SIGSEGV);
        region_unmap("left", p);
        CHECK_EQ(probe_read(p), SIGSEGV);
        CHECK_EQ(probe_read(p + (pages - 1) * PAGE), SIGSEGV);
    }
}

/* One page out of a region that lies across the boundary, every page in turn. */
static void case_one_page_of_a_region(void)
{
    const uintptr_t bounds[] = {BOUND_2M, BOUND_1G};

    regions_make();
    for (unsigned b = 0; b < 2; b++) {
        for (size_t i = 0; i < 8; i++) {
            char *p = map_at("left", bounds[b] - 4 * PAGE, 8);

            for (size_t j = 0; j < 8; j++)
                p[j * PAGE] = (char)j;
            CHECK_OK(munmap(p + i * PAGE, PAGE));
            for (size_t j = 0; j < 8; j++) {
                CHECK_EQ(probe_read(p + j * PAGE), j == i ? SIGSEGV : 0);
                if (j != i)
                    CHECK_EQ(p[j * PAGE], j);
            }
            CHECK_OK(munmap(p, 8 * PAGE));
        }
    }
    CHECK_EQ(region_look("left").mappings, 0);
}

int main(void)
{
    RUN(case_beside_2_mebibytes);
    RUN(case_beside_1_gibibyte);
    RUN(case_exact_extent);
    RUN(case_one_page_of_a_region);
    return check_done();
}
