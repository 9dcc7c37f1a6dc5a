#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <arch/cpu.h>
#include <kernel/base/audit.h>
#include <kernel/phys/failpoint.h>
#include <kernel/phys/pmem.h>

#define MEMORY_BYTES ((size_t)24 << 20)
#define BLOCKS       200
#define CPUS         4

static size_t free_at_start;

static int group_setup(void **state)
{
    host_memory_init(MEMORY_BYTES, 3 * PAGE_BYTES + 5);
    free_at_start = pmem_free_pages();
    assert_int_equal(pmem_total_pages(), free_at_start);
    /* All but the reserved start, rounded out, and the database. */
    size_t database_pages = MEMORY_BYTES / PAGE_BYTES * sizeof(struct page) / PAGE_BYTES;
    assert_int_equal(free_at_start, MEMORY_BYTES / PAGE_BYTES - 4 - database_pages);
    return 0;
}

static size_t audit_count(const char *name)
{
    struct audit audit = {0};
    pmem_audit(&audit);
    for (unsigned i = 0; i < audit.n; i++)
        if (strcmp(audit.lines[i].name, name) == 0)
            return audit.lines[i].count;
    fail_msg("no line \"%s\"", name);
    return 0;
}

static int teardown(void **state)
{
    host_cpu_self()->id = 0;
    failpoint_switch(NULL);
    assert_int_equal(pmem_free_pages(), free_at_start);
    assert_int_equal(audit_count("frames kernel"), 0);
    assert_int_equal(audit_count("frames anonymous"), 0);
    assert_int_equal(audit_count("frames free"), free_at_start);
    return 0;
}

/* How many blocks of the largest order can be had. */
static unsigned count_largest(void)
{
    struct page *blocks[16];
    unsigned n = 0;
    pmem_drain();
    while ((blocks[n] = page_alloc(PAGE_KERNEL, PMEM_ORDER_MAX, 0)))
        n++;
    for (unsigned i = 0; i < n; i++)
        page_free(blocks[i]);
    return n;
}

static void test_addresses(void **state)
{
    struct page *page = page_alloc(PAGE_ANON, 0, PMEM_ZERO);
    assert_non_null(page);
    assert_ptr_equal(paddr_to_page(page_to_paddr(page)), page);
    assert_ptr_equal(paddr_to_page(page_to_paddr(page) + PAGE_BYTES - 1), page);
    assert_ptr_equal(ptr_to_page(page_to_ptr(page)), page);
    assert_ptr_equal(page_to_ptr(page), arch_paddr_to_ptr(page_to_paddr(page)));
    assert_null(paddr_to_page(MEMORY_BYTES));
    assert_null(paddr_to_page(~0ull));
    assert_int_equal(paddr_to_page(0)->use, PAGE_RESERVED);
    page_free(page);
}

UNWATCHED static int peek(const volatile unsigned char *p)
{
    return *p;
}

static void test_contents(void **state)
{
    static const unsigned char zeros[PAGE_BYTES];
    for (unsigned order = 0; order < 4; order++) {
        struct page *page = page_alloc(PAGE_KERNEL, order, 0);
        unsigned char *bytes = page_to_ptr(page);
        assert_int_equal(bytes[0], 0xa5);
        assert_int_equal(bytes[(PAGE_BYTES << order) - 1], 0xa5);
        page_free(page);
        assert_int_equal(peek(&bytes[100]), 0x5a);
        page = page_alloc(PAGE_KERNEL, order, PMEM_ZERO);
        for (size_t i = 0; i < (size_t)1 << order; i++)
            assert_memory_equal((char *)page_to_ptr(page) + i * PAGE_BYTES, zeros, PAGE_BYTES);
        page_free(page);
    }
}

static void test_pins(void **state)
{
    struct page *page = page_alloc(PAGE_CACHE, 0, 0);
    assert_int_equal(page_pins(page), 1);
    page_pin(page);
    assert_int_equal(page_pins(page), 2);
    assert_false(page_unpin(page));
    assert_int_equal(audit_count("frames cache"), 1);
    assert_true(page_unpin(page));
    assert_int_equal(audit_count("frames cache"), 0);
}

struct block {
    struct page *page;
    unsigned order;
    uint64_t mark;
};

static void block_make(struct block *block, uint64_t *random)
{
    static const unsigned orders[] = {0, 0, 0, 0, 1, 2, 3, 5, 8, PMEM_ORDER_MAX};
    block->order = orders[random_below(random, ARRAY_LEN(orders))];
    block->page = page_alloc(PAGE_ANON, block->order, 0);
    if (!block->page)
        return;
    assert_true(IS_ALIGNED(page_to_paddr(block->page), PAGE_BYTES << block->order));
    block->mark = random_next(random);
    for (size_t i = 0; i < (size_t)1 << block->order; i++)
        *(uint64_t *)((char *)page_to_ptr(block->page) + i * PAGE_BYTES) = block->mark + i;
}

/* A frame that was given out twice would have lost its mark. */
static void block_end(struct block *block)
{
    for (size_t i = 0; i < (size_t)1 << block->order; i++)
        assert_true(*(uint64_t *)((char *)page_to_ptr(block->page) + i * PAGE_BYTES) ==
                    block->mark + i);
    page_free(block->page);
    block->page = NULL;
}

static size_t random_blocks(uint64_t random, int steps)
{
    struct block blocks[BLOCKS] = {{0}};
    size_t refused = 0;
    for (int step = 0; step < steps; step++) {
        struct block *block = &blocks[random_below(&random, BLOCKS)];
        if (block->page)
            block_end(block);
        else
            block_make(block, &random);
        refused += !block->page;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].page)
            block_end(&blocks[i]);
    return refused;
}

static void test_random(void **state)
{
    unsigned largest = count_largest();
    assert_true(largest >= 4);
    assert_true(random_blocks(21, 20000) > 0);
    assert_int_equal(count_largest(), largest); /* everything merged again */
}

static void random_on_cpu(unsigned cpu)
{
    random_blocks(100 + cpu, 4000);
}

static void test_cpus(void **state)
{
    unsigned largest = count_largest();
    host_run_cpus(CPUS, random_on_cpu);
    assert_int_equal(count_largest(), largest);
}

/* A single frame can be had as long as any is free, wherever it rests. */
static void test_last_frames(void **state)
{
    struct list taken = LIST_INIT(taken);
    struct page *page;
    size_t n = 0;
    for (; (page = page_alloc(PAGE_KERNEL, 0, 0)); n++)
        list_push_back(&taken, &page->node);
    assert_int_equal(n, free_at_start);
    assert_int_equal(pmem_free_pages(), 0);
    for (unsigned cpu = 1; cpu < CPUS; cpu++) {
        host_cpu_self()->id = cpu;
        for (int i = 0; i < 40; i++)
            page_free(container_of(list_pop_front(&taken), struct page, node));
    }
    host_cpu_self()->id = 0;
    for (int i = 0; i < 40 * (CPUS - 1); i++) {
        page = page_alloc(PAGE_KERNEL, 0, 0);
        assert_non_null(page);
        list_push_back(&taken, &page->node);
    }
    assert_null(page_alloc(PAGE_KERNEL, 0, 0));
    while (!list_empty(&taken))
        page_free(container_of(list_pop_front(&taken), struct page, node));
}

/* The kernel may go below the reserve; then nothing is promised but nothing. */
static void test_promise(void **state)
{
    struct list taken = LIST_INIT(taken);
    struct page *page;
    for (; (page = page_alloc(PAGE_ANON, 0, 0));)
        list_push_back(&taken, &page->node);
    assert_true(pmem_promise(0));
    list_push_back(&taken, &page_alloc(PAGE_KERNEL, 0, 0)->node);
    assert_false(pmem_promise(1));
    assert_true(pmem_promise(0));
    for (unsigned i = 0; i < 2; i++)
        page_free(container_of(list_pop_front(&taken), struct page, node));
    assert_true(pmem_promise(1));
    assert_false(pmem_promise(1));
    pmem_unpromise(1);
    while (!list_empty(&taken))
        page_free(container_of(list_pop_front(&taken), struct page, node));
}

static void test_failpoint(void **state)
{
    struct failpoint fp = {.countdown = {[FAIL_ALLOC] = 2}};
    failpoint_switch(&fp);
    struct page *page = page_alloc(PAGE_KERNEL, 0, 0);
    assert_non_null(page);
    assert_null(page_alloc(PAGE_KERNEL, 0, 0));
    assert_int_equal(fp.countdown[FAIL_ALLOC], 0);
    page_free(page);
}

static void test_sites(void **state)
{
    struct page *page = page_alloc(PAGE_ANON, 2, 0);
    host_console_clear();
    pmem_print_sites();
    assert_non_null(strstr(host_console(), "frames anonymous: 4 from 0x"));
    assert_null(strstr(host_console(), "frames kernel"));
    page_free(page);
}

static void free_twice(void *arg)
{
    page_free(arg);
    page_free(arg);
}

static void free_pinned(void *arg)
{
    page_pin(arg);
    page_free(arg);
}

static void unpin_twice(void *arg)
{
    page_unpin(arg);
    page_unpin(arg);
}

static void pin_free(void *arg)
{
    page_free(arg);
    page_pin(arg);
}

static void free_middle(void *arg)
{
    struct page *block = page_alloc(PAGE_KERNEL, 2, 0);
    page_free(block + 1);
}

static void free_reserved(void *arg)
{
    page_free(paddr_to_page(0));
}

static void alloc_for_nothing(void *arg)
{
    page_alloc(PAGE_FREE, 0, 0);
}

static void test_misuse(void **state)
{
    struct page *page = page_alloc(PAGE_KERNEL, 0, 0);
    host_expect_panic(free_twice, page, "is freed with 0 pins");
    host_expect_panic(free_pinned, page, "is freed with 2 pins");
    host_expect_panic(unpin_twice, page, "unpinned while free");
    host_expect_panic(pin_free, page, "pins=0");
    host_expect_panic(free_middle, page, "is freed with 0 pins");
    host_expect_panic(free_reserved, page, "is freed with 0 pins");
    host_expect_panic(alloc_for_nothing, page, "use=1");
    page_free(page);
}

static void read_byte(void *arg)
{
    (void)*(volatile char *)arg;
}

/* A frame is out of bounds until it is allocated, and again when it is freed, whoever caches it. */
static void test_watched(void **state)
{
    size_t last = MEMORY_BYTES - PAGE_BYTES;
    host_expect_report(read_byte, arch_paddr_to_ptr(last), "use-after-poison");
    for (unsigned order = 0; order <= PMEM_ORDER_MAX; order += 5) {
        struct page *page = page_alloc(PAGE_KERNEL, order, 0);
        char *bytes = page_to_ptr(page);
        assert_int_equal(host_run_forked(read_byte, bytes + (PAGE_BYTES << order) - 1), 0);
        page_free(page);
        host_expect_report(read_byte, bytes, "use-after-poison");
        host_expect_report(read_byte, bytes + (PAGE_BYTES << order) - 1, "use-after-poison");
    }
}

/* What was freed is not what is allocated next. */
static void test_held(void **state)
{
    struct page *freed = page_alloc(PAGE_KERNEL, 0, 0);
    page_free(freed);
    for (int i = 0; i < 16; i++) {
        struct page *other = page_alloc(PAGE_KERNEL, 0, 0);
        assert_ptr_not_equal(other, freed);
        page_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_addresses, teardown),
        cmocka_unit_test_teardown(test_contents, teardown),
        cmocka_unit_test_teardown(test_pins, teardown),
        cmocka_unit_test_teardown(test_random, teardown),
        cmocka_unit_test_teardown(test_cpus, teardown),
        cmocka_unit_test_teardown(test_last_frames, teardown),
        cmocka_unit_test_teardown(test_promise, teardown),
        cmocka_unit_test_teardown(test_failpoint, teardown),
        cmocka_unit_test_teardown(test_sites, teardown),
        cmocka_unit_test_teardown(test_misuse, teardown),
        cmocka_unit_test_teardown(test_watched, teardown),
        cmocka_unit_test_teardown(test_held, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
