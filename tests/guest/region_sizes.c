/* R2, A1, A7: sizes, what they are rounded to, and the exact end of a mapping. */
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE 4096ul

static void case_refused(void)
{
    CHECK_ERR(createSharedRegion("s", 0, RS_DEFAULT), ERR_INVAL);
    CHECK_ERR(createSharedRegion("s", SIZE_MAX, RS_DEFAULT), ERR_INVAL);
    CHECK_ERR(createSharedRegion("s", SIZE_MAX - PAGE + 2, RS_DEFAULT), ERR_INVAL);
    CHECK_ERR(createSharedRegion("s", PAGE, 0x80000000u), ERR_INVAL);
    CHECK_ERR(createSharedRegion("s", PAGE, ~0u), ERR_INVAL);
    region_must_be_gone("s", "A3");
}

/* More than there is: refused when it is created, whatever else (A7). */
static void case_too_much(void)
{
    const size_t sizes[] = {1ul << 31, 1ul << 32, 1ul << 40, 1ul << 47, 1ul << 52, 1ul << 63};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (unsigned j = 0; j < 3; j++)
            CHECK_ERR(createSharedRegion("much", sizes[i] - 1 + j, RS_DEFAULT), ERR_NOMEM);
    region_must_be_gone("much", "A3");
}

/* Pages without access, made before the regions: they fill small holes, and wherever the kernel
 * goes on from there, up or down, one neighbour of the next mapping is such a page and the other is
 * free. */
static void guards_make(void)
{
    for (unsigned i = 0; i < 64; i++)
        CHECK(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
              "mmap");
}

static void size_check(size_t size)
{
    size_t rounded = (size + PAGE - 1) & ~(PAGE - 1);
    char *p = region_new("sized", size);

    CHECK_EQ(region_look("sized").size_bytes, rounded);
    CHECK_EQ(region_look("sized").resident_pages, 0);
    CHECK_EQ((uintptr_t)p % PAGE, 0);
    CHECK_EQ(p[0], 0);
    CHECK_EQ(p[rounded - 1], 0);
    p[rounded - 1] = p[0] = 1;
    CHECK_EQ(region_look("sized").resident_pages, rounded > PAGE ? 2 : 1);
    CHECK(probe_read(p + rounded) == SIGSEGV, "R7: the byte after %zu bytes is there", size);
    CHECK(probe_read(p - 1) == SIGSEGV, "R7: the byte before %zu bytes is there", size);
    region_unmap("sized", p);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_read(p + rounded - 1), SIGSEGV);
    CHECK_ERR(destroySharedRegion("sized"), ERR_OK);
}

static void case_rounding(void)
{
    const size_t sizes[] = {1,          4095,       4096,    4097,       8191,    8192,
                            8193,       65536,      2097151, 2097152,    2097153, 4194304,
                            511 * PAGE, 513 * PAGE, 1000001, 1024 * 1024};

    guards_make();
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        size_check(sizes[i]);
}

static void case_every_size_to_40_pages(void)
{
    guards_make();
    for (size_t pages = 1; pages <= 40; pages++)
        size_check(pages * PAGE);
}

/* What fits is all usable. */
static void case_8_mebibytes(void)
{
    size_t n = 8ul << 20;
    volatile uint32_t *p = region_new("big", n);

    for (size_t i = 0; i < n / 4; i += 256)
        p[i] = (uint32_t)i;
    for (size_t i = 0; i < n / 4; i += 256)
        CHECK_EQ(p[i], i);
    CHECK_EQ(region_look("big").resident_pages, n / PAGE);
}

int main(void)
{
    RUN(case_refused);
    RUN(case_too_much);
    RUN(case_rounding);
    RUN(case_every_size_to_40_pages);
    RUN(case_8_mebibytes);
    return check_done();
}
