/* mremap(2) of every kind, and fork of what is mapped (A5): pages go with their mapping, and each
 * process has its own of what is private. */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define MAYMOVE 1
#define FIXED   2
#define TO      (U_FAR + U_GIB)

static long remap(uintptr_t at, size_t old, size_t new, int flags, uintptr_t to)
{
    return U_CALL(SYS_mremap, at, old, new, (unsigned long)flags, to);
}

static void make(uintptr_t at, size_t pages)
{
    U_EQ(u_mmap(at, pages * U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0), at);
    for (size_t i = 0; i < pages; i++)
        u_store8(at + i * U_PAGE, (uint8_t)(i + 1));
}

static void must_hold(uintptr_t at, size_t pages, unsigned first)
{
    for (size_t i = 0; i < pages; i++)
        U_EQ(u_load8(at + i * U_PAGE), (uint8_t)(first + i));
}

static void unmap(uintptr_t at, size_t bytes)
{
    U_EQ(U_CALL(SYS_munmap, at, bytes), 0);
}

static int refuses(uintptr_t sp)
{
    make(U_FAR, 9);
    U_EQ(remap(U_FAR + 1, U_PAGE, U_PAGE, 0, 0), -EINVAL);
    U_EQ(remap(U_FAR, 0, U_PAGE, 0, 0), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, 0, 0, 0), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, ~0ul, MAYMOVE, 0), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, U_PAGE, FIXED, TO), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, U_PAGE, 8, 0), -EINVAL);
    U_EQ(remap(U_KERNEL, U_PAGE, U_PAGE, 0, 0), -EFAULT);
    U_EQ(remap(U_FAR, 2 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED, U_FAR + U_PAGE), -EINVAL);
    U_EQ(remap(U_FAR + U_PAGE, 2 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED, U_FAR), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, U_PAGE, MAYMOVE | FIXED, TO + 1), -EINVAL);
    U_EQ(remap(U_FAR, U_PAGE, U_PAGE, MAYMOVE | FIXED, U_KERNEL), -EINVAL);
    U_EQ(remap(U_FAR, 10 * U_PAGE, U_PAGE, 0, 0), -EFAULT);
    U_EQ(remap(U_FAR - U_PAGE, 2 * U_PAGE, U_PAGE, 0, 0), -EFAULT);
    U_EQ(remap(TO, U_PAGE, U_PAGE, 0, 0), -EFAULT);
    make(U_FAR + 9 * U_PAGE, 1);
    U_EQ(U_CALL(SYS_mprotect, U_FAR + 9 * U_PAGE, U_PAGE, PROT_READ), 0);
    U_EQ(remap(U_FAR, 10 * U_PAGE, U_PAGE, 0, 0), -EFAULT); /* two mappings */
    U_EQ(remap(U_FAR, 9 * U_PAGE, 10 * U_PAGE, 0, 0), -ENOMEM);
    U_EQ(remap(U_FAR, U_PAGE, 2 * U_PAGE, 0, 0), -ENOMEM);
    U_EQ(remap(U_FAR, U_PAGE, 1ul << 46, 0, 0), -ENOMEM);
    U_EQ(remap(U_FAR, U_PAGE, (1ul << 47) - U_PAGE * 2, MAYMOVE, 0), -ENOMEM);
    must_hold(U_FAR, 9, 1);
    U_EQ(u_maps_count(U_FAR, U_FAR + 9 * U_PAGE), 1);
    u_walk();
    return 0;
}

static int in_place(uintptr_t sp)
{
    host_catch_faults();
    make(U_FAR, 9);
    U_EQ(remap(U_FAR, 9 * U_PAGE, 9 * U_PAGE, 0, 0), U_FAR);
    U_EQ(remap(U_FAR, 9 * U_PAGE, 5 * U_PAGE - 7, 0, 0), U_FAR);
    U_EQ(u_try_read(U_FAR + 5 * U_PAGE), SIGSEGV);
    must_hold(U_FAR, 5, 1);
    U_EQ(remap(U_FAR, 5 * U_PAGE, 20 * U_PAGE, 0, 0), U_FAR);
    U_EQ(u_load8(U_FAR + 19 * U_PAGE), 0);
    must_hold(U_FAR, 5, 1);
    U_EQ(u_maps_count(U_FAR, U_FAR + 20 * U_PAGE), 1);
    U_EQ(remap(U_FAR + 10 * U_PAGE, 5 * U_PAGE, U_PAGE, 0, 0), U_FAR + 10 * U_PAGE); /* a hole */
    U_EQ(u_maps_count(U_FAR, U_FAR + 20 * U_PAGE), 2);
    U_EQ(remap(U_FAR, 11 * U_PAGE, 15 * U_PAGE, 0, 0), U_FAR); /* and it closes */
    U_EQ(u_maps_count(U_FAR, U_FAR + 20 * U_PAGE), 1);
    u_walk();
    return 0;
}

static int moves(uintptr_t sp)
{
    host_catch_faults();
    make(U_FAR, 9);
    U_EQ(remap(U_FAR, 9 * U_PAGE, 9 * U_PAGE, MAYMOVE | FIXED, TO), TO);
    U_EQ(u_try_read(U_FAR), SIGSEGV);
    must_hold(TO, 9, 1);
    U_EQ(remap(TO + 3 * U_PAGE, 3 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED, U_FAR), U_FAR);
    must_hold(U_FAR, 2, 4);
    U_EQ(u_try_read(U_FAR + 2 * U_PAGE), SIGSEGV);
    must_hold(TO, 3, 1);
    must_hold(TO + 6 * U_PAGE, 3, 7);
    U_EQ(u_try_read(TO + 5 * U_PAGE), SIGSEGV);
    U_EQ(remap(U_FAR, 2 * U_PAGE, 3 * U_PAGE, MAYMOVE | FIXED, TO + 3 * U_PAGE), TO + 3 * U_PAGE);
    U_EQ(u_maps_count(TO, TO + 9 * U_PAGE), 1); /* it fits between the others */
    U_EQ(u_load8(TO + 5 * U_PAGE), 0);
    make(U_FAR, 9);
    U_EQ(remap(U_FAR, 2 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED, TO + U_PAGE), TO + U_PAGE);
    must_hold(TO, 1, 1);
    must_hold(TO + U_PAGE, 2, 1); /* over what was there */
    U_EQ(u_load8(TO + 3 * U_PAGE), 4);
    long at = remap(U_FAR + 2 * U_PAGE, 2 * U_PAGE, 100 * U_PAGE, MAYMOVE, 0);
    U_CHECK(at > 0);
    must_hold((uintptr_t)at, 2, 3);
    U_EQ(u_load8((uintptr_t)at + 99 * U_PAGE), 0);
    u_walk();
    return 0;
}

/* Many pages, thin and dense, across the borders of tables. */
static int moves_many(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t at = u_mmap(U_FAR, 4 * U_MIB, U_RW, U_ANON | MAP_FIXED, -1, 0);
    for (size_t i = 0; i < 150; i++)
        u_store8(at + U_MIB + i * U_PAGE, (uint8_t)(i + 1));
    u_store8(at + 4 * U_MIB - 1, 99);
    uintptr_t to = U_FAR + 512 * U_GIB - 5 * U_PAGE;
    U_EQ(remap(at, 4 * U_MIB, 4 * U_MIB, MAYMOVE | FIXED, to), to);
    must_hold(to + U_MIB, 150, 1);
    U_EQ(u_load8(to + 4 * U_MIB - 1), 99);
    U_EQ(u_load8(to), 0);
    U_EQ(u_try_read(at + U_MIB), SIGSEGV);
    unmap(to, 4 * U_MIB);
    u_walk();
    return 0;
}

static int moves_shared(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t at = u_new("r", 6 * U_PAGE, 0);
    for (size_t i = 0; i < 6; i++)
        u_store8(at + i * U_PAGE, (uint8_t)(i + 1));
    U_EQ(remap(at + U_PAGE, 2 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED, TO), TO);
    must_hold(TO, 2, 2);
    must_hold(at + 3 * U_PAGE, 3, 4);
    U_EQ(u_region("r").mappings, 1); /* two pieces of one */
    U_EQ(u_try_read(at + U_PAGE), SIGSEGV);
    U_EQ(remap(TO, 2 * U_PAGE, 4 * U_PAGE, 0, 0), TO);
    must_hold(TO, 4, 2);
    U_EQ(remap(TO, 4 * U_PAGE, 7 * U_PAGE, 0, 0), TO);
    U_EQ(u_try_read(TO + 6 * U_PAGE), SIGBUS); /* beyond the region's end */
    u_walk();
    U_EQ(u_unmap("r", at), 0); /* all its pieces */
    U_EQ(u_try_read(TO), SIGSEGV);
    U_EQ(u_maps_count(TO, TO + 9 * U_PAGE), 0);
    U_EQ(u_destroy("r"), 0);
    return 0;
}

/* ---- fork */

static uintptr_t shared_at, region_at, private_at, file_at;

static int child_sees(uintptr_t arg)
{
    must_hold(private_at, 80, 1);
    u_fill(private_at, 80, 200);
    U_EQ(u_load8(file_at), 'f');
    u_store8(file_at, 'g');
    u_store8(shared_at, 1);
    u_store8(region_at, 2);
    U_EQ(u_region("r").mappings, 4); /* two mappings each */
    U_EQ(u_maps_count(region_at, region_at + 5 * U_PAGE), 2);
    u_walk();
    return 0;
}

static void fork_prepare(void)
{
    int fd = (int)u_open("/tmp/f", O_CREAT | O_RDWR, 0600);
    make(U_FAR, 80);
    private_at = U_FAR;
    shared_at = u_mmap(0, 3 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    region_at = u_new("r", 5 * U_PAGE, 0);
    unmap(region_at + 2 * U_PAGE, U_PAGE);
    uintptr_t second = 0;
    struct region_map private = {.flags = RM_PRIVATE};
    U_EQ(u_map_with("r", &second, private), 0);
    u_store8(second, 7);
    U_EQ(u_pwrite(fd, "file", 4, 0), 4);
    file_at = u_mmap(0, U_PAGE, U_RW, MAP_PRIVATE, fd, 0);
    U_EQ(u_load8(file_at), 'f');
}

static int forks(uintptr_t sp)
{
    fork_prepare();
    u_child_does(child_sees, 0);
    must_hold(private_at, 80, 1);
    U_EQ(u_load8(file_at), 'f');
    U_EQ(u_load8(shared_at), 1);
    U_EQ(u_load8(region_at), 2);
    U_EQ(u_region("r").mappings, 2);
    for (size_t i = 0; i < 80; i++) /* alone again: no copy is needed */
        u_store8(private_at + i * U_PAGE, 9);
    return 0;
}

/* A copy on write on both sides, in generations. */
static int generation(uintptr_t depth)
{
    U_EQ(u_load8(private_at), 10 - depth);
    u_store8(private_at, (uint8_t)(11 - depth));
    if (depth > 1)
        u_child_does(generation, depth - 1);
    U_EQ(u_load8(private_at), 11 - depth);
    return 0;
}

static int generations(uintptr_t sp)
{
    make(U_FAR, 3);
    private_at = U_FAR;
    u_store8(private_at, 6);
    u_child_does(generation, 4);
    U_EQ(u_load8(private_at), 6);
    return 0;
}

/* While one forks, others write and unmap: each child is whole. */
static uint32_t racing;

static int unmap_and_map(uintptr_t at)
{
    while (__atomic_load_n(&racing, __ATOMIC_SEQ_CST)) {
        unmap(at, 4 * U_PAGE);
        u_mmap(at, 4 * U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
        u_store8(at + U_PAGE, 1);
    }
    __atomic_store_n(&racing, 2, __ATOMIC_SEQ_CST);
    return 0;
}

static int child_walks(uintptr_t arg)
{
    u_walk();
    return 0;
}

static int fork_races(uintptr_t sp)
{
    racing = 1;
    U_CHECK(u_thread(unmap_and_map, U_FAR) > 0);
    for (unsigned i = 0; i < 4; i++)
        u_child_does(child_walks, 0);
    __atomic_store_n(&racing, 0, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(__atomic_load_n(&racing, __ATOMIC_SEQ_CST) == 2);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "refuses", .init = refuses, .runs = 1},
        {.name = "in_place", .init = in_place, .runs = 1},
        {.name = "moves", .init = moves, .runs = 2},
        {.name = "moves_many", .init = moves_many, .runs = 2},
        {.name = "moves_shared", .init = moves_shared, .runs = 2},
        {.name = "forks", .init = forks, .runs = 2},
        {.name = "generations", .init = generations, .runs = 2},
        {.name = "fork_races", .init = fork_races, .runs = 4},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
