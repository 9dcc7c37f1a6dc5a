/* What a CPU may still find at an address while another changes what is there: never more than
 * before, once a call that says so is over, whoever made the change. */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define PAGES 12u

/* A page a round: who is ready for it, and who is through.  Outside of the simulated memory. */
static uint32_t ready[PAGES], told[PAGES], ended;

static void begin(void)
{
    memset(ready, 0, sizeof ready);
    memset(told, 0, sizeof told);
    ended = 0;
}

/* Goes on when n are there. */
static void meet(unsigned page, unsigned n)
{
    u_count(&ready[page]);
    U_WAIT_UNTIL(u_counted(&ready[page]) >= n);
}

/* Pages of a file, to be copied when they are written. */
static uintptr_t map_private(void)
{
    int fd = (int)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, PAGES * U_PAGE), 0);
    return u_mmap(0, PAGES * U_PAGE, U_RW, MAP_PRIVATE, fd, 0);
}

/* ---- copy on write: what one thread has written is what all others read from then on */

static int write_beside(uintptr_t at)
{
    for (unsigned i = 0; i < PAGES; i++) {
        meet(i, 3);
        u_store32(at + i * U_PAGE + 8, 1);
    }
    u_count(&ended);
    return 0;
}

static int write_and_tell(uintptr_t at)
{
    for (unsigned i = 0; i < PAGES; i++) {
        meet(i, 3);
        u_store32(at + i * U_PAGE, 1);
        u_count(&told[i]);
    }
    u_count(&ended);
    return 0;
}

static int read_told(uintptr_t at)
{
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(u_load32(at + i * U_PAGE), 0); /* this CPU knows the page that is copied */
        meet(i, 3);
        for (uint32_t is_told = 0; !is_told;) {
            is_told = u_counted(&told[i]);
            U_CHECK(u_load32(at + i * U_PAGE) >= is_told);
        }
        U_EQ(u_load32(at + i * U_PAGE + 4), 0);
    }
    u_count(&ended);
    return 0;
}

/* Two write a page, so that one finds it copied by the other; a third reads it. */
static int copies_have_no_past(uintptr_t sp)
{
    begin();
    uintptr_t at = map_private();
    U_CHECK(u_thread(write_beside, at) > 0);
    U_CHECK(u_thread(write_and_tell, at) > 0);
    (void)read_told(at);
    U_WAIT_UNTIL(u_counted(&ended) == 3);
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(u_load32(at + i * U_PAGE), 1);
        U_EQ(u_load32(at + i * U_PAGE + 8), 1);
    }
    u_walk();
    return 0;
}

/* ---- who has nothing left to remove waits for who has removed it */

/* Every step-th page from the first on, each beside another thread. */
static int discard(uintptr_t at, unsigned first, unsigned step)
{
    for (unsigned i = first; i < PAGES; i += step) {
        meet(i, 2);
        U_EQ(U_CALL(SYS_madvise, at + i * U_PAGE, U_PAGE, MADV_DONTNEED), 0);
    }
    u_count(&ended);
    return 0;
}

static int discard_too(uintptr_t at)
{
    return discard(at, 0, 1);
}

static int discard_by_two(uintptr_t sp)
{
    begin();
    uintptr_t at = u_mmap(0, PAGES * U_PAGE, U_RW, U_ANON, -1, 0);
    U_CHECK(u_thread(discard_too, at) > 0);
    for (unsigned i = 0; i < PAGES; i++) {
        u_store32(at + i * U_PAGE, 7);
        meet(i, 2);
        U_EQ(U_CALL(SYS_madvise, at + i * U_PAGE, U_PAGE, MADV_DONTNEED), 0);
        U_EQ(u_load32(at + i * U_PAGE), 0);
    }
    U_WAIT_UNTIL(u_counted(&ended) == 1);
    return 0;
}

static int discard_again(uintptr_t at)
{
    for (unsigned i = 0; i < PAGES; i++) {
        meet(i, 2);
        for (unsigned n = 0; n < 4; n++)
            U_EQ(U_CALL(SYS_madvise, at + i * U_PAGE, U_PAGE, MADV_DONTNEED), 0);
    }
    u_count(&ended);
    return 0;
}

/* Of two pages one finds the first, and the other has just removed the second. */
static int discard_second(uintptr_t at)
{
    return discard(at, 1, 2);
}

static int discard_both(uintptr_t sp)
{
    begin();
    uintptr_t at = u_mmap(0, PAGES * U_PAGE, U_RW, U_ANON, -1, 0);
    U_CHECK(u_thread(discard_second, at) > 0);
    for (unsigned i = 0; i < PAGES; i += 2) {
        u_store32(at + i * U_PAGE, 7);
        u_store32(at + (i + 1) * U_PAGE, 7);
        meet(i + 1, 2);
        U_EQ(U_CALL(SYS_madvise, at + i * U_PAGE, 2 * U_PAGE, MADV_DONTNEED), 0);
        U_EQ(u_load32(at + (i + 1) * U_PAGE), 0);
    }
    U_WAIT_UNTIL(u_counted(&ended) == 1);
    return 0;
}

/* A copy that goes before it is writable. */
static int discard_copies(uintptr_t sp)
{
    begin();
    uintptr_t at = map_private();
    U_CHECK(u_thread(discard_again, at) > 0);
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(u_load32(at + i * U_PAGE), 0);
        meet(i, 2);
        u_store32(at + i * U_PAGE, 7);
        u_store32(at + i * U_PAGE + 4, 7);
    }
    U_WAIT_UNTIL(u_counted(&ended) == 1);
    for (unsigned i = 0; i < PAGES; i++) {
        uint32_t first = u_load32(at + i * U_PAGE), then = u_load32(at + i * U_PAGE + 4);
        U_CHECK((first == 0 || first == 7) && (then == 7 || (first == 0 && then == 0)));
    }
    u_walk();
    return 0;
}

/* P2: what is cut off is SIGBUS when ftruncate is over, though somebody discards it as well. */
static int cut_while_discarded(uintptr_t sp)
{
    begin();
    host_catch_faults();
    unsigned long fd = (unsigned long)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, fd, PAGES * U_PAGE), 0);
    uintptr_t at = u_mmap(0, PAGES * U_PAGE, U_RW, MAP_SHARED, (int)fd, 0);
    U_CHECK(u_thread(discard_too, at) > 0);
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(U_CALL(SYS_ftruncate, fd, PAGES * U_PAGE), 0);
        u_store32(at + i * U_PAGE, 7);
        meet(i, 2);
        U_EQ(U_CALL(SYS_ftruncate, fd, i * U_PAGE), 0);
        U_EQ(u_try_read(at + i * U_PAGE), SIGBUS);
    }
    U_WAIT_UNTIL(u_counted(&ended) == 1);
    return 0;
}

static unsigned long cut_fd;

static int cut_too(uintptr_t arg)
{
    for (unsigned i = 0; i < PAGES; i++) {
        meet(i, 2);
        U_EQ(U_CALL(SYS_ftruncate, cut_fd, 0), 0);
        meet(i, 4);
        U_EQ(U_CALL(SYS_ftruncate, cut_fd, U_PAGE), 0);
        u_count(&told[i]);
    }
    u_count(&ended);
    return 0;
}

/* When mprotect is over nobody writes, though the file is being cut. */
static int protect_while_cut(uintptr_t sp)
{
    begin();
    host_catch_faults();
    cut_fd = (unsigned long)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, cut_fd, U_PAGE), 0);
    uintptr_t at = u_mmap(0, U_PAGE, U_RW, MAP_SHARED, (int)cut_fd, 0);
    U_CHECK(u_thread(cut_too, 0) > 0);
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(U_CALL(SYS_mprotect, at, U_PAGE, U_RW), 0);
        u_store32(at, 7);
        meet(i, 2);
        U_EQ(U_CALL(SYS_mprotect, at, U_PAGE, PROT_READ), 0);
        U_EQ(u_try_write(at), SIGSEGV);
        meet(i, 4);
        U_WAIT_UNTIL(u_counted(&told[i]));
    }
    U_WAIT_UNTIL(u_counted(&ended) == 1);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "copies_have_no_past", .init = copies_have_no_past, .runs = 20},
        {.name = "discard_by_two", .init = discard_by_two, .runs = 20},
        {.name = "discard_both", .init = discard_both, .runs = 20},
        {.name = "discard_copies", .init = discard_copies, .runs = 20},
        {.name = "cut_while_discarded", .init = cut_while_discarded, .runs = 20},
        {.name = "protect_while_cut", .init = protect_while_cut, .runs = 20},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
