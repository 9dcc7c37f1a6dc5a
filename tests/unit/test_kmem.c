#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <arch/cpu.h>
#include <kernel/base/audit.h>
#include <kernel/phys/failpoint.h>
#include <kernel/phys/kmem.h>
#include <kernel/phys/pmem.h>

#define OBJECTS 300
#define CPUS    4

struct thing {
    uint64_t words[9];
};

static struct kmem_cache things = KMEM_CACHE("thing", struct thing);
static struct kmem_cache tiny = KMEM_CACHE_BYTES("tiny", 1);
static struct kmem_cache large = KMEM_CACHE_BYTES("large", 5000);
static struct kmem_cache never = KMEM_CACHE("never", struct thing);

static size_t free_at_start;

static int group_setup(void **state)
{
    host_memory_init((size_t)16 << 20, 0);
    free_at_start = pmem_free_pages();
    return 0;
}

/* Every frame is back, but for none: the kept slabs are given up first. */
static int teardown(void **state)
{
    failpoint_switch(NULL);
    kmem_shrink();
    assert_int_equal(pmem_free_pages(), free_at_start);
    return 0;
}

static void assert_bytes(const void *p, unsigned char byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(((const unsigned char *)p)[i], byte);
}

/* Objects do not overlap, are zeroed and aligned, and keep their contents. */
static void random_objects(struct kmem_cache *cache, uint64_t random, int steps)
{
    unsigned char *objects[OBJECTS] = {0};
    for (int step = 0; step < steps; step++) {
        size_t i = random_below(&random, OBJECTS);
        if (objects[i]) {
            assert_bytes(objects[i], (unsigned char)i, cache->object_bytes);
            kmem_free(cache, objects[i]);
            objects[i] = NULL;
            continue;
        }
        objects[i] = kmem_alloc(cache);
        assert_non_null(objects[i]);
        assert_true(IS_ALIGNED((uintptr_t)objects[i], 16));
        assert_bytes(objects[i], 0, cache->object_bytes);
        memset(objects[i], (int)i, cache->object_bytes);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        if (objects[i])
            kmem_free(cache, objects[i]);
}

static void test_random(void **state)
{
    random_objects(&tiny, 1, 10000);
    random_objects(&things, 2, 10000);
    random_objects(&large, 3, 5000);
    assert_int_equal(things.live, 0);
    assert_true(things.slabs <= 1 + things.held_max); /* one is kept, others hold held objects */
    assert_true(things.per_slab >= 8);
    assert_true(large.slab_order <= 3);
}

static void random_on_cpu(unsigned cpu)
{
    random_objects(&things, 50 + cpu, 5000);
    random_objects(cpu % 2 ? &tiny : &large, 60 + cpu, 2000);
}

static void test_cpus(void **state)
{
    host_run_cpus(CPUS, random_on_cpu);
    assert_int_equal(things.live, 0);
    pmem_drain();
}

static void test_bytes(void **state)
{
    for (size_t bytes = 1; bytes <= KMEM_BYTES_MAX;
         bytes = bytes < 40 ? bytes + 1 : bytes * 5 / 4) {
        unsigned char *a = kmem_alloc_bytes(bytes), *b = kmem_alloc_bytes(bytes);
        assert_non_null(a);
        assert_non_null(b);
        assert_bytes(a, 0, bytes);
        memset(a, 1, bytes);
        memset(b, 2, bytes);
        assert_bytes(a, 1, bytes);
        kmem_free_bytes(a, bytes);
        assert_bytes(b, 2, bytes);
        kmem_free_bytes(b, bytes);
    }
    void *largest = kmem_alloc_bytes(KMEM_BYTES_MAX);
    assert_non_null(largest);
    kmem_free_bytes(largest, KMEM_BYTES_MAX);
    assert_null(kmem_alloc_bytes(KMEM_BYTES_MAX + 1));
    assert_null(kmem_alloc_bytes(SIZE_MAX));
    void *none = kmem_alloc_bytes(0);
    assert_non_null(none);
    kmem_free_bytes(none, 0);
}

/* One failing request is one count, whether or not it needs a new slab. */
static void test_failpoint(void **state)
{
    struct failpoint fp = {0};
    failpoint_switch(&fp);
    for (unsigned nth = 1; nth < 40; nth++) {
        void *objects[40];
        unsigned failed = 0;
        kmem_shrink();
        fp.countdown[FAIL_ALLOC] = nth;
        for (unsigned i = 0; i < 40; i++) {
            objects[i] = kmem_alloc(&large);
            if (objects[i])
                continue;
            failed++;
            assert_int_equal(i, nth - 1);
        }
        assert_int_equal(failed, 1);
        for (unsigned i = 0; i < 40; i++)
            if (objects[i])
                kmem_free(&large, objects[i]);
    }
    static const size_t sizes[] = {16, 8192, 8193, 65536};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        fp.countdown[FAIL_ALLOC] = 1;
        assert_null(kmem_alloc_bytes(sizes[i]));
        void *p = kmem_alloc_bytes(sizes[i]);
        assert_non_null(p);
        kmem_free_bytes(p, sizes[i]);
    }
}

/* No way to memory passes the failpoint by, and none asks it twice. */
static void test_every_request_counts_once(void **state)
{
    struct failpoint fp = {.countdown = {[FAIL_ALLOC] = 100}};
    unsigned left = 100;
    failpoint_switch(&fp);
    kmem_shrink();
    for (int again = 0; again < 2; again++) { /* with a new slab, and from it */
        void *thing = kmem_alloc(&things);
        assert_int_equal(fp.countdown[FAIL_ALLOC], --left);
        void *small = kmem_alloc_bytes(100), *big = kmem_alloc_bytes(20000);
        left -= 2;
        assert_int_equal(fp.countdown[FAIL_ALLOC], left);
        struct page *frame = page_alloc(PAGE_KERNEL, 0, PMEM_ZERO);
        struct page *block = page_alloc(PAGE_KERNEL, 3, 0);
        left -= 2;
        assert_int_equal(fp.countdown[FAIL_ALLOC], left);
        assert_true(pmem_promise(1));
        struct page *promised = page_alloc(PAGE_CACHE, 0, PMEM_PROMISED);
        left -= 2;
        assert_int_equal(fp.countdown[FAIL_ALLOC], left);
        page_free(promised);
        page_free(block);
        page_free(frame);
        kmem_free_bytes(big, 20000);
        kmem_free_bytes(small, 100);
        kmem_free(&things, thing);
        assert_int_equal(fp.countdown[FAIL_ALLOC], left);
    }
}

static void test_out_of_memory(void **state)
{
    struct list {
        struct list *next;
    } *all = NULL;
    size_t n = 0;
    for (struct list *one; (one = kmem_alloc(&large)); n++) {
        one->next = all;
        all = one;
    }
    assert_true(n > 2000);
    assert_int_equal(large.live, n);
    while (all) {
        struct list *next = all->next;
        kmem_free(&large, all);
        all = next;
    }
    assert_int_equal(large.live, 0);
}

static bool audit_find(const struct audit *audit, const char *name, size_t *count)
{
    for (unsigned i = 0; i < audit->n; i++)
        if (strcmp(audit->lines[i].name, name) == 0) {
            *count = audit->lines[i].count;
            return true;
        }
    return false;
}

static void test_audit_and_sites(void **state)
{
    struct thing *a = kmem_alloc(&things), *b = kmem_alloc(&things);
    struct audit audit = {0};
    size_t count = 0;
    kmem_audit(&audit);
    assert_true(audit_find(&audit, "objects thing", &count));
    assert_int_equal(count, 2);
    assert_true(audit_find(&audit, "objects bytes-16", &count));
    assert_int_equal(count, 0);
    assert_false(audit_find(&audit, "objects never", &count));
    assert_int_equal(never.per_slab, 0);
    host_console_clear();
    kmem_print_sites();
    assert_non_null(strstr(host_console(), "objects thing: 1 from 0x"));
    assert_null(strstr(host_console(), "objects tiny"));
    kmem_free(&things, a);
    kmem_free(&things, b);
}

static void free_twice(void *arg)
{
    kmem_free(&things, arg);
    kmem_free(&things, arg);
}

static void free_to_other_cache(void *arg)
{
    kmem_free(&tiny, arg);
}

static void free_inside(void *arg)
{
    kmem_free(&things, (char *)arg + 16);
}

static void free_header(void *arg)
{
    kmem_free(&things, (void *)((uintptr_t)arg & ~(uintptr_t)(PAGE_BYTES - 1)));
}

static void free_foreign(void *arg)
{
    int local;
    kmem_free(&things, &local);
}

UNWATCHED static void scribble(volatile char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = 0;
}

static void free_overrun(void *arg)
{
    scribble(arg, things.slot_bytes);
    kmem_free(&things, arg);
}

static void write_after_free(void *arg)
{
    kmem_alloc(&things); /* keeps the slab */
    kmem_free(&things, arg);
    scribble((char *)arg + sizeof(void *), things.slot_bytes - sizeof(void *));
    kmem_shrink();
    for (unsigned i = 0; i < things.per_slab; i++)
        kmem_alloc(&things);
}

static void free_wrong_size(void *arg)
{
    kmem_free_bytes(kmem_alloc_bytes(65536), 16384);
}

static void free_wrong_small_size(void *arg)
{
    kmem_free_bytes(kmem_alloc_bytes(100), 10);
}

static void test_misuse(void **state)
{
    struct thing *thing = kmem_alloc(&things);
    host_expect_panic(free_twice, thing, "is freed twice");
    host_expect_panic(free_to_other_cache, thing, "is no object of it");
    host_expect_panic(free_inside, thing, "is not the start of an object");
    host_expect_panic(free_header, thing, "is not the start of an object");
    host_expect_panic(free_foreign, NULL, "is no object of it");
    host_expect_panic(free_overrun, thing, "was written beyond its end");
    host_expect_panic(write_after_free, thing, "was written to");
    host_expect_panic(free_wrong_size, NULL, "is no allocation of 16384 bytes");
    host_expect_panic(free_wrong_small_size, NULL, "is no object of it");
    kmem_free(&things, thing);
}

static void read_byte(void *arg)
{
    (void)*(volatile char *)arg;
}

static void free_and_read(void *arg)
{
    kmem_free(&things, arg);
    read_byte(arg);
}

static void free_and_write_last(void *arg)
{
    struct thing *thing = arg;
    kmem_free(&things, thing);
    *(volatile uint64_t *)&thing->words[8] = 1;
}

static void read_bytes_freed(void *arg)
{
    char *p = kmem_alloc_bytes(40);
    kmem_free_bytes(p, 40);
    read_byte(p);
}

static void copy_past_end(void *arg)
{
    static const char from[sizeof(struct thing) + 1];
    memcpy(arg, from, sizeof(from));
}

/* Every byte around an object is out of bounds: the next slot, the slab's header, the end of the
 * slab, and between what was asked for and what the cache has. */
static void test_watched(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 15, 100, 128, 4000, 8192, 9000, 65535};
    struct thing *thing = kmem_alloc(&things);
    host_expect_report(free_and_read, thing, "use-after-poison");
    host_expect_report(free_and_write_last, thing, "use-after-poison");
    host_expect_report(read_bytes_freed, NULL, "use-after-poison");
    host_expect_report(copy_past_end, thing, "use-after-poison");
    host_expect_report(read_byte, (char *)thing - 1, "use-after-poison");
    host_expect_report(read_byte, thing + 1, "use-after-poison");
    host_expect_report(read_byte, (char *)(thing + 1) + ARCH_REDZONE_BYTES - 1, "use-after-poison");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *p = kmem_alloc_bytes(sizes[i]);
        if (sizes[i])
            assert_int_equal(host_run_forked(read_byte, p + sizes[i] - 1), 0);
        host_expect_report(read_byte, p + sizes[i], "use-after-poison");
        kmem_free_bytes(p, sizes[i]);
    }
    kmem_free(&things, thing);
}

static void assert_described(const void *p, const char *wanted)
{
    char text[120];
    kmem_describe(p, text, sizeof(text));
    if (!strstr(text, wanted))
        fail_msg("wanted \"%s\", got \"%s\"", wanted, text);
}

static void test_describe(void **state)
{
    struct thing *thing = kmem_alloc(&things);
    assert_described(thing + 1, "redzone: byte 72 of an object of 72, cache thing");
    assert_described((char *)((uintptr_t)thing & ~(PAGE_BYTES - 1)),
                     "redzone: beside the objects of a slab, cache thing");
    kmem_free(&things, thing);
    assert_described(&thing->words[1], "use after free: byte 8 of an object of 72, cache thing");
    kmem_shrink();
    assert_described(thing, "a free frame");
    char *large = kmem_alloc_bytes(9000);
    assert_described(large + 9000, "redzone: a part of its frames that nobody asked for");
    kmem_free_bytes(large, 9000);
    assert_described(&thing, "not in the RAM");
}

/* What was freed is not what is allocated next. */
static void test_held(void **state)
{
    kmem_shrink();
    struct thing *freed = kmem_alloc(&things), *others[KMEM_HELD_MAX];
    kmem_free(&things, freed);
    assert_true(things.held_max > 16);
    for (unsigned i = 0; i + 1 < things.held_max; i++) {
        others[i] = kmem_alloc(&things);
        assert_ptr_not_equal(others[i], freed);
        kmem_free(&things, others[i]);
    }
    kmem_check();
    kmem_shrink();
    assert_int_equal(things.slabs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_random, teardown),
        cmocka_unit_test_teardown(test_cpus, teardown),
        cmocka_unit_test_teardown(test_bytes, teardown),
        cmocka_unit_test_teardown(test_failpoint, teardown),
        cmocka_unit_test_teardown(test_every_request_counts_once, teardown),
        cmocka_unit_test_teardown(test_out_of_memory, teardown),
        cmocka_unit_test_teardown(test_audit_and_sites, teardown),
        cmocka_unit_test_teardown(test_misuse, teardown),
        cmocka_unit_test_teardown(test_watched, teardown),
        cmocka_unit_test_teardown(test_describe, teardown),
        cmocka_unit_test_teardown(test_held, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
