/* What programs of a host test are written with: the calls, as a C library would have them.  All
 * results are the kernel's: 0 or more, or a negative errno. */
#pragma once

#include <host.h>

#include <abi/region.h>
#include <abi/shoal.h>
#include <abi/zone.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define U_PAGE 4096ul

#define U_CALL(nr, ...) HOST_SYSCALL(nr, __VA_ARGS__)

/* A copy of `data` in this thread's own scratch memory below its stack; the address.  Each of the
 * slots holds U_SLOT_BYTES until it is used again. */
#define U_SLOTS      4
#define U_SLOT_BYTES U_PAGE
uintptr_t u_put(unsigned slot, const void *data, size_t bytes);
void u_get(uintptr_t at, void *data, size_t bytes);
static inline uintptr_t u_string(unsigned slot, const char *s)
{
    return u_put(slot, s, strlen(s) + 1);
}

/* What a program demands; when it does not hold, says so and ends the test. */
#define U_CHECK(cond) ((cond) ? (void)0 : u_fail(__FILE__, __LINE__, #cond))
#define U_EQ(a, b)    u_check_eq(__FILE__, __LINE__, #a " == " #b, (long)(a), (long)(b))
_Noreturn void u_fail(const char *file, int line, const char *what);
void u_check_eq(const char *file, int line, const char *what, long a, long b);

/* Regions. */
long u_create(const char *name, size_t bytes, unsigned flags);
long u_destroy(const char *name);
long u_destroy_with(const char *name, unsigned how);
long u_map(const char *name, uintptr_t *at); /* createMapping */
long u_unmap(const char *name, uintptr_t at);
long u_lock(const char *name);
long u_trylock(const char *name);
long u_unlock(const char *name);
long u_stat_region(const char *name, struct region_stat *stat);

/* Processes.  The child runs `run(arg)`; its return value is its exit status. */
long u_fork(int (*run)(uintptr_t arg), uintptr_t arg);
long u_vfork(int (*run)(uintptr_t arg), uintptr_t arg);
/* A thread of this process, on a stack of its own; ends by returning.  Its tid. */
long u_thread(int (*run)(uintptr_t arg), uintptr_t arg);
long u_wait(long pid, int *status); /* wait4 without options; the pid, or -errno */
void u_must_exit(long pid, int code);
long u_exec(const char *path);

/* Memory. */
uintptr_t u_mmap(uintptr_t at, size_t bytes, int prot, int flags, int fd, size_t offset);
uint32_t u_load32(uintptr_t va); /* must not fault */
void u_store32(uintptr_t va, uint32_t value);
uint32_t u_add32(uintptr_t va, uint32_t n); /* atomic; what was there */
