/* mremap(2) where it meets page tables and doors (P3, X2). */
#define _GNU_SOURCE

#include <sys/mman.h>

#include "child.h"
#include "doors.h"

#define TABLE (512 * PAGE) /* what one last-level table covers */

/* Room of `bytes` from a table's beginning on, with nothing in it. */
static char *empty_room(size_t bytes)
{
    char *p = mmap(NULL, bytes + TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(munmap(p, bytes + TABLE));
    return (char *)(((uintptr_t)p + TABLE - 1) & ~(TABLE - 1));
}

/* The rest that is cut off has a table of its own; what moves goes to addresses of that table. */
static void case_move_to_the_table_of_what_is_cut_off(void)
{
    char *from = empty_room(8 * TABLE), *to = from + TABLE + TABLE / 2;

    CHECK_EQ(mmap(from, TABLE + PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
             from);
    memset(from, 7, TABLE + PAGE);
    CHECK_EQ(mremap(from, TABLE + PAGE, TABLE / 4, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
    for (size_t i = 0; i < TABLE / 4; i += PAGE)
        CHECK_EQ(to[i], 7);
    CHECK_OK(munmap(to, TABLE / 4));
}

/* X2: shm_close unmaps the page wherever it has gone, and shm_open tells where that is. */
static void case_xv6_page_that_moved(void)
{
    char *to = empty_room(TABLE);
    long page = xv6_open(40);

    CHECK(page > 0, "shm_open(40) = %ld", page);
    *(char *)page = 5;
    CHECK_EQ(mremap((void *)page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
    CHECK_EQ(xv6_open(40), to);
    CHECK_EQ(xv6_close(40), 0);
    CHECK_EQ(to[0], 5);
    CHECK_EQ(xv6_close(40), 0);
    CHECK_ERRNO(msync(to, PAGE, MS_ASYNC), ENOMEM);
    CHECK_EQ(xv6_close(40), -EINVAL);
}

int main(void)
{
    RUN(case_move_to_the_table_of_what_is_cut_off);
    RUN(case_xv6_page_that_moved);
    return check_done();
}
