/* Anonymous memory: mmap, munmap and mprotect, with the exact ends of every piece. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "probe.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *area(size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

    CHECK(p != MAP_FAILED, "mmap of %zu pages: %s", pages, strerror(errno));
    CHECK_EQ((uintptr_t)p % PAGE, 0);
    return p;
}

/* Pages [beg, end) of `p` are there; the pages beside, which the caller unmapped, are not. */
static void check_extent(char *p, size_t beg, size_t end)
{
    CHECK_EQ(probe_read(p + beg * PAGE - 1), SIGSEGV);
    CHECK_EQ(probe_write(p + beg * PAGE), 0);
    CHECK_EQ(probe_write(p + end * PAGE - 1), 0);
    CHECK_EQ(probe_read(p + end * PAGE), SIGSEGV);
}

static void size_check(size_t pages)
{
    char *p = area(pages + 2);

    CHECK_OK(munmap(p, PAGE));
    CHECK_OK(munmap(p + (pages + 1) * PAGE, PAGE));
    check_extent(p, 1, pages + 1);
    for (size_t i = 1; i <= pages; i++)
        CHECK_EQ(p[i * PAGE + 5], 0);
    CHECK_OK(munmap(p + PAGE, pages * PAGE));
    CHECK_EQ(probe_read(p + PAGE), SIGSEGV);
    CHECK_EQ(probe_read(p + pages * PAGE), SIGSEGV);
}

static void case_sizes_1_to_513(void)
{
    for (size_t pages = 1; pages <= 513; pages += pages < 16 || pages > 508 ? 1 : 31)
        size_check(pages);
}

static void case_size_is_rounded_up(void)
{
    char *p = area(3);

    CHECK_OK(munmap(p, 3 * PAGE));
    CHECK(mmap(p, PAGE + 1, RW, ANON | MAP_FIXED, -1, 0) == p, "fixed");
    CHECK_EQ(probe_write(p + 2 * PAGE - 1), 0);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_OK(munmap(p, 1));
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_write(p + PAGE), 0);
    CHECK_OK(munmap(p, 2 * PAGE));
}

/* Mappings that straddle the spans of page tables. */
static void case_table_boundaries(void)
{
    const uintptr_t ends[] = {0x200000, 0x40000000, 0x8000000000};

    for (unsigned i = 0; i < 3; i++) {
        char *at = (char *)(0x100000000000 + ends[i]);
        char *p = mmap(at - 2 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0);

        CHECK(p == at - 2 * PAGE, "mmap at %p: %s", (void *)at, strerror(errno));
        check_extent(p, 0, 4);
        memset(p, 0x77, 4 * PAGE);
        CHECK_OK(munmap(at - PAGE, 2 * PAGE));
        CHECK_EQ(probe_read(at - 1), SIGSEGV);
        CHECK_EQ(probe_read(at), SIGSEGV);
        CHECK_EQ(at[-PAGE - 1], 0x77);
        CHECK_EQ(at[PAGE], 0x77);
        CHECK_OK(munmap(p, 4 * PAGE)); /* with a hole in it */
        CHECK_EQ(probe_read(p), SIGSEGV);
        CHECK_EQ(probe_read(at + PAGE), SIGSEGV);
    }
}

static void case_freed_memory_comes_back_zero(void)
{
    for (unsigned i = 0; i < 40; i++) {
        char *p = area(64);

        for (size_t j = 0; j < 64 * PAGE; j += 512)
            CHECK_EQ(p[j], 0);
        memset(p, 0xee, 64 * PAGE);
        CHECK_OK(munmap(p, 64 * PAGE));
    }
}

static void case_mprotect(void)
{
    char *p = area(5);

    memset(p, 1, 5 * PAGE);
    CHECK_OK(mprotect(p + PAGE, 3 * PAGE, PROT_READ));
    CHECK_OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
    CHECK_EQ(probe_write(p + PAGE - 1), 0);
    CHECK_EQ(probe_write(p + PAGE), SIGSEGV);
    CHECK_EQ(probe_read(p + PAGE), 0);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_EQ(probe_read(p + 3 * PAGE), 0);
    CHECK_EQ(probe_write(p + 4 * PAGE - 1), SIGSEGV);
    CHECK_EQ(probe_write(p + 4 * PAGE), 0);
    CHECK_OK(mprotect(p, 5 * PAGE, RW));
    CHECK_EQ(probe_write(p + 2 * PAGE), 0);
    for (size_t i = 0; i < 5 * PAGE; i += 256)
        CHECK_EQ(p[i], 1);
    CHECK_OK(munmap(p + 2 * PAGE, PAGE));
    CHECK_ERRNO(mprotect(p, 5 * PAGE, PROT_READ), ENOMEM);
    CHECK_OK(munmap(p, 5 * PAGE));
}

static void case_fixed_replaces(void)
{
    char *p = area(3);

    memset(p, 9, 3 * PAGE);
    CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE, "fixed");
    CHECK_EQ(p[PAGE - 1], 9);
    CHECK_EQ(p[PAGE], 0);
    CHECK_EQ(p[2 * PAGE], 9);
    CHECK_OK(munmap(p, 3 * PAGE));
}

static void case_refusals(void)
{
    char *p = area(1);

    CHECK_ERRNO(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
    CHECK_ERRNO(mmap(NULL, 1ul << 60, RW, ANON, -1, 0), ENOMEM);
    CHECK_ERRNO(mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERRNO(mmap((void *)0x7ffffffff000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERRNO(mmap((void *)0xffff800000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
    /* The C library rounds mprotect's address itself. */
    CHECK_EQ(shoal_syscall(SYS_mprotect, (long)p + 1, PAGE, PROT_READ, 0), -EINVAL);
    CHECK_ERRNO(munmap(p, 0), EINVAL);
    CHECK_ERRNO(munmap((void *)0xffff800000000000, PAGE), EINVAL);
    CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_ERRNO(mmap(NULL, PAGE, RW, ANON | MAP_HUGETLB, -1, 0), ENOMEM);
    CHECK_EQ(probe_write(p), 0);
    CHECK_OK(munmap(p, PAGE));
    CHECK_OK(munmap(p, PAGE)); /* nothing there: not an error */
}

/* Random pieces against a model of one byte a page. */
static void case_random_pieces(void)
{
    enum {
        PAGES = 96
    };
    struct rng rng = {77};
    char want[PAGES] = {0}; /* 0 unmapped, else the byte that was written */
    char *p = area(PAGES);

    CHECK_OK(munmap(p, PAGES * PAGE));
    for (unsigned step = 0; step < 300; step++) {
        size_t at = rng_below(&rng, PAGES), n = 1 + rng_below(&rng, PAGES - at);

        if (rng_below(&rng, 2)) {
            char fill = (char)(1 + rng_below(&rng, 100));

            CHECK(mmap(p + at * PAGE, n * PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + at * PAGE,
                  "mmap");
            for (size_t i = at; i < at + n; i++) {
                p[i * PAGE] = fill;
                want[i] = fill;
            }
        } else {
            CHECK_OK(munmap(p + at * PAGE, n * PAGE));
            memset(want + at, 0, n);
        }
        for (unsigned i = 0; i < 8; i++) {
            size_t page = rng_below(&rng, PAGES);

            CHECK_EQ(probe_read(p + page * PAGE), want[page] ? 0 : SIGSEGV);
            if (want[page])
                CHECK_EQ(p[page * PAGE], want[page]);
        }
    }
    CHECK_OK(munmap(p, PAGES * PAGE));
}

int main(void)
{
    RUN(case_sizes_1_to_513);
    RUN(case_size_is_rounded_up);
    RUN(case_table_boundaries);
    RUN(case_freed_memory_comes_back_zero);
    RUN(case_mprotect);
    RUN(case_fixed_replaces);
    RUN(case_refusals);
    RUN(case_random_pieces);
    return check_done();
}
