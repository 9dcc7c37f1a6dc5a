/* What tests of the doors are written with, beside user.h: their calls, a look at what the kernel
 * says of itself, and waiting for it. */
#pragma once

#include "user.h"

#include <abi/sysv.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#define U_RW   (PROT_READ | PROT_WRITE)
#define U_ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define U_MIB  (1ul << 20)
#define U_GIB  (1ul << 30)
#define U_MS   1000000ll

/* An address that no program has anything at, and one that no page table covers. */
#define U_FAR    0x300000000000ul
#define U_BAD    8ul
#define U_KERNEL 0xffff800000000000ul

/* Until it holds, others run.  For what must happen, in whatever order. */
#define U_WAIT_UNTIL(cond)                                                                         \
    do                                                                                             \
        U_CALL(SYS_sched_yield);                                                                   \
    while (!(cond))

/* ---- variables of a test, which all its processes and threads see */
static inline uint32_t u_count(uint32_t *what) /* what it is then */
{
    return __atomic_add_fetch(what, 1, __ATOMIC_SEQ_CST);
}
static inline uint32_t u_counted(const uint32_t *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST);
}
static inline void u_pass_time(unsigned turns)
{
    while (turns--)
        U_CALL(SYS_sched_yield);
}

/* ---- regions: negative ns is for ever */
long u_map_with(const char *name, uintptr_t *at, struct region_map how);
long u_lock_timed(const char *name, int64_t ns);
long u_destroy_timed(const char *name, unsigned how, int64_t ns);
long u_chmod_region(const char *name, unsigned mode);
struct region_stat u_region(const char *name);                   /* must be there */
uintptr_t u_new(const char *name, size_t bytes, unsigned flags); /* created and mapped */

/* ---- System V */
long u_shmctl(int id, int command, void *buf, size_t bytes);
struct linux_shmid_ds u_segment(int id); /* must be there */

/* ---- files */
long u_open(const char *path, int flags, unsigned mode);
long u_unlink(const char *path);
long u_two_paths(long nr, const char *from, const char *to); /* link, rename, symlink */
long u_pread(int fd, void *to, size_t bytes, long offset);
long u_pwrite(int fd, const void *from, size_t bytes, long offset);
/* The whole of a file as text; its length. */
size_t u_slurp(const char *path, char *text, size_t size);
bool u_file_has(const char *path, const char *what);

/* ---- memory */
uint8_t u_load8(uintptr_t va); /* must not fault */
void u_store8(uintptr_t va, uint8_t value);
void u_fill(uintptr_t va, size_t pages, uint8_t value); /* the first byte of each page */
/* 0, or the signal; host_catch_faults() first. */
int u_try_read(uintptr_t va);
int u_try_write(uintptr_t va);
/* The lines of /proc/self/maps that touch [beg, end). */
unsigned u_maps_count(uintptr_t beg, uintptr_t end);

/* ---- processes */
void u_become(unsigned uid, unsigned gid); /* all ids, no other group */
bool u_sleeps(long pid);
bool u_stopped(long pid);
/* A child that runs `run` and must end with 0. */
void u_child_does(int (*run)(uintptr_t arg), uintptr_t arg);
/* From now on this signal only ends sleeps. */
void u_ignore_by_handler(int sig, unsigned long flags);

/* The kernel's walkers find nothing. */
void u_walk(void);
