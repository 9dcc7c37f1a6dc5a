/* The ends of things: an address space without anything in it, what is mapped last, neighbours that
 * must not become one, and limits of doors. */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define BOTTOM 0x10000ul /* of user space */
#define TOP    SHRIMPY_TOP

/* ---- a process that unmaps all it has: it runs on, and no call finds anything */

static uint32_t empty, looked;

static int has_nothing(uintptr_t arg)
{
    U_EQ(U_CALL(SYS_munmap, BOTTOM, TOP - BOTTOM), 0);
    __atomic_store_n(&empty, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(__atomic_load_n(&looked, __ATOMIC_SEQ_CST));
    U_EQ(U_CALL(SYS_mprotect, U_FAR, U_PAGE, PROT_READ), -ENOMEM);
    U_EQ(U_CALL(SYS_madvise, U_FAR, U_PAGE, MADV_DONTNEED), -ENOMEM);
    U_EQ(U_CALL(SYS_madvise, U_FAR, U_PAGE, MADV_NORMAL), -ENOMEM);
    U_EQ(U_CALL(SYS_mincore, U_FAR, U_PAGE, U_BAD), -ENOMEM);
    U_EQ(U_CALL(SYS_msync, U_FAR, U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_mlock, U_FAR, U_PAGE), -ENOMEM);
    U_EQ(U_CALL(SYS_mremap, U_FAR, U_PAGE, U_PAGE, 0, 0), -EFAULT);
    U_EQ(U_CALL(SYS_shmdt, U_FAR), -EINVAL);
    U_EQ(U_CALL(SYS_futex, U_FAR, 1, 1), -EFAULT);
    uintptr_t at = u_mmap(0, U_PAGE, U_RW, U_ANON, -1, 0);
    u_store8(at, 1);
    U_EQ(U_CALL(SYS_munmap, at, U_PAGE), 0);
    at = u_mmap(BOTTOM, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    U_EQ(at, BOTTOM);
    /* And one that has no room left. */
    uintptr_t rest = u_mmap(BOTTOM + U_PAGE, (1ul << 46), 0, U_ANON | MAP_FIXED, -1, 0);
    long high = U_CALL(SYS_mmap, rest + (1ul << 46), TOP - rest - (1ul << 46), 0,
                       U_ANON | MAP_FIXED, -1ul, 0);
    U_CHECK(high > 0);
    U_EQ(U_CALL(SYS_mmap, 0, U_PAGE, U_RW, U_ANON, -1ul, 0), -ENOMEM);
    return 0;
}

static int nothing(uintptr_t sp)
{
    empty = looked = 0;
    long pid = u_fork(has_nothing, 0);
    U_WAIT_UNTIL(__atomic_load_n(&empty, __ATOMIC_SEQ_CST));
    u_walk();
    __atomic_store_n(&looked, 1, __ATOMIC_SEQ_CST);
    u_must_exit(pid, 0);
    return 0;
}

/* ---- nothing lies above the top page */

static int at_the_top(uintptr_t sp)
{
    uintptr_t at = 0, top = TOP - U_PAGE;
    host_catch_faults();
    U_EQ(u_try_read(U_BAD), SIGSEGV);
    U_EQ(u_try_write(U_KERNEL), SIGSEGV);
    U_EQ(u_try_read(top), SIGSEGV);
    U_EQ(U_CALL(SYS_mprotect, top, U_PAGE, PROT_READ), -ENOMEM);
    U_EQ(U_CALL(SYS_mremap, top, U_PAGE, U_PAGE, 0, 0), -EFAULT);
    U_EQ(U_CALL(SYS_msync, top, U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_mlock, top, U_PAGE), -ENOMEM);
    U_CHECK(U_CALL(SYS_mmap, top, 2 * U_PAGE, U_RW, U_ANON, -1ul, 0) != (long)top);
    U_EQ(u_create("r", U_PAGE, RS_DEFAULT), 0);
    U_EQ(u_unmap("r", top), ERR_NOTEXIST);
    at = u_new("other", U_PAGE, RS_DEFAULT);
    U_EQ(u_unmap("r", at), ERR_NOTEXIST); /* it is the other's */
    u_mmap(top, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    u_store8(top, 3);
    U_EQ(U_CALL(SYS_mprotect, top, U_PAGE, PROT_READ), 0);
    U_EQ(u_try_write(top), SIGSEGV);
    U_EQ(U_CALL(SYS_mremap, top, U_PAGE, 3 * U_PAGE, 0, 0), -ENOMEM);
    U_EQ(u_load8(top), 3);
    u_walk();
    return 0;
}

/* ---- neighbours that are alike, and not one */

static uintptr_t stack_begin(void)
{
    char text[8192];
    unsigned long beg = 0;
    (void)u_slurp("/proc/self/maps", text, sizeof text);
    char *mark = strstr(text, "[stack]");
    U_CHECK(mark != NULL);
    while (mark > text && mark[-1] != '\n')
        mark--;
    U_EQ(sscanf(mark, "%lx", &beg), 1);
    return beg;
}

static int neighbours(uintptr_t sp)
{
    uintptr_t stack = stack_begin(), at;
    u_mmap(stack - U_PAGE, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    U_EQ(u_maps_count(stack - U_PAGE, stack + U_PAGE), 2);
    u_store8(FRY, 1);
    at = (uintptr_t)U_CALL(SHOAL_SYS_shm_open, 1);
    U_EQ(U_CALL(SYS_mremap, at, U_PAGE, U_PAGE, 3, FRY + U_PAGE), FRY + U_PAGE);
    U_EQ(u_maps_count(FRY, FRY + 2 * U_PAGE), 2);
    at = u_new("r", 3 * U_PAGE, RS_DEFAULT);
    u_store8(at + 2 * U_PAGE, 33);
    U_EQ(U_CALL(SYS_munmap, at + U_PAGE, U_PAGE), 0);
    U_EQ(U_CALL(SYS_mremap, at + 2 * U_PAGE, U_PAGE, U_PAGE, 3, at + U_PAGE), at + U_PAGE);
    U_EQ(u_maps_count(at, at + 2 * U_PAGE), 2); /* page 0 and page 2 */
    U_EQ(u_load8(at + U_PAGE), 33);
    u_walk();
    return 0;
}

/* Rights of a shared page that is in, taken away and given back. */
static int rights_return(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t at = u_mmap(U_FAR, 2 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    u_store8(at, 5);
    for (unsigned i = 0; i < 3; i++) {
        U_EQ(U_CALL(SYS_mprotect, at, 2 * U_PAGE, PROT_NONE), 0);
        U_EQ(u_try_read(at), SIGSEGV);
        U_EQ(U_CALL(SYS_mprotect, at, 2 * U_PAGE, PROT_READ), 0);
        U_EQ(u_load8(at), 5);
        U_EQ(u_try_write(at), SIGSEGV);
    }
    U_EQ(U_CALL(SYS_msync, at - U_PAGE, 9 * U_PAGE, MS_SYNC), -ENOMEM); /* gaps on both sides */
    u_mmap(at + 3 * U_PAGE, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    U_EQ(U_CALL(SYS_msync, at, 4 * U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_msync, at - U_PAGE, 5 * U_PAGE, MS_SYNC), -ENOMEM);
    return 0;
}

/* ---- doors */

static int vfork_first_touch(uintptr_t arg)
{
    u_store8(FRY, 31); /* a guest touches what is its parent's */
    return 0;
}

static int looks_up(uintptr_t arg)
{
    U_EQ(u_load8(SHRIMP), 32);
    return 0;
}

static int vfork_and_fork(uintptr_t arg)
{
    u_store8(FRY, 32); /* still its host's; its own child sees its own */
    return 0;
}

static int guests(uintptr_t sp)
{
    u_must_exit(u_vfork(vfork_first_touch, 0), 0);
    U_EQ(u_load8(FRY), 31);
    u_must_exit(u_vfork(vfork_and_fork, 0), 0);
    u_child_does(looks_up, 0);
    return 0;
}

static int zone_at_the_end(uintptr_t sp)
{
    u_mmap(SHMTOP - 2 * U_PAGE, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    U_EQ(U_CALL(SHOAL_SYS_shmem, 1, M_CREATE, 2), SHMBASE); /* one page is left above */
    U_EQ(U_CALL(SHOAL_SYS_shmem, 2, M_CREATE, 1), SHMTOP - U_PAGE);
    return 0;
}

static int others_are_not_attached(uintptr_t sp)
{
    long at = U_CALL(SHOAL_SYS_shm_open, 1);
    U_EQ(U_CALL(SYS_shmdt, (unsigned long)at), -EINVAL);
    uintptr_t anon = u_mmap(0, U_PAGE, U_RW, U_ANON, -1, 0);
    U_EQ(U_CALL(SYS_shmdt, anon), -EINVAL);
    return 0;
}

/* A thread that holds several locks gives back the one it names. */
static int locks_without_names(uintptr_t sp)
{
    static const char *const names[] = {"a", "b", "c"};
    for (unsigned i = 0; i < 3; i++) {
        (void)u_new(names[i], U_PAGE, RS_DEFAULT);
        U_EQ(u_lock(names[i]), 0);
    }
    U_EQ(u_destroy_with("b", RS_UNLINK), 0);
    U_EQ(u_destroy_with("c", RS_UNLINK), 0);
    U_EQ(u_unlock("c"), 0);
    U_EQ(u_unlock("c"), ERR_NOTEXIST);
    U_EQ(u_unlock("b"), 0);
    U_EQ(u_region("a").lock_owner_tid, U_CALL(SYS_gettid));
    return 0;
}

static int second_link_goes(uintptr_t sp)
{
    U_EQ(u_create("r", U_PAGE, RS_PERSIST), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/r", "/dev/shm/s"), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/r", "/dev/shm/t"), 0);
    U_EQ(u_unlink("/dev/shm/t"), 0);
    U_EQ(u_open("/dev/shm/t", O_RDONLY, 0), -ENOENT);
    U_EQ(u_region("s").id, u_region("r").id);
    U_EQ(u_destroy("s"), 0);
    U_EQ(u_destroy("r"), ERR_NOTEXIST);
    return 0;
}

/* futex(2) in memory that is shared goes by the page, not by the address. */
static uint32_t woken;

static int waits_elsewhere(uintptr_t arg)
{
    uintptr_t at = 0;
    U_EQ(u_map("r", &at), 0);
    U_EQ(U_CALL(SYS_futex, at + 8, 0, 0, 0), 0);
    __atomic_store_n(&woken, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int futexes(uintptr_t sp)
{
    uintptr_t first = u_new("r", U_PAGE, RS_DEFAULT), at = 0;
    U_EQ(u_map("r", &at), 0);
    woken = 0;
    long pid = u_fork(waits_elsewhere, 0);
    U_WAIT_UNTIL(u_sleeps(pid));
    U_EQ(U_CALL(SYS_futex, first + 16, 1, 9), 0); /* another word */
    U_EQ(U_CALL(SYS_futex, at + 8, 1, 9), 1);
    u_must_exit(pid, 0);
    U_EQ(woken, 1);
    return 0;
}

static int waits_for_good(uintptr_t word)
{
    (void)U_CALL(SYS_futex, word, 0, 0, 0);
    return 0;
}

/* Whoever sleeps on a word does not keep the memory that it was in: when the mapping goes, so does
 * what its user is charged for (A7).  A thread waits for a word elsewhere, and is moved, so that
 * it surely sleeps. */
static int futexes_keep_nothing(uintptr_t sp)
{
    uintptr_t own = u_mmap(0, U_PAGE, U_RW, U_ANON, -1, 0);
    for (unsigned i = 0; i < 6; i++) {
        uintptr_t at = u_mmap(0, 5 * U_MIB, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        u_store8(at + U_PAGE, 1);
        U_CHECK(u_thread(waits_for_good, own) > 0);
        U_WAIT_UNTIL(U_CALL(SYS_futex, own, 4, 0, 1, at, 0) == 1); /* FUTEX_CMP_REQUEUE */
        U_EQ(U_CALL(SYS_munmap, at, 5 * U_MIB), 0);
        uintptr_t again = u_mmap(at, 5 * U_MIB, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        U_EQ(again, at);
        U_EQ(U_CALL(SYS_futex, at, 1, 9), 0); /* the same address is another word */
        U_EQ(U_CALL(SYS_munmap, at, 5 * U_MIB), 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "nothing", .init = nothing, .runs = 1},
        {.name = "at_the_top", .init = at_the_top, .runs = 1},
        {.name = "neighbours", .init = neighbours, .runs = 1},
        {.name = "rights_return", .init = rights_return, .runs = 2},
        {.name = "guests", .init = guests, .runs = 2},
        {.name = "zone_at_the_end", .init = zone_at_the_end, .runs = 1},
        {.name = "others_are_not_attached", .init = others_are_not_attached, .runs = 1},
        {.name = "locks_without_names", .init = locks_without_names, .runs = 1},
        {.name = "second_link_goes", .init = second_link_goes, .runs = 1},
        {.name = "futexes", .init = futexes, .runs = 2},
        {.name = "futexes_keep_nothing", .init = futexes_keep_nothing, .runs = 3},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
