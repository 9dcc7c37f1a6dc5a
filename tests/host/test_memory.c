/* What is mapped, changed piece by piece: mmap, munmap, mprotect, madvise, mincore, msync, mlock,
 * brk, and page faults of each kind (A5, A6). */
#include "door.h"
#include "runner.h"

#include <signal.h>

/* MAP_FIXED_NOREPLACE */
#define NOREPLACE 0x100000

static long map(uintptr_t at, size_t bytes, int prot, int flags)
{
    return U_CALL(SYS_mmap, at, bytes, (unsigned long)prot, (unsigned long)flags, -1ul, 0);
}

static long unmap(uintptr_t at, size_t bytes)
{
    return U_CALL(SYS_munmap, at, bytes);
}

static long protect(uintptr_t at, size_t bytes, int prot)
{
    return U_CALL(SYS_mprotect, at, bytes, (unsigned long)prot);
}

static long advise(uintptr_t at, size_t bytes, int advice)
{
    return U_CALL(SYS_madvise, at, bytes, (unsigned long)advice);
}

/* ---- places */

static int places(uintptr_t sp)
{
    host_catch_faults();
    U_EQ(map(0, 0, U_RW, U_ANON), -EINVAL);
    U_EQ(map(0, ~0ul, U_RW, U_ANON), -ENOMEM);
    U_EQ(map(0, 1ul << 47, U_RW, U_ANON), -ENOMEM);
    U_EQ(map(U_FAR + 1, U_PAGE, U_RW, U_ANON | MAP_FIXED), -EINVAL);
    U_EQ(map(U_KERNEL, U_PAGE, U_RW, U_ANON | MAP_FIXED), -ENOMEM);
    U_EQ(map(0, U_PAGE, U_RW, U_ANON | MAP_FIXED), -ENOMEM);
    U_EQ(map(U_FAR, U_PAGE, U_RW, U_ANON), U_FAR); /* a hint that can be followed */
    U_CHECK(map(U_FAR, U_PAGE, U_RW, U_ANON) != (long)U_FAR);
    U_CHECK(map(U_FAR - U_PAGE, 2 * U_PAGE, U_RW, U_ANON) != (long)(U_FAR - U_PAGE));
    U_CHECK(map(SHRIMPY_TOP - U_PAGE, U_PAGE, U_RW, U_ANON) != (long)(SHRIMPY_TOP - U_PAGE));
    U_EQ(map(U_FAR, U_PAGE, U_RW, U_ANON | NOREPLACE), -EEXIST);
    U_EQ(map(U_FAR + U_PAGE, U_PAGE, U_RW, U_ANON | NOREPLACE), U_FAR + U_PAGE);
    U_EQ(map(U_FAR + U_PAGE, U_PAGE, U_RW, U_ANON | MAP_FIXED), U_FAR + U_PAGE);
    U_EQ(unmap(U_FAR + 1, U_PAGE), -EINVAL);
    U_EQ(unmap(U_FAR, 0), -EINVAL);
    U_EQ(unmap(U_KERNEL, U_PAGE), -EINVAL);
    U_EQ(unmap(U_FAR, ~0ul), -EINVAL);
    U_EQ(unmap(U_FAR, U_GIB), 0); /* gaps are no error */
    U_EQ(unmap(U_FAR, U_GIB), 0);
    return 0;
}

/* All of the room below the top in one piece, and then what is left. */
static int room_ends(uintptr_t sp)
{
    long big[64];
    unsigned n = 0;
    for (size_t bytes = 1ul << 46; bytes >= U_GIB; bytes /= 2)
        while (n < 64 && (big[n] = map(0, bytes, 0, U_ANON)) > 0)
            n++;
    U_CHECK(n > 10 && n < 64);
    U_EQ(map(0, U_GIB, 0, U_ANON), -ENOMEM);
    u_walk();
    U_EQ(unmap((uintptr_t)big[0], 1ul << 46), 0);
    U_CHECK(map(0, 1ul << 45, 0, U_ANON) > 0); /* what was freed is found again */
    return 0;
}

/* ---- splits and merges, across the borders of page tables of each level */

static void split_at(uintptr_t border)
{
    uintptr_t beg = border - 8 * U_PAGE, end = border + 8 * U_PAGE;
    U_EQ(map(beg, end - beg, U_RW, U_ANON | MAP_FIXED), beg);
    u_fill(beg, 16, 5);
    U_EQ(u_maps_count(beg, end), 1);
    U_EQ(unmap(border - U_PAGE, 2 * U_PAGE), 0);
    U_EQ(u_maps_count(beg, end), 2);
    U_EQ(u_try_read(border - U_PAGE), SIGSEGV);
    U_EQ(u_try_read(border), SIGSEGV);
    U_EQ(u_load8(border - 2 * U_PAGE), 5);
    U_EQ(u_load8(border + U_PAGE), 5);
    u_walk();
    U_EQ(map(border - U_PAGE, 2 * U_PAGE, U_RW, U_ANON | MAP_FIXED), border - U_PAGE);
    U_EQ(u_maps_count(beg, end), 1); /* one again */
    U_EQ(u_load8(border), 0);
    U_EQ(u_load8(border + U_PAGE), 5);
    U_EQ(unmap(beg, border - beg), 0); /* all below: its tables go, the others stay */
    U_EQ(u_load8(border + U_PAGE), 5);
    U_EQ(unmap(border, end - border), 0);
    U_EQ(u_maps_count(beg, end), 0);
    u_walk();
}

static int splits(uintptr_t sp)
{
    host_catch_faults();
    split_at(U_FAR + 16 * U_PAGE);
    split_at(U_FAR + 2 * U_MIB);
    split_at(U_FAR + U_GIB);
    split_at(U_FAR + 512 * U_GIB);
    return 0;
}

/* Large and thin: pages here and there. */
static int large(uintptr_t sp)
{
    uintptr_t at = u_mmap(U_FAR, 600 * U_GIB, U_RW, U_ANON, -1, 0);
    for (unsigned i = 0; i < 6; i++)
        u_store8(at + i * 99 * U_GIB + i * 7 * U_MIB, (uint8_t)i);
    u_fill(at + U_GIB, 200, 7); /* more than a batch */
    U_EQ(protect(at, 600 * U_GIB, PROT_READ), 0);
    U_EQ(u_load8(at + 5 * 99 * U_GIB + 35 * U_MIB), 5);
    U_EQ(u_load8(at + U_GIB + 199 * U_PAGE), 7);
    U_EQ(unmap(at + U_GIB, U_GIB), 0);
    U_EQ(u_maps_count(at, at + 600 * U_GIB), 2);
    U_EQ(u_load8(at + 99 * U_GIB + 7 * U_MIB), 1);
    U_EQ(unmap(at, 600 * U_GIB), 0);
    return 0;
}

/* ---- mprotect */

static int protects(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t at = u_mmap(U_FAR, 9 * U_PAGE, U_RW, U_ANON, -1, 0);
    u_fill(at, 9, 3);
    U_EQ(protect(at + 1, U_PAGE, PROT_READ), -EINVAL);
    U_EQ(protect(at, U_PAGE, 0x100), -EINVAL);
    U_EQ(protect(at, 0, PROT_READ), 0);
    U_EQ(protect(U_KERNEL, U_PAGE, PROT_READ), -ENOMEM);
    U_EQ(protect(at, 10 * U_PAGE, PROT_READ), -ENOMEM);
    U_EQ(protect(at - U_PAGE, 2 * U_PAGE, PROT_READ), -ENOMEM);
    U_EQ(u_maps_count(at, at + 9 * U_PAGE), 1); /* nothing has changed (A3) */
    U_EQ(protect(at + 3 * U_PAGE, 3 * U_PAGE, PROT_READ), 0);
    U_EQ(u_maps_count(at, at + 9 * U_PAGE), 3);
    U_EQ(u_try_write(at + 3 * U_PAGE), SIGSEGV);
    U_EQ(u_load8(at + 3 * U_PAGE), 3);
    U_EQ(protect(at + 4 * U_PAGE, U_PAGE, PROT_NONE), 0);
    U_EQ(u_try_read(at + 4 * U_PAGE), SIGSEGV);
    U_EQ(u_maps_count(at, at + 9 * U_PAGE), 5);
    U_EQ(protect(at + 2 * U_PAGE, 5 * U_PAGE, U_RW), 0);
    U_EQ(u_maps_count(at, at + 9 * U_PAGE), 1);
    u_fill(at, 9, 4);
    U_EQ(host_fetch(at), SIGSEGV);
    U_EQ(protect(at, 9 * U_PAGE, PROT_READ | PROT_EXEC), 0);
    U_EQ(host_fetch(at), 0);
    U_EQ(protect(at, U_PAGE, PROT_NONE), 0);
    U_EQ(protect(at, U_PAGE, PROT_WRITE), 0); /* alone: reading is allowed, too */
    U_EQ(u_try_read(at), 0);
    U_EQ(u_try_write(at), 0);
    U_EQ(protect(at, U_PAGE, PROT_READ | PROT_EXEC), 0);
    U_EQ(unmap(at + 4 * U_PAGE, U_PAGE), 0);
    U_EQ(protect(at, 9 * U_PAGE, U_RW), -ENOMEM); /* a gap */
    U_EQ(u_try_write(at), SIGSEGV);
    U_EQ(u_try_write(at + 4 * U_PAGE), SIGSEGV);
    u_walk();
    return 0;
}

/* ---- questions and advice */

static long residence(uintptr_t at, size_t pages, uint8_t *of)
{
    uintptr_t to = u_put(1, of, pages);
    long err = U_CALL(SYS_mincore, at, pages * U_PAGE, to);
    u_get(to, of, pages);
    return err;
}

static int questions(uintptr_t sp)
{
    uint8_t in[5] = {0};
    uintptr_t at = u_mmap(U_FAR, 4 * U_PAGE, U_RW, U_ANON, -1, 0);
    u_store8(at + U_PAGE, 1);
    U_EQ(residence(at, 4, in), 0);
    U_CHECK(in[0] == 0 && in[1] == 1 && in[2] == 0);
    U_EQ(residence(at, 5, in), -ENOMEM);
    U_EQ(residence(at - U_PAGE, 2, in), -ENOMEM);
    U_EQ(U_CALL(SYS_mincore, at + 1, 1, U_BAD), -EINVAL);
    U_EQ(U_CALL(SYS_mincore, at, U_PAGE, U_BAD), -EFAULT);
    U_EQ(U_CALL(SYS_mincore, U_KERNEL, U_PAGE, U_BAD), -ENOMEM);
    U_EQ(U_CALL(SYS_mincore, at, ~0ul, U_BAD), -ENOMEM);
    uintptr_t shared = u_mmap(0, 4 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    u_store8(shared, 1);
    U_EQ(advise(shared, 4 * U_PAGE, MADV_DONTNEED), 0);
    U_EQ(residence(shared, 4, in), 0); /* in its store, though not mapped */
    U_CHECK(in[0] == 1 && in[1] == 0);
    U_EQ(u_load8(shared), 1);
    U_EQ(advise(at, 4 * U_PAGE, MADV_DONTNEED), 0);
    U_EQ(u_load8(at + U_PAGE), 0);
    u_store8(at + U_PAGE, 1);
    U_EQ(advise(at, 4 * U_PAGE, MADV_FREE), 0);
    U_EQ(advise(shared, 4 * U_PAGE, MADV_FREE), -EINVAL);
    U_EQ(advise(at, 4 * U_PAGE, MADV_WILLNEED), 0);
    U_EQ(advise(at, 5 * U_PAGE, MADV_WILLNEED), -ENOMEM);
    U_EQ(advise(at, 5 * U_PAGE, MADV_DONTNEED), -ENOMEM);
    U_EQ(advise(at, 5 * U_PAGE, MADV_FREE), -ENOMEM);
    U_EQ(advise(U_KERNEL, U_PAGE, MADV_NORMAL), -ENOMEM);
    U_EQ(advise(U_KERNEL, U_PAGE, MADV_DONTNEED), -ENOMEM);
    U_EQ(advise(at, U_PAGE, 999), -EINVAL);
    U_EQ(advise(at, 0, MADV_DONTNEED), 0);
    return 0;
}

static long lock(uintptr_t at, size_t bytes)
{
    return U_CALL(SYS_mlock, at, bytes);
}

static int brings_in(uintptr_t sp)
{
    uint8_t in[4] = {0};
    uintptr_t at = u_mmap(U_FAR, 4 * U_PAGE, U_RW, U_ANON, -1, 0);
    U_EQ(lock(at + U_PAGE + 5, U_PAGE), 0);
    U_EQ(residence(at, 4, in), 0);
    U_CHECK(in[0] == 0 && in[1] == 1 && in[2] == 1 && in[3] == 0);
    U_EQ(lock(at, 5 * U_PAGE), -ENOMEM);
    U_EQ(protect(at, U_PAGE, PROT_NONE), 0);
    U_EQ(lock(at, U_PAGE), -ENOMEM);
    U_EQ(protect(at, U_PAGE, PROT_EXEC), 0);
    U_EQ(lock(at, U_PAGE), 0);
    U_EQ(protect(at, 2 * U_PAGE, PROT_READ), 0);
    U_EQ(lock(at, 2 * U_PAGE), 0);
    U_EQ(U_CALL(SYS_munlock, at, 4 * U_PAGE), 0);
    U_EQ(U_CALL(SYS_munlock, at, 5 * U_PAGE), -ENOMEM);
    uintptr_t shared = u_mmap(0, 4 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    U_EQ(lock(shared, 4 * U_PAGE), 0);
    U_EQ(residence(shared, 4, in), 0);
    U_CHECK(in[0] && in[3]);
    long fd = U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, U_PAGE), 0);
    uintptr_t file = u_mmap(0, 2 * U_PAGE, U_RW, MAP_SHARED, (int)fd, 0);
    U_EQ(lock(file, 2 * U_PAGE), -ENOMEM); /* beyond its end */
    uintptr_t none = u_mmap(0, 4 * U_PAGE, PROT_NONE, U_ANON | MAP_POPULATE, -1, 0);
    U_EQ(residence(none, 4, in), 0);
    U_CHECK(!in[0]);
    uintptr_t code = u_mmap(0, 4 * U_PAGE, PROT_EXEC, U_ANON | MAP_POPULATE, -1, 0);
    U_EQ(residence(code, 4, in), 0);
    U_CHECK(in[0] && in[3]);
    u_mmap(0, 4 * U_PAGE, PROT_READ, U_ANON | MAP_POPULATE, -1, 0);
    return 0;
}

/* More than there is: the fault says so, and a populate leaves the rest. */
static int no_memory(uintptr_t arg)
{
    uint8_t in[1] = {0};
    host_catch_faults();
    (void)u_put(1, in, 1); /* the page that the answer goes to */
    uintptr_t at = u_mmap(U_FAR, 64 * U_MIB, U_RW, U_ANON, -1, 0);
    U_EQ(lock(at, 64 * U_MIB), -EAGAIN);
    U_EQ(residence(at + 63 * U_MIB, 1, in), 0);
    U_EQ(in[0], 0);
    U_EQ(u_try_write(at + 63 * U_MIB), SIGBUS);
    U_EQ(u_load8(at + U_PAGE), 0);
    U_EQ(unmap(at, 64 * U_MIB), 0);
    u_mmap(0, 64 * U_MIB, U_RW, U_ANON | MAP_POPULATE, -1, 0);
    return 0;
}

static int memory_ends(uintptr_t sp)
{
    u_child_does(no_memory, 0);
    u_walk();
    return 0;
}

/* ---- files of the root: msync */

static int syncs(uintptr_t sp)
{
    char byte = 0;
    int fd = (int)u_open("/tmp/f", O_CREAT | O_RDWR, 0600);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, 5 * U_PAGE), 0);
    uintptr_t at = u_mmap(U_FAR, 5 * U_PAGE, U_RW, MAP_SHARED, fd, 0);
    uintptr_t part = u_mmap(0, 2 * U_PAGE, U_RW, MAP_SHARED, fd, 3 * U_PAGE);
    uintptr_t own = u_mmap(0, 5 * U_PAGE, U_RW, MAP_PRIVATE, fd, 0);
    U_EQ(u_load8(at), 0);
    u_store8(at, 'a');
    u_store8(at + 2 * U_PAGE, 'c');
    u_store8(own + 2 * U_PAGE, 'x');
    u_store8(part, 'd');
    U_EQ(u_load8(at + 3 * U_PAGE), 'd');
    U_EQ(U_CALL(SYS_msync, at, 5 * U_PAGE, MS_SYNC), 0);
    U_EQ(U_CALL(SYS_msync, at, 5 * U_PAGE, MS_ASYNC), 0);
    u_store8(at, 'b'); /* and it is dirty again */
    U_EQ(U_CALL(SYS_msync, at, 5 * U_PAGE, MS_SYNC), 0);
    U_EQ(u_pread(fd, &byte, 1, 0), 1);
    U_EQ(byte, 'b');
    U_EQ(U_CALL(SYS_msync, at - U_PAGE, 2 * U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_msync, at, 6 * U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_msync, U_KERNEL, U_PAGE, MS_SYNC), -ENOMEM);
    U_EQ(U_CALL(SYS_msync, own, 5 * U_PAGE, MS_SYNC), 0);
    U_EQ(U_CALL(SYS_msync, at, U_PAGE, MS_SYNC | MS_ASYNC), -EINVAL);
    U_EQ(u_unlink("/tmp/f"), 0);
    U_EQ(u_load8(at), 'b');
    return 0;
}

/* ---- brk */

static uintptr_t u_brk(uintptr_t want)
{
    return (uintptr_t)U_CALL(SYS_brk, want);
}

static int heap(uintptr_t sp)
{
    host_catch_faults();
    uintptr_t beg = u_brk(0);
    U_EQ(u_brk(beg + 5 * U_PAGE + 7), beg + 5 * U_PAGE + 7);
    u_store8(beg + 5 * U_PAGE, 1);
    U_EQ(u_brk(beg + 5 * U_PAGE + 9), beg + 5 * U_PAGE + 9); /* the same page */
    U_EQ(u_brk(beg + 2 * U_PAGE), beg + 2 * U_PAGE);
    U_EQ(u_try_read(beg + 5 * U_PAGE), SIGSEGV);
    U_EQ(u_brk(beg + 6 * U_PAGE), beg + 6 * U_PAGE);
    U_EQ(u_load8(beg + 5 * U_PAGE), 0);
    U_EQ(u_brk(beg - 1), beg + 6 * U_PAGE);
    U_EQ(u_brk(SHRIMPY_TOP), beg + 6 * U_PAGE);
    uintptr_t wall = ALIGN_UP(beg, U_PAGE) + 10 * U_PAGE;
    U_EQ(map(wall, U_PAGE, U_RW, U_ANON | MAP_FIXED), wall);
    U_EQ(u_brk(wall + U_PAGE), beg + 6 * U_PAGE);
    U_EQ(u_brk(beg), beg);
    u_walk();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "places", .init = places, .runs = 1},
        {.name = "room_ends", .init = room_ends, .runs = 1},
        {.name = "splits", .init = splits, .runs = 2},
        {.name = "large", .init = large, .runs = 2},
        {.name = "protects", .init = protects, .runs = 2},
        {.name = "questions", .init = questions, .runs = 1},
        {.name = "brings_in", .init = brings_in, .runs = 1},
        {.name = "memory_ends", .init = memory_ends, .runs = 1},
        {.name = "syncs", .init = syncs, .runs = 2},
        {.name = "heap", .init = heap, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
