/* The small doors: xv6's pages by number, zones, and Shrimpy's pages (X1, X2, Z1, Z2, S1 to S3). */
#define _GNU_SOURCE /* CLONE_VM */
#include "door.h"
#include "runner.h"

#include <sched.h>
#include <signal.h>

static long xv6_open(int id)
{
    return U_CALL(SHOAL_SYS_shm_open, (unsigned long)id);
}

static long xv6_close(int id)
{
    return U_CALL(SHOAL_SYS_shm_close, (unsigned long)id);
}

static long zone(int id, unsigned flags, int pages)
{
    return U_CALL(SHOAL_SYS_shmem, (unsigned long)id, flags, (unsigned long)pages);
}

/* ---- xv6 */

static int xv6_child(uintptr_t at)
{
    U_EQ(u_load8(at), 1); /* inherited, with as many opens */
    U_EQ(xv6_close(-7), 0);
    U_EQ(xv6_close(-7), 0);
    U_EQ(xv6_close(-7), -EINVAL);
    U_EQ(u_try_read(at), SIGSEGV);
    long again = xv6_open(-7);
    U_EQ(u_load8((uintptr_t)again), 1);
    return 0;
}

static int xv6_pages(uintptr_t sp)
{
    host_catch_faults();
    U_EQ(xv6_close(-7), -EINVAL);
    long at = xv6_open(-7);
    U_CHECK(at > 0);
    U_EQ(u_load8((uintptr_t)at), 0);
    u_store8((uintptr_t)at, 1);
    U_EQ(xv6_open(-7), at);
    u_child_does(xv6_child, (uintptr_t)at);
    U_EQ(U_CALL(SYS_mremap, (unsigned long)at, U_PAGE, U_PAGE, 3, U_FAR), U_FAR);
    U_EQ(xv6_open(-7), U_FAR); /* wherever it is */
    for (unsigned i = 0; i < 2; i++)
        U_EQ(xv6_close(-7), 0);
    U_EQ(u_load8(U_FAR), 1);
    U_EQ(xv6_close(-7), 0);
    U_EQ(u_try_read(U_FAR), SIGSEGV);
    at = xv6_open(-7);
    U_EQ(u_load8((uintptr_t)at), 0); /* the page went with its last user */
    U_EQ(xv6_open(-7), at);
    U_EQ(U_CALL(SYS_munmap, (unsigned long)at, U_PAGE), 0);
    U_EQ(xv6_close(-7), -EINVAL); /* by hand: with all its opens */
    return 0;
}

/* mremap made the mapping longer and munmap took the page: what is left is not the page. */
static int xv6_page_cut_off(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t at = (uintptr_t)xv6_open(6);
    u_store8(at, 6);
    U_EQ(U_CALL(SYS_mremap, at, U_PAGE, 2 * U_PAGE, 3, U_FAR), U_FAR);
    U_EQ(xv6_open(6), U_FAR);
    U_EQ(U_CALL(SYS_munmap, U_FAR, U_PAGE), 0);
    at = (uintptr_t)xv6_open(6);
    U_EQ(u_try_read(at), 0);
    U_EQ(u_load8(at), 6);
    u_walk();
    U_EQ(xv6_close(6), 0); /* the opens before went with the page */
    U_EQ(xv6_close(6), -EINVAL);
    U_EQ(u_try_read(at), SIGSEGV);
    U_EQ(u_try_read(U_FAR + U_PAGE), SIGSEGV);
    return 0;
}

static int xv6_stranger(uintptr_t arg)
{
    u_become(1000, 1000);
    U_EQ(xv6_open(5), -EACCES);
    U_EQ(xv6_close(5), 0); /* what it has inherited */
    U_EQ(xv6_close(5), -EINVAL);
    return 0;
}

static int xv6_limits(uintptr_t sp)
{
    U_CHECK(xv6_open(5) > 0);
    u_child_does(xv6_stranger, 0);
    for (int id = 100; id < 163; id++)
        U_CHECK(xv6_open(id) > 0);
    U_EQ(xv6_open(163), -ENOSPC);
    U_CHECK(xv6_open(100) > 0);
    u_walk();
    U_EQ(xv6_close(101), 0);
    U_CHECK(xv6_open(163) > 0);
    return 0;
}

/* ---- zones */

static int zone_refuses(uintptr_t sp)
{
    U_EQ(zone(-1, M_CREATE, 1), -EINVAL);
    U_EQ(zone(ZONE_IDS, M_CREATE, 1), -EINVAL);
    U_EQ(zone(1, 8, 1), -EINVAL);
    U_EQ(zone(1, M_CREATE, -1), -EINVAL);
    U_EQ(zone(1, M_CREATE, ZONE_PAGES_MAX + 1), -EINVAL);
    U_EQ(zone(1, M_CREATE, 0), -EINVAL);
    U_EQ(zone(1, M_CREATE | M_WAIT, 1), -EINVAL);
    U_EQ(zone(1, 0, 1), -ENOENT);
    U_EQ(zone(1, M_CREATE, 4), SHMBASE);
    U_EQ(zone(1, M_CREATE, 4), -EEXIST);
    U_EQ(zone(1, 0, 5), -EINVAL);
    return 0;
}

static int zone_sharer(uintptr_t arg)
{
    host_catch_faults();
    long at = zone(3, M_RDONLY, 2);
    U_EQ(at, SHMBASE + 4 * U_PAGE); /* behind what was inherited */
    U_EQ(u_load8((uintptr_t)at), 7);
    U_EQ(u_try_write((uintptr_t)at), SIGSEGV);
    U_EQ(u_try_read((uintptr_t)at + 2 * U_PAGE), SIGSEGV);
    at = zone(3, 0, 0);
    U_EQ(at, SHMBASE + 6 * U_PAGE);
    u_store8((uintptr_t)at, 8);
    return 0;
}

static int zones_are_shared(uintptr_t sp)
{
    U_EQ(zone(3, M_CREATE, 4), SHMBASE);
    u_store8(SHMBASE, 7);
    u_child_does(zone_sharer, 0);
    U_EQ(u_load8(SHMBASE), 8);
    U_EQ(U_CALL(SYS_munmap, SHMBASE, 4 * U_PAGE), 0);
    U_EQ(zone(3, 0, 0), -ENOENT); /* gone with its last mapping */
    return 0;
}

static int zone_stranger(uintptr_t arg)
{
    u_become(1000, 1000);
    U_EQ(zone(3, 0, 0), -EACCES);
    U_EQ(zone(3, M_RDONLY, 0), -EACCES);
    return 0;
}

static long waited;

static int zone_waiter(uintptr_t arg)
{
    waited = zone(4, M_WAIT, 0);
    return waited > 0 ? 0 : (int)-waited;
}

static int zone_interrupted(uintptr_t arg)
{
    u_ignore_by_handler(SIGUSR1, 0);
    U_EQ(zone(9, M_WAIT, 0), -EINTR);
    return 0;
}

static int zones_wait(uintptr_t sp)
{
    U_EQ(zone(3, M_CREATE, 4), SHMBASE);
    u_child_does(zone_stranger, 0);
    long waiter = u_fork(zone_waiter, 0), other = u_fork(zone_interrupted, 0);
    U_WAIT_UNTIL(u_sleeps(waiter) && u_sleeps(other));
    U_CHECK(xv6_open(4) > 0); /* wakes, and is not it */
    U_WAIT_UNTIL(u_sleeps(waiter) && u_sleeps(other));
    U_EQ(zone(4, M_CREATE, 2), SHMBASE + 4 * U_PAGE);
    u_must_exit(waiter, 0);
    U_EQ(U_CALL(SYS_kill, (unsigned long)other, SIGUSR1), 0);
    u_must_exit(other, 0);
    return 0;
}

/* Upward, then in the gaps. */
static int zones_find_room(uintptr_t sp)
{
    long at[ZONES_MAX];
    for (int i = 0; i < ZONES_MAX; i++) {
        at[i] = zone(i, M_CREATE, ZONE_PAGES_MAX);
        U_EQ(at[i], SHMBASE + (unsigned long)i * ZONE_PAGES_MAX * U_PAGE);
        U_EQ(U_CALL(SYS_munmap, (unsigned long)at[i], U_PAGE), 0); /* a piece is a zone still */
        if (i == 7)                                                /* two pieces are one zone */
            U_EQ(U_CALL(SYS_munmap, (unsigned long)at[i] + 9 * U_PAGE, U_PAGE), 0);
    }
    U_EQ(zone(20, M_CREATE, 1), -EMFILE);
    U_EQ(U_CALL(SYS_munmap, (unsigned long)at[5], ZONE_PAGES_MAX * U_PAGE), 0);
    U_EQ(zone(20, M_CREATE, 100), SHMBASE + 5ul * ZONE_PAGES_MAX * U_PAGE);
    U_EQ(U_CALL(SYS_munmap, SHMBASE + 5ul * ZONE_PAGES_MAX * U_PAGE, 100 * U_PAGE), 0);
    uintptr_t wall = u_mmap(SHMBASE + 5ul * ZONE_PAGES_MAX * U_PAGE, ZONE_PAGES_MAX * U_PAGE, 0,
                            U_ANON | MAP_FIXED, -1, 0);
    U_EQ(zone(20, M_CREATE, 100), -ENOMEM); /* only single pages are left */
    U_EQ(zone(20, M_CREATE, 1), SHMBASE);
    U_EQ(U_CALL(SYS_munmap, wall, ZONE_PAGES_MAX * U_PAGE), 0);
    u_walk();
    return 0;
}

/* ---- Shrimpy */

static int no_parents_page(uintptr_t arg)
{
    host_catch_faults();
    U_EQ(u_load8(SHRIMP), 11); /* the parent's fry */
    u_store8(SHRIMP, 12);
    U_EQ(u_load8(FRY), 0); /* its own */
    u_store8(FRY, 13);
    return 0;
}

static int grandchild(uintptr_t arg)
{
    U_EQ(u_load8(SHRIMP), 21); /* of the middle one, not of the first */
    return 0;
}

static int middle(uintptr_t arg)
{
    u_store8(FRY, 21);
    u_child_does(grandchild, 0);
    U_EQ(u_load8(SHRIMP), 12);
    return 0;
}

static int vfork_guest(uintptr_t arg)
{
    u_store8(FRY, 31); /* a guest in its parent's address space: it sees what the parent sees */
    return 0;
}

static int shrimpy_family(uintptr_t sp)
{
    host_catch_faults();
    u_store8(FRY, 11);
    u_child_does(no_parents_page, 0);
    U_EQ(u_load8(FRY), 12);
    u_child_does(middle, 0);
    long pid = u_vfork(vfork_guest, 0);
    U_CHECK(pid > 0);
    u_must_exit(pid, 0);
    U_EQ(u_load8(FRY), 31);
    U_EQ(u_try_read(SHRIMP), SIGSEGV); /* init has no parent */
    U_EQ(u_try_read(FRY + U_PAGE), SIGSEGV);
    U_EQ(U_CALL(SYS_munmap, FRY, U_PAGE), 0);
    U_EQ(u_load8(FRY), 31); /* it is found again */
    u_walk();
    return 0;
}

static int touched_by_child_first(uintptr_t arg)
{
    u_store8(SHRIMP, 5);
    return 0;
}

static uint32_t orphan_may_go, orphan_done;

static int orphan(uintptr_t arg)
{
    host_catch_faults();
    u_store8(SHRIMP, 41);
    U_WAIT_UNTIL(__atomic_load_n(&orphan_may_go, __ATOMIC_SEQ_CST));
    U_EQ(u_load8(SHRIMP), 41); /* the page outlives its process */
    U_EQ(U_CALL(SYS_munmap, SHRIMP, U_PAGE), 0);
    U_EQ(u_load8(SHRIMP), 41);
    __atomic_store_n(&orphan_done, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int leaves_an_orphan(uintptr_t arg)
{
    U_CHECK(u_fork(orphan, 0) > 0);
    U_WAIT_UNTIL(u_load8(FRY) == 41);
    return 0;
}

static int shrimpy_order(uintptr_t sp)
{
    int status;
    u_child_does(touched_by_child_first, 0);
    U_EQ(u_load8(FRY), 5);
    orphan_may_go = orphan_done = 0;
    u_child_does(leaves_an_orphan, 0);
    __atomic_store_n(&orphan_may_go, 1, __ATOMIC_SEQ_CST);
    U_CHECK(u_wait(-1, &status) > 0); /* the orphan is init's by now */
    U_EQ(status, 0);
    U_EQ(orphan_done, 1);
    return 0;
}

static uint32_t hosts_gone;

/* A child that shares this one's memory: a guest in it. */
static void leave_guest(int (*run)(uintptr_t arg))
{
    uintptr_t stack = u_mmap(0, 16 * U_PAGE, U_RW, U_ANON, -1, 0);
    host_child(run, 0);
    U_CHECK(U_CALL(SYS_clone, CLONE_VM | SIGCHLD, stack + 16 * U_PAGE) > 0);
}

static int second_guest(uintptr_t arg)
{
    host_catch_faults();
    U_WAIT_UNTIL(u_counted(&hosts_gone) == 2);
    U_EQ(u_try_read(SHRIMP), 0);
    U_EQ(u_load8(SHRIMP), 51); /* of the first one's parent, whose memory it was */
    U_EQ(u_load8(FRY), 52);
    return 0;
}

static int first_guest(uintptr_t arg)
{
    U_WAIT_UNTIL(u_counted(&hosts_gone) == 1);
    leave_guest(second_guest);
    return 0;
}

static int leaves_a_guest(uintptr_t arg)
{
    u_store8(FRY, 52);
    leave_guest(first_guest);
    return 0;
}

/* Guests see the pages of a host that has exited. */
static int shrimpy_guests(uintptr_t sp)
{
    int status;
    u_store8(FRY, 51);
    hosts_gone = 0;
    u_child_does(leaves_a_guest, 0);
    for (unsigned i = 0; i < 2; i++) {
        u_count(&hosts_gone);
        U_CHECK(u_wait(-1, &status) > 0); /* the guests are init's by now */
        U_EQ(status, 0);
    }
    return 0;
}

/* A3: a page that could not be mapped is not in the table; one that is mapped stays, filled or not.
 */
static int touch_without_memory(uintptr_t n)
{
    host_catch_faults();
    U_EQ(U_CALL(SHOAL_SYS_failNth, n, FAIL_ALLOC), 0);
    int sig = u_try_write(FRY);
    bool failed = U_CALL(SHOAL_SYS_failNth, 0, FAIL_ALLOC) == 0;
    U_EQ(sig, failed ? SIGBUS : 0);
    U_EQ(u_file_has("/proc/regions", "fry"), u_maps_count(FRY, FRY + U_PAGE) > 0);
    return failed;
}

static int fry_without_memory(uintptr_t sp)
{
    int status = 1 << 8;
    for (unsigned n = 1; status != 0; n++) {
        long pid = u_fork(touch_without_memory, n);
        U_EQ(u_wait(pid, &status), pid);
        U_CHECK(status == 0 || status == 1 << 8);
    }
    return 0;
}

static int touch_fry(uintptr_t value)
{
    u_store8(FRY, (uint8_t)value);
    return 0;
}

/* Threads touch at once: one page. */
static int race_for_fry(uintptr_t arg)
{
    for (unsigned i = 0; i < 3; i++)
        U_CHECK(u_thread(touch_fry, 9) > 0);
    U_WAIT_UNTIL(u_load8(FRY) == 9);
    return 0;
}

static int shrimpy_races(uintptr_t sp)
{
    for (unsigned i = 0; i < 5; i++)
        u_child_does(race_for_fry, 0);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "xv6_pages", .init = xv6_pages, .runs = 2},
        {.name = "xv6_page_cut_off", .init = xv6_page_cut_off, .runs = 2},
        {.name = "xv6_limits", .init = xv6_limits, .runs = 1},
        {.name = "zone_refuses", .init = zone_refuses, .runs = 1},
        {.name = "zones_are_shared", .init = zones_are_shared, .runs = 2},
        {.name = "zones_wait", .init = zones_wait, .runs = 3},
        {.name = "zones_find_room", .init = zones_find_room, .runs = 1},
        {.name = "shrimpy_family", .init = shrimpy_family, .runs = 3},
        {.name = "shrimpy_order", .init = shrimpy_order, .runs = 3},
        {.name = "shrimpy_guests", .init = shrimpy_guests, .runs = 3},
        {.name = "fry_without_memory", .init = fry_without_memory, .runs = 1},
        {.name = "shrimpy_races", .init = shrimpy_races, .runs = 5},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
