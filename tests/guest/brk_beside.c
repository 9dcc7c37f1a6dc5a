/* brk and malloc beside mappings at any place: right above the break, in the way of its growth, and
 * scattered over the address space.  Nothing overlaps, and what cannot grow is refused (R7, A3). */
#include <sys/mman.h>
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE         4096ul
#define REGION_PAGES 4ul

static uintptr_t set_brk(uintptr_t to)
{
    return (uintptr_t)shoal_syscall(SYS_brk, (long)to, 0, 0, 0);
}

static uintptr_t page_aligned_brk(void)
{
    uintptr_t top = (set_brk(0) + PAGE - 1) & ~(PAGE - 1);

    CHECK_EQ(set_brk(top), top);
    return top;
}

/* NULL when something is there already. */
static char *map_fixed(uintptr_t at)
{
    struct region_map how = {.flags = RM_FIXED, .addr = at};
    void *beg = NULL;
    err_t err = createMappingWith("beside", &beg, &how);

    CHECK(err == ERR_OK || err == ERR_EXIST, "createMappingWith: %s", shoal_errname(err));
    return err == ERR_OK ? beg : NULL;
}

/* A region some pages above the break: the break grows up to it, and no byte farther. */
static void brk_below(size_t gap_pages)
{
    uintptr_t top = page_aligned_brk(), limit = top + gap_pages * PAGE;
    char *p = map_fixed(limit);

    CHECK(p != NULL, "R7: the place above the break is taken");
    memset(p, 0x5a, REGION_PAGES * PAGE);
    CHECK_EQ(set_brk(limit + 1), top);
    CHECK_EQ(set_brk(limit + REGION_PAGES * PAGE), top);
    CHECK_EQ(set_brk(limit + 100 * PAGE), top); /* over it, not into it */
    CHECK_EQ(set_brk(limit), limit);
    if (gap_pages > 0)
        memset((char *)top, 0x11, gap_pages * PAGE);
    CHECK_EQ(set_brk(limit + 1), limit);
    for (size_t i = 0; i < REGION_PAGES * PAGE; i += 64)
        CHECK_EQ(p[i], 0x5a);
    CHECK_EQ(set_brk(top), top);
    CHECK_EQ(probe_read(p), 0);
    region_unmap("beside", p);
    CHECK_EQ(set_brk(limit + 2 * PAGE), limit + 2 * PAGE); /* now there is room */
    CHECK_EQ(((volatile char *)limit)[0], 0);
    CHECK_EQ(set_brk(top), top);
}

static void case_brk_stops_at_a_region(void)
{
    CHECK_ERR(createSharedRegion("beside", REGION_PAGES * PAGE, RS_DEFAULT), ERR_OK);
    for (size_t gap = 0; gap < 8; gap++)
        brk_below(gap);
    brk_below(511);
    brk_below(513);
}

/* A region where the heap is: refused, and the heap is as it was. */
static void case_region_into_the_heap(void)
{
    uintptr_t top = page_aligned_brk();

    CHECK_ERR(createSharedRegion("beside", REGION_PAGES * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_EQ(set_brk(top + 8 * PAGE), top + 8 * PAGE);
    memset((char *)top, 0x22, 8 * PAGE);
    for (size_t i = 0; i < 8; i++)
        CHECK(map_fixed(top + i * PAGE) == NULL, "R7: mapped over the heap, page %zu", i);
    for (size_t i = 0; i < 8 * PAGE; i += 64)
        CHECK_EQ(((char *)top)[i], 0x22);
    CHECK_EQ(region_look("beside").mappings, 0);
}

#define BLOCKS   120u
#define MAPPINGS 40u

static size_t block_size(struct rng *rng)
{
    return rng_below(rng, 8) ? 1 + rng_below(rng, 20000) : 130000 + rng_below(rng, 60000);
}

static void block_must_hold(const unsigned char *p, size_t size, unsigned char value)
{
    CHECK(p[0] == value && p[size / 2] == value && p[size - 1] == value, "a block changed");
}

/* Near the break, near a block, or anywhere in the user half. */
static uintptr_t place(struct rng *rng, const void *near_block)
{
    switch (rng_below(rng, 3)) {
    case 0:
        return ((set_brk(0) + PAGE - 1) & ~(PAGE - 1)) + rng_below(rng, 64) * PAGE;
    case 1:
        return ((uintptr_t)near_block & ~(PAGE - 1)) + (rng_below(rng, 128) - 64) * PAGE;
    default:
        return (1 + rng_below(rng, 0x7ffffff)) * 256 * PAGE / 2;
    }
}

static void mapping_must_hold(const volatile char *p)
{
    for (size_t page = 0; page < REGION_PAGES; page++)
        CHECK_EQ(p[page * PAGE + 99], 0x30 + page);
}

/* Blocks and mappings come to lie among each other; each keeps what was written to it. */
static void case_malloc_beside_regions(void)
{
    struct rng rng = {20240229};
    unsigned char *blocks[BLOCKS] = {NULL};
    size_t sizes[BLOCKS];
    char *maps[MAPPINGS] = {NULL}, *p = region_new("beside", REGION_PAGES * PAGE);

    for (size_t page = 0; page < REGION_PAGES; page++)
        p[page * PAGE + 99] = (char)(0x30 + page);
    for (unsigned step = 0; step < 4000; step++) {
        unsigned b = (unsigned)rng_below(&rng, BLOCKS), m = (unsigned)rng_below(&rng, MAPPINGS);

        if (blocks[b]) {
            block_must_hold(blocks[b], sizes[b], (unsigned char)b);
            free(blocks[b]);
        }
        sizes[b] = block_size(&rng);
        blocks[b] = malloc(sizes[b]);
        CHECK(blocks[b] != NULL, "malloc(%zu)", sizes[b]);
        memset(blocks[b], (int)b, sizes[b]);
        if (maps[m]) {
            mapping_must_hold(maps[m]);
            region_unmap("beside", maps[m]);
        }
        maps[m] = map_fixed(place(&rng, blocks[b]));
        if (maps[m])
            mapping_must_hold(maps[m]);
    }
    for (unsigned b = 0; b < BLOCKS; b++)
        if (blocks[b])
            block_must_hold(blocks[b], sizes[b], (unsigned char)b);
}

int main(void)
{
    RUN(case_brk_stops_at_a_region);
    RUN(case_region_into_the_heap);
    RUN(case_malloc_beside_regions);
    return check_done();
}
