/* Sizes so large that a sum with them wraps: refused, and nothing is mapped over. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"

#define PAGE 4096ul

/* The C library refuses such sizes by itself: ask the kernel. */
static long map(unsigned long addr, unsigned long bytes, int flags)
{
    return syscall(SYS_mmap, addr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void case_mmap_anywhere(void)
{
    for (unsigned long pages = 1; pages <= 64; pages++)
        CHECK_ERRNO(map(0, -pages * PAGE, 0), ENOMEM);
    CHECK_ERRNO(map(0, 1ul << 63, 0), ENOMEM);
    CHECK_ERRNO(map(0, 1ul << 47, 0), ENOMEM);
}

static void case_mmap_at(void)
{
    void *free_place = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(free_place != MAP_FAILED, "mmap");
    CHECK_OK(munmap(free_place, PAGE));
    for (unsigned long pages = 1; pages <= 64; pages++) {
        unsigned long addr = (unsigned long)free_place, bytes = -pages * PAGE;

        CHECK_ERRNO(map(addr, bytes, 0), ENOMEM);
        CHECK_ERRNO(map(addr, bytes, MAP_FIXED_NOREPLACE), ENOMEM);
        CHECK_ERRNO(map(addr, bytes, MAP_FIXED), ENOMEM);
        CHECK_ERRNO(map(addr, -addr, MAP_FIXED), ENOMEM);
    }
}

static void case_other_calls(void)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap");
    *p = 7;
    for (unsigned long pages = 1; pages <= 64; pages++) {
        unsigned long bytes = -pages * PAGE;

        CHECK_ERRNO(syscall(SYS_munmap, p, bytes), EINVAL);
        CHECK_ERRNO(syscall(SYS_mprotect, p, bytes, PROT_NONE), ENOMEM);
        CHECK_EQ(syscall(SYS_brk, bytes), syscall(SYS_brk, 0));
    }
    CHECK_EQ(*p, 7);
}

int main(void)
{
    RUN(case_mmap_anywhere);
    RUN(case_mmap_at);
    RUN(case_other_calls);
    return check_done();
}
