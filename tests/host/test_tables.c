/* Page tables, many of them and empty: madvise leaves the tables of what it removes.  Nobody goes
 * through all of them in one hold of the page table's lock, with interrupts off. */
#include "door.h"
#include "runner.h"
#include <arch/mmu.h>
#include <kernel/base/spinlock.h>
#include <kernel/phys/pmem.h>

#define TABLES       2048u
#define SPAN         (2 * U_MIB) /* of a table */
#define PER_HOLD_MAX 8u          /* tables */

/* mremap */
#define MAYMOVE 1
#define FIXED   2

/* A call that takes the lock often enough for all tables passes that many scheduling points: one at
 * each lock and unlock.  They are counted where no other CPU passes any. */
#define U_HOLDS(call)                                                                              \
    do {                                                                                           \
        uint64_t before = host_points();                                                           \
        U_EQ(call, 0);                                                                             \
        U_CHECK(host_points() - before >= 2 * TABLES / PER_HOLD_MAX);                              \
    } while (0)

static int nothing(uintptr_t arg)
{
    return 0;
}

/* How many points fork passes. */
static uint64_t fork_points(void)
{
    uint64_t before = host_points();
    long pid = u_fork(nothing, 0);
    uint64_t points = host_points() - before;
    u_must_exit(pid, 0);
    return points;
}

/* Only the last table shows a page. */
static uintptr_t make_tables(uintptr_t where)
{
    uintptr_t at = u_mmap(where, TABLES * SPAN, U_RW, U_ANON, -1, 0);
    for (unsigned i = 0; i < TABLES; i++)
        u_store32(at + i * SPAN, 7);
    U_EQ(U_CALL(SYS_madvise, at, TABLES * SPAN, MADV_DONTNEED), 0);
    u_store32(at + (TABLES - 1) * SPAN, 9);
    return at;
}

static int holds(uintptr_t sp)
{
    uint64_t of_fork = fork_points();
    uintptr_t at = make_tables(U_FAR);
    U_HOLDS(U_CALL(SYS_mprotect, at, TABLES * SPAN, PROT_READ));
    U_HOLDS(U_CALL(SYS_mprotect, at, TABLES * SPAN, U_RW));
    U_CHECK(fork_points() >= of_fork + 2 * TABLES / PER_HOLD_MAX);
    U_EQ(u_load32(at + (TABLES - 1) * SPAN), 9);
    U_HOLDS(U_CALL(SYS_madvise, at, TABLES * SPAN, MADV_DONTNEED));
    U_EQ(u_load32(at + (TABLES - 1) * SPAN), 0);
    return 0;
}

/* mremap goes through the tables once more than munmap does, and frees as many. */
static int moves(uintptr_t sp)
{
    uintptr_t to = U_FAR + U_FAR / 4, at = make_tables(U_FAR);
    uint64_t before = host_points();
    U_EQ(U_CALL(SYS_munmap, at, TABLES * SPAN), 0);
    uint64_t of_unmap = host_points() - before;
    at = make_tables(U_FAR);
    before = host_points();
    U_EQ(U_CALL(SYS_mremap, at, TABLES * SPAN, TABLES * SPAN, MAYMOVE | FIXED, to), to);
    uint64_t of_move = host_points() - before;
    U_CHECK(of_move >= of_unmap + 2 * TABLES / PER_HOLD_MAX);
    U_EQ(u_load32(to + (TABLES - 1) * SPAN), 9);
    return 0;
}

/* munmap takes out a few tables under the lock, and frees what is below them without it. */
static long unlinks(void *arg)
{
    static struct spinlock lock = SPINLOCK_INIT("test", RANK_VPMAP);
    struct list tables = LIST_INIT(tables);
    struct vpmap map;
    size_t before = pmem_free_pages();
    unsigned n = 0;
    if (vpmap_init(&map))
        return -1;
    spin_lock(&lock);
    for (unsigned i = 0; i < TABLES; i++)
        if (!vpmap_slot(&map, U_FAR + i * SPAN, true))
            return -1;
    vpmap_unlink_tables(&map, U_FAR, U_FAR + TABLES * SPAN, USER_BEG, USER_END, &tables);
    spin_unlock(&lock);
    list_for_each (node, &tables)
        n++;
    vpmap_free_tables(&tables);
    vpmap_destroy(&map);
    return n == 1 && pmem_free_pages() == before;
}

static int unlinked(uintptr_t sp)
{
    U_EQ(host_in_kernel(unlinks, NULL), 1);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "holds", .init = holds, .runs = 1},
        {.name = "moves", .init = moves, .runs = 1},
        {.name = "unlinked", .init = unlinked, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
