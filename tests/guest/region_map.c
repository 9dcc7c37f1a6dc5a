/* R7, R8: mapping a region many times, and unmapping it: by any address in it, by munmap, in part.
 */
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE 4096ul

static void case_many_times(void)
{
    volatile uint64_t *p[40];

    CHECK_ERR(createSharedRegion("m", 2 * PAGE, RS_DEFAULT), ERR_OK);
    for (unsigned i = 0; i < 40; i++) {
        p[i] = region_map("m");
        CHECK_EQ(region_look("m").mappings, i + 1);
        for (unsigned j = 0; j < i; j++)
            CHECK(p[i] != p[j], "R7: two mappings at %p", (void *)p[i]);
    }
    for (unsigned i = 0; i < 40; i++) {
        p[i][i] = i + 100; /* through one address, seen through all */
        CHECK_EQ(p[39 - i][i], i + 100);
    }
    for (unsigned i = 0; i < 40; i++) {
        unsigned n = (i * 7) % 40;

        region_unmap("m", (char *)p[n] + i * 200);
        CHECK_EQ(region_look("m").mappings, 39 - i);
        CHECK_EQ(probe_read(p[n]), SIGSEGV);
        if (i < 39)
            CHECK_EQ(p[((i + 1) * 7) % 40][3], 103);
    }
    CHECK_ERR(destroySharedRegion("m"), ERR_OK);
}

static void case_any_address_inside(void)
{
    const size_t at[] = {0, 1, PAGE - 1, PAGE, 3 * PAGE + 17, 5 * PAGE - 1};

    CHECK_ERR(createSharedRegion("inside", 5 * PAGE, RS_DEFAULT), ERR_OK);
    for (unsigned i = 0; i < 6; i++) {
        char *p = region_map("inside");

        p[0] = p[5 * PAGE - 1] = 1;
        CHECK_ERR(destroyMapping("inside", p - 1), ERR_NOTEXIST);
        CHECK_ERR(destroyMapping("inside", p + 5 * PAGE), ERR_NOTEXIST);
        CHECK_ERR(destroyMapping("inside", p + at[i]), ERR_OK);
        for (unsigned j = 0; j < 5; j++)
            CHECK_EQ(probe_read(p + j * PAGE), SIGSEGV);
        CHECK_ERR(destroyMapping("inside", p + at[i]), ERR_NOTEXIST);
        CHECK_EQ(region_look("inside").mappings, 0);
    }
}

static void case_not_that_region(void)
{
    char on_stack;
    void *a = region_new("one", PAGE), *b = region_new("other", PAGE);

    CHECK_ERR(destroyMapping("one", b), ERR_NOTEXIST);
    CHECK_ERR(destroyMapping("other", a), ERR_NOTEXIST);
    CHECK_ERR(destroyMapping("one", &on_stack), ERR_NOTEXIST);
    CHECK_ERR(destroyMapping("one", NULL), ERR_NOTEXIST);
    CHECK_ERR(destroyMapping("one", (void *)0xffff800000000000), ERR_NOTEXIST);
    CHECK_ERR(destroyMapping("unknown", a), ERR_NOTEXIST);
    CHECK_EQ(region_look("one").mappings + region_look("other").mappings, 2);
    region_unmap("one", a);
    region_unmap("other", b);
}

static void case_neighbours_are_apart(void)
{
    volatile char *p[20];
    char name[16];

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "near%d", i);
        p[i] = region_new(name, PAGE);
        *p[i] = (char)i;
    }
    for (int i = 0; i < 20; i += 2) {
        snprintf(name, sizeof(name), "near%d", i);
        region_unmap(name, (void *)p[i]);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(probe_read(p[i]), i % 2 ? 0 : SIGSEGV);
        if (i % 2)
            CHECK_EQ(*p[i], i);
    }
}

static void case_munmap_whole(void)
{
    char *p = region_new("plain", 3 * PAGE);

    CHECK_OK(munmap(p, 3 * PAGE));
    CHECK_EQ(region_look("plain").mappings, 0);
    CHECK_ERR(destroyMapping("plain", p), ERR_NOTEXIST);
    CHECK_ERR(destroySharedRegion("plain"), ERR_OK);
}

/* R8: what is left after munmap took pieces still works, and destroyMapping ends one piece. */
static void case_munmap_pieces(void)
{
    char *p = region_new("pieces", 5 * PAGE), *again;

    for (unsigned i = 0; i < 5; i++)
        p[i * PAGE] = (char)(i + 1);
    CHECK_OK(munmap(p, PAGE)); /* the beginning */
    CHECK_EQ(region_look("pieces").mappings, 1);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_OK(munmap(p + 4 * PAGE, PAGE)); /* the end */
    CHECK_EQ(region_look("pieces").mappings, 1);
    CHECK_OK(munmap(p + 2 * PAGE, PAGE)); /* the middle */
    CHECK(region_look("pieces").mappings >= 1, "R8: two pieces are still mapped");
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_EQ(p[PAGE], 2); /* each piece still shows its own part of the region */
    CHECK_EQ(p[3 * PAGE], 4);
    CHECK_ERR(destroySharedRegion("pieces"), ERR_INVAL);
    again = region_map("pieces");
    p[3 * PAGE] = 44;
    CHECK_EQ(again[3 * PAGE], 44);
    CHECK_EQ(again[2 * PAGE], 3);
    region_unmap("pieces", again);
    CHECK_OK(munmap(p + PAGE, PAGE));
    CHECK(region_look("pieces").mappings == 1, "R8: one piece is left, the count says %lu",
          region_look("pieces").mappings);
    CHECK_OK(munmap(p, 5 * PAGE));
    CHECK(region_look("pieces").mappings == 0, "R8: nothing is mapped, the count says %lu",
          region_look("pieces").mappings);
    CHECK_ERR(destroySharedRegion("pieces"), ERR_OK);
}

/* One munmap over two regions and anonymous memory between. */
static void case_munmap_over_several(void)
{
    char *area = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *p, *q, *low, *high;

    CHECK_OK(munmap(area, 64 * PAGE)); /* a gap where the kernel may put both */
    p = region_new("over1", 4 * PAGE);
    q = region_new("over2", 4 * PAGE);
    *p = *q = 1;
    low = p < q ? p : q;
    high = p < q ? q : p;
    if (high - low > (long)(64 * PAGE))
        return; /* the kernel chose places far apart: what lies between is not ours */
    CHECK_OK(munmap(low, (size_t)(high - low) + 4 * PAGE));
    CHECK_EQ(region_look("over1").mappings + region_look("over2").mappings, 0);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_read(q + 3 * PAGE), SIGSEGV);
}

/* MAP_FIXED over a part of a region unmaps that part of it. */
static void case_fixed_over_a_region(void)
{
    char *p = region_new("fixed", 3 * PAGE);

    memset(p, 5, 3 * PAGE);
    CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == p + PAGE,
          "mmap: %s", strerror(errno));
    CHECK_EQ(p[PAGE], 0);
    p[PAGE] = 6;
    CHECK_EQ(p[0] + p[2 * PAGE], 10);
    CHECK_EQ(((char *)region_map("fixed"))[PAGE], 5);
    CHECK_OK(munmap(p, 3 * PAGE));
    CHECK_EQ(region_look("fixed").mappings, 1);
}

/* A9, A6: a mapping made read-only refuses writes there, and only there. */
static void case_mprotect(void)
{
    char *p = region_new("protect", 3 * PAGE);
    char *q = region_map("protect");

    memset(p, 1, 3 * PAGE);
    CHECK_OK(mprotect(p + PAGE, PAGE, PROT_READ));
    CHECK_EQ(probe_write(p + PAGE), SIGSEGV);
    CHECK_EQ(probe_write(p), 0);
    CHECK_EQ(probe_write(p + 2 * PAGE), 0);
    CHECK_EQ(probe_write(q + PAGE), 0);
    q[PAGE] = 7;
    CHECK_EQ(p[PAGE], 7);
    CHECK_OK(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
    p[PAGE] = 8;
    CHECK_EQ(q[PAGE], 8);
    region_unmap("protect", p);
    region_unmap("protect", q);
    CHECK_EQ(region_look("protect").mappings, 0);
}

/* A3: when the address cannot be stored, nothing stays mapped. */
static void case_bad_result_pointer(void)
{
    void **const bad[] = {NULL,
                          (void **)8,
                          (void **)0x7ffffffff000,
                          (void **)0x800000000000,
                          (void **)0xffff800000000000,
                          (void **)UINTPTR_MAX};
    static void *const constant = NULL;

    CHECK_ERR(createSharedRegion("result", PAGE, RS_DEFAULT), ERR_OK);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ERR(createMapping("result", bad[i]), ERR_FAULT);
    CHECK_ERR(createMapping("result", (void **)(uintptr_t)&constant), ERR_FAULT);
    CHECK_EQ(region_look("result").mappings, 0);
    CHECK_ERR(destroySharedRegion("result"), ERR_OK);
}

/* The region loses its name between the mapping and the address that cannot be told. */
static void map_to_nowhere(void *ended)
{
    struct region_map how = {.flags = RM_POPULATE};

    CHECK_ERR(createMappingWith("nowhere", (void **)8, &how), ERR_FAULT);
    *(volatile char *)ended = 1;
    for (;;)
        pause();
}

static unsigned contexts_in_table(void)
{
    const char *table = region_table();
    unsigned lines = 0;

    for (; *table; table++)
        lines += *table == '\n';
    return lines - 1;
}

static void case_bad_result_after_unlink(void)
{
    volatile char *ended =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned hits = 0, before = contexts_in_table();

    for (unsigned i = 0; i < 20 && hits < 3; i++) {
        pid_t pid;

        *ended = 0;
        CHECK_ERR(createSharedRegion("nowhere", 2000 * PAGE, RS_PERSIST), ERR_OK);
        pid = child_start(map_to_nowhere, (void *)ended);
        while (!*ended && region_look("nowhere").mappings == 0)
            ;
        hits += !*ended;
        CHECK_ERR(destroySharedRegionWith("nowhere", RS_UNLINK, NULL), ERR_OK);
        WAIT_UNTIL(*ended, "createMappingWith does not end");
        CHECK(contexts_in_table() == before, "A2, A3: still mapped:\n%s", region_table());
        child_kill(pid);
    }
    CHECK(hits > 0, "the name went too late each time");
}

int main(void)
{
    RUN(case_bad_result_after_unlink);
    RUN(case_many_times);
    RUN(case_any_address_inside);
    RUN(case_not_that_region);
    RUN(case_neighbours_are_apart);
    RUN(case_munmap_whole);
    RUN(case_munmap_pieces);
    RUN(case_munmap_over_several);
    RUN(case_fixed_over_a_region);
    RUN(case_mprotect);
    RUN(case_bad_result_pointer);
    return check_done();
}
