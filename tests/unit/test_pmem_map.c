#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <abi/exit.h>
#include <kernel/base/panic.h>
#include <kernel/phys/pmem.h>

#define KB ((paddr_t)1024)
#define MB (1024 * KB)

/* Boot memory maps, each in a process of its own: the database is built once.  The checks in the
 * children are the kernel's own ASSERT, whose panic is what the parent looks for. */

static bool in_ranges(const struct prange *ranges, unsigned n, paddr_t addr)
{
    for (unsigned i = 0; i < n; i++)
        if (addr + PAGE_BYTES > ranges[i].beg && addr < ranges[i].end)
            return true;
    return false;
}

/* All frames can be had, once, and each is RAM that nothing else uses. */
static void take_all(void *arg)
{
    const struct bootinfo *info = arg;
    host_arena_make(64 * MB);
    memset(host_arena, 0x77, 64 * MB); /* a database that is not cleared would show */
    pmem_init(info);
    size_t want = 0, got = 0;
    for (paddr_t addr = 0; addr < 64 * MB; addr += PAGE_BYTES)
        want += in_ranges(info->ram, info->nram, addr) &&
                !in_ranges(info->reserved, info->nreserved, addr);
    static bool seen[64 * MB / PAGE_BYTES];
    for (struct page *page; (page = page_alloc(PAGE_KERNEL, 0, 0)); got++) {
        paddr_t addr = page_to_paddr(page);
        ASSERT(in_ranges(info->ram, info->nram, addr));
        ASSERT(!in_ranges(info->reserved, info->nreserved, addr));
        ASSERT(!seen[addr >> PAGE_SHIFT]);
        seen[addr >> PAGE_SHIFT] = true;
    }
    ASSERT(got == pmem_total_pages());
    /* What is missing is the database. */
    size_t span_pages = (size_t)((info->ram[info->nram - 1].end - info->ram[0].beg) >> PAGE_SHIFT);
    size_t database_pages = (span_pages * sizeof(struct page) + PAGE_BYTES - 1) >> PAGE_SHIFT;
    ASSERTF(got + database_pages == want, "got %zu database %zu want %zu", got, database_pages,
            want);
}

static void assert_map_works(const struct bootinfo *info)
{
    int code = host_run_forked(take_all, (void *)info);
    if (code != EXIT_CODE_OK)
        fail_msg("exit code %d:\n%s", code, host_console());
}

static void test_one_range(void **state)
{
    assert_map_works(&(struct bootinfo){.nram = 1, .ram = {{0, 64 * MB}}});
    assert_map_works(&(struct bootinfo){.nram = 1, .ram = {{1 * MB + 12 * KB, 33 * MB + 4 * KB}}});
    assert_map_works(&(struct bootinfo){.nram = 1, .ram = {{4 * KB, 16 * KB}}});
}

static void test_holes(void **state)
{
    assert_map_works(&(struct bootinfo){
        .nram = 3, .ram = {{4 * KB, 640 * KB}, {1 * MB, 9 * MB}, {40 * MB, 64 * MB}}});
}

/* Reserved ranges that overlap, touch, stick out of the RAM, are empty, or start in the middle of
 * pages. */
static void test_reserved(void **state)
{
    assert_map_works(&(struct bootinfo){.nram = 2,
                                        .ram = {{0, 640 * KB}, {1 * MB, 40 * MB}},
                                        .nreserved = 8,
                                        .reserved = {{0, 1},
                                                     {600 * KB, 2 * MB},
                                                     {1 * MB + 100, 3 * MB + 100},
                                                     {3 * MB + 8 * KB, 3 * MB + 8 * KB + 1},
                                                     {3 * MB + 12 * KB, 3 * MB + 20 * KB},
                                                     {20 * MB, 20 * MB},
                                                     {39 * MB, 50 * MB},
                                                     {10 * MB - 1, 10 * MB + 1}}});
}

static void test_random_maps(void **state)
{
    uint64_t random = 77;
    for (int map = 0; map < 30; map++) {
        struct bootinfo info = {.nram = 1 + (unsigned)random_below(&random, 4)};
        paddr_t at = 0;
        for (unsigned i = 0; i < info.nram; i++) {
            info.ram[i].beg = at + random_below(&random, 100) * PAGE_BYTES;
            info.ram[i].end = info.ram[i].beg + (300 + random_below(&random, 3000)) * PAGE_BYTES;
            at = info.ram[i].end;
        }
        info.nreserved = (unsigned)random_below(&random, 10);
        for (unsigned i = 0; i < info.nreserved; i++) {
            info.reserved[i].beg = random_below(&random, at);
            info.reserved[i].end = info.reserved[i].beg + random_below(&random, 100 * KB);
        }
        assert_map_works(&info);
    }
}

static void test_no_room(void **state)
{
    struct bootinfo info = {
        .nram = 1, .ram = {{0, 4 * MB}}, .nreserved = 1, .reserved = {{0, 4 * MB}}};
    host_expect_panic(take_all, &info, "no room for the frame database of 1024 frames");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_range), cmocka_unit_test(test_holes),
        cmocka_unit_test(test_reserved),  cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
