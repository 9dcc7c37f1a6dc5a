#define _GNU_SOURCE
#include "user.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#define THREAD_STACK_BYTES (16 * U_PAGE)

uintptr_t u_put(unsigned slot, const void *data, size_t bytes)
{
    uintptr_t at = (host_stack_pointer() & ~(U_PAGE - 1)) - (slot + 2) * U_SLOT_BYTES;
    U_CHECK(slot < U_SLOTS && bytes <= U_SLOT_BYTES);
    U_EQ(host_store(at, data, bytes), 0);
    return at;
}

void u_get(uintptr_t at, void *data, size_t bytes)
{
    U_EQ(host_load(at, data, bytes), 0);
}

void u_fail(const char *file, int line, const char *what)
{
    host_fail("%s:%d: %s does not hold", file, line, what);
}

void u_check_eq(const char *file, int line, const char *what, long a, long b)
{
    if (a != b)
        host_fail("%s:%d: %s does not hold: %ld and %ld", file, line, what, a, b);
}

/* ---- regions */

long u_create(const char *name, size_t bytes, unsigned flags)
{
    return U_CALL(SHOAL_SYS_createSharedRegion, u_string(0, name), bytes, flags);
}

long u_destroy(const char *name)
{
    return U_CALL(SHOAL_SYS_destroySharedRegion, u_string(0, name));
}

long u_destroy_with(const char *name, unsigned how)
{
    return U_CALL(SHOAL_SYS_destroySharedRegionWith, u_string(0, name), how, 0);
}

long u_map(const char *name, uintptr_t *at)
{
    uintptr_t result = u_put(1, at, sizeof *at);
    long err = U_CALL(SHOAL_SYS_createMapping, u_string(0, name), result);
    u_get(result, at, sizeof *at);
    return err;
}

long u_unmap(const char *name, uintptr_t at)
{
    return U_CALL(SHOAL_SYS_destroyMapping, u_string(0, name), at);
}

long u_lock(const char *name)
{
    return U_CALL(SHOAL_SYS_lockRegion, u_string(0, name));
}

long u_trylock(const char *name)
{
    return U_CALL(SHOAL_SYS_tryLockRegion, u_string(0, name));
}

long u_unlock(const char *name)
{
    return U_CALL(SHOAL_SYS_unlockRegion, u_string(0, name));
}

long u_stat_region(const char *name, struct region_stat *stat)
{
    uintptr_t result = u_put(1, stat, sizeof *stat);
    long err = U_CALL(SHOAL_SYS_statRegion, u_string(0, name), result);
    u_get(result, stat, sizeof *stat);
    return err;
}

/* ---- processes */

long u_fork(int (*run)(uintptr_t arg), uintptr_t arg)
{
    host_child(run, arg);
    return U_CALL(SYS_fork);
}

long u_vfork(int (*run)(uintptr_t arg), uintptr_t arg)
{
    host_child(run, arg);
    return U_CALL(SYS_vfork);
}

struct thread_start {
    int (*run)(uintptr_t arg);
    uintptr_t arg;
};

/* What to run is in the thread's stack, at `at`. */
static int thread_main(uintptr_t at)
{
    struct thread_start start;
    u_get(at, &start, sizeof start);
    (void)start.run(start.arg);
    U_CALL(SYS_exit, 0);
    return 0;
}

long u_thread(int (*run)(uintptr_t arg), uintptr_t arg)
{
    uintptr_t stack =
        u_mmap(0, THREAD_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct thread_start start = {run, arg};
    uintptr_t top = stack + THREAD_STACK_BYTES - sizeof start;
    U_EQ(host_store(top, &start, sizeof start), 0);
    host_child(thread_main, top);
    return U_CALL(SYS_clone,
                  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                  top);
}

long u_wait(long pid, int *status)
{
    int zero = 0;
    uintptr_t result = u_put(1, &zero, sizeof zero);
    long got = U_CALL(SYS_wait4, (unsigned long)pid, result);
    u_get(result, status, sizeof *status);
    return got;
}

void u_must_exit(long pid, int code)
{
    int status;
    U_EQ(u_wait(pid, &status), pid);
    U_EQ(status, code << 8);
}

long u_exec(const char *path)
{
    uintptr_t at = u_string(0, path);
    const uintptr_t argv[] = {at, 0};
    return U_CALL(SYS_execve, at, u_put(1, argv, sizeof argv), 0);
}

/* ---- memory */

uintptr_t u_mmap(uintptr_t at, size_t bytes, int prot, int flags, int fd, size_t offset)
{
    long got = U_CALL(SYS_mmap, at, bytes, (unsigned long)prot, (unsigned long)flags,
                      (unsigned long)fd, offset);
    U_CHECK(got > 0);
    return (uintptr_t)got;
}

uint32_t u_load32(uintptr_t va)
{
    uint32_t value;
    U_EQ(host_load(va, &value, sizeof value), 0);
    return value;
}

void u_store32(uintptr_t va, uint32_t value)
{
    U_EQ(host_store(va, &value, sizeof value), 0);
}

uint32_t u_add32(uintptr_t va, uint32_t n)
{
    uint32_t old;
    U_EQ(host_add_u32(va, n, &old), 0);
    return old;
}
