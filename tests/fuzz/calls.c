#define _GNU_SOURCE
#include "calls.h"

#include <sys/mman.h>

#include "../host/user.h"

#define N ARG_NAME
#define P ARG_PATH
#define F ARG_FD
#define B ARG_BYTES
#define A ARG_ADDRESS
#define R ARG_RESULT
#define T ARG_TIMEOUT
#define L ARG_FLAGS
#define S ARG_SMALL
#define X ARG_PROT
#define M ARG_MAP_FLAGS

const struct call fuzz_calls[] = {
    {SHOAL_SYS_createSharedRegion, {N, B, L}},
    {SHOAL_SYS_destroySharedRegion, {N}},
    {SHOAL_SYS_createMapping, {N, R}},
    {SHOAL_SYS_destroyMapping, {N, A}},
    {SHOAL_SYS_lockRegion, {N}},
    {SHOAL_SYS_unlockRegion, {N}},
    {SHOAL_SYS_tryLockRegion, {N}},
    {SHOAL_SYS_lockRegionTimed, {N, T}},
    {SHOAL_SYS_createMappingWith, {N, R, R}},
    {SHOAL_SYS_destroySharedRegionWith, {N, L, T}},
    {SHOAL_SYS_statRegion, {N, R}},
    {SHOAL_SYS_chmodRegion, {N, S}},
    {SHOAL_SYS_shm_open, {S}},
    {SHOAL_SYS_shm_close, {S}},
    {SHOAL_SYS_shmem, {S, L, S}},
    {SHOAL_SYS_failNth, {S, S}},
    {SYS_mmap, {A, B, X, M, F, B}},
    {SYS_munmap, {A, B}},
    {SYS_mprotect, {A, B, X}},
    {SYS_mremap, {A, B, B, L, A}},
    {SYS_madvise, {A, B, S}},
    {SYS_msync, {A, B, L}},
    {SYS_mincore, {A, B, R}},
    {SYS_brk, {A}},
    {SYS_shmget, {S, B, L}},
    {SYS_shmat, {ARG_ANY, A, L}},
    {SYS_shmdt, {A}},
    {SYS_shmctl, {ARG_ANY, S, R}},
    {SYS_open, {P, L, S}},
    {SYS_openat, {F, P, L, S}},
    {SYS_close, {F}},
    {SYS_read, {F, R, B}},
    {SYS_write, {F, A, B}},
    {SYS_pread64, {F, R, B, B}},
    {SYS_pwrite64, {F, A, B, B}},
    {SYS_readv, {F, A, S}},
    {SYS_writev, {F, A, S}},
    {SYS_lseek, {F, B, S}},
    {SYS_ftruncate, {F, B}},
    {SYS_truncate, {P, B}},
    {SYS_fallocate, {F, L, B, B}},
    {SYS_unlink, {P}},
    {SYS_rename, {P, P}},
    {SYS_link, {P, P}},
    {SYS_symlink, {P, P}},
    {SYS_mkdir, {P, S}},
    {SYS_rmdir, {P}},
    {SYS_stat, {P, R}},
    {SYS_fstat, {F, R}},
    {SYS_readlink, {P, R, B}},
    {SYS_getdents64, {F, R, B}},
    {SYS_chmod, {P, S}},
    {SYS_fchmod, {F, S}},
    {SYS_chown, {P, S, S}},
    {SYS_chdir, {P}},
    {SYS_getcwd, {R, B}},
    {SYS_memfd_create, {N, L}},
    {SYS_pipe, {R}},
    {SYS_dup, {F}},
    {SYS_dup2, {F, F}},
    {SYS_fcntl, {F, S, S}},
    {SYS_ioctl, {F, ARG_ANY, A}},
    {SYS_poll, {A, S, S}},
    {SYS_select, {S, R, R, R, T}},
    {SYS_futex, {A, L, S, T, A, S}},
    {SYS_set_robust_list, {A, B}},
    {SYS_get_robust_list, {S, R, R}},
    {SYS_set_tid_address, {A}},
    {SYS_rt_sigaction, {S, A, R, S}},
    {SYS_rt_sigprocmask, {S, A, R, S}},
    {SYS_rt_sigtimedwait, {A, R, T, S}},
    {SYS_rt_sigpending, {R, S}},
    {SYS_sigaltstack, {A, R}},
    {SYS_rt_sigreturn, {0}},
    {SYS_kill, {ARG_ANY, S}},
    {SYS_tkill, {S, S}},
    {SYS_tgkill, {S, S, S}},
    {SYS_nanosleep, {T, R}},
    {SYS_setitimer, {S, A, R}},
    {SYS_alarm, {S}},
    {SYS_wait4, {ARG_ANY, R, L, R}},
    {SYS_waitid, {S, S, R, L}},
    {SYS_setuid, {S}},
    {SYS_setresuid, {S, S, S}},
    {SYS_setgroups, {S, A}},
    {SYS_setpgid, {S, S}},
    {SYS_prctl, {S, A, A}},
    {SYS_arch_prctl, {ARG_ANY, A}},
    {SYS_prlimit64, {S, S, A, R}},
    {SYS_clock_gettime, {S, R}},
    {SYS_clock_nanosleep, {S, L, T, R}},
    {SYS_execve, {P, A, A}},
    {SYS_sched_yield, {0}},
    {SYS_exit, {S}},
};
const unsigned fuzz_ncalls = ARRAY_LEN(fuzz_calls);

static const char *const names[] = {"a", "b", "ab", "", ".", "x/y"};
/* The last are no matter for root, who could take them away. */
static const char *const paths[] = {
    "/dev/shm/a", "/dev/shm/b",      "/dev/shm/ab",   "/dev/shm",
    "/tmp/f",     "/tmp/d",          "/tmp/d/f",      "/proc/regions",
    "/proc/self", "/proc/self/maps", "/proc/meminfo", "/proc/sysvipc/shm",
    "/sbin/init", "/bin/again",      "/dev/zero",     "/dev/null"};
#define PATHS_OF_ROOT 12

/* As u_put(), but the process may have taken its own stack away. */
static uintptr_t scratch(unsigned slot, const void *data, size_t bytes)
{
    uintptr_t at = (host_stack_pointer() & ~(U_PAGE - 1)) - (slot + 2) * U_SLOT_BYTES;
    (void)host_store(at, data, bytes);
    return at;
}

static uintptr_t scratch_string(unsigned slot, const char *s)
{
    return scratch(slot, s, strlen(s) + 1);
}

/* The most demanding numbers, by the habit of those who write such code. */
static unsigned long any_number(struct input *in, const struct caller *c)
{
    static const unsigned long edges[] = {0,
                                          ~0ul,
                                          1,
                                          0x7fffffff,
                                          0x80000000,
                                          0xffffffff,
                                          0x7fffffffe000,
                                          0x1000,
                                          0x7fffffffffff,
                                          1ul << 47,
                                          1ul << 63,
                                          0x7fffffffffffffff,
                                          0xffff800000000000};
    unsigned how = take_below(in, 4);
    if (how == 0)
        return edges[take_below(in, ARRAY_LEN(edges))];
    if (how == 1)
        return take(in, 8);
    if (how == 2)
        return c->results[take_below(in, ARRAY_LEN(c->results))];
    return take(in, 2);
}

/* An address that an earlier call gave, or near it; or the scratch page. */
static uintptr_t address(struct input *in, struct caller *c, unsigned slot)
{
    unsigned how = take_below(in, 8);
    uintptr_t at = c->results[take_below(in, ARRAY_LEN(c->results))];
    if (how < 4)
        return at;
    if (how == 4)
        return at + take(in, 2) * 512;
    if (how == 5)
        return any_number(in, c);
    size_t n;
    const uint8_t *bytes = take_bytes(in, take_below(in, 64), &n);
    return scratch(slot, bytes, n);
}

static unsigned long timeout(struct input *in, unsigned slot)
{
    int64_t value[2] = {0, take_below(in, 4) * 500000};
    unsigned how = take_below(in, 8);
    if (how == 0)
        return 0;
    if (how == 1)
        value[1] = (int64_t)take(in, 8);
    return scratch(slot, value, sizeof value);
}

static unsigned long map_flags(struct input *in)
{
    static const unsigned flags[] = {MAP_PRIVATE | MAP_ANONYMOUS,
                                     MAP_SHARED | MAP_ANONYMOUS,
                                     MAP_SHARED,
                                     MAP_PRIVATE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                                     MAP_SHARED | MAP_FIXED,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                                     MAP_SHARED | MAP_FIXED_NOREPLACE};
    return flags[take_below(in, ARRAY_LEN(flags))] | (take_below(in, 16) ? 0 : take(in, 4));
}

unsigned long fuzz_arg(struct input *in, struct caller *c, enum arg_kind kind, unsigned slot)
{
    if (take_below(in, 24) == 23)
        return any_number(in, c);
    switch (kind) {
    case ARG_NAME:
        return scratch_string(slot, names[take_below(in, ARRAY_LEN(names))]);
    case ARG_PATH:
        return scratch_string(slot,
                              paths[take_below(in, c->root ? PATHS_OF_ROOT : ARRAY_LEN(paths))]);
    case ARG_FD:
        return take_below(in, 12);
    case ARG_BYTES:
        return take_below(in, 4) ? take_below(in, 9) * U_PAGE : take(in, 3);
    case ARG_ADDRESS:
        return address(in, c, slot);
    case ARG_RESULT: {
        size_t n;
        const uint8_t *bytes = take_bytes(in, take_below(in, 64), &n);
        return scratch(slot, bytes, n);
    }
    case ARG_TIMEOUT:
        return timeout(in, slot);
    case ARG_FLAGS:
        return take_below(in, 2) ? take_below(in, 8) : 1ul << take_below(in, 24);
    case ARG_SMALL:
        return take_below(in, 66);
    case ARG_PROT:
        return take_below(in, 8);
    case ARG_MAP_FLAGS:
        return map_flags(in);
    default:
        return any_number(in, c);
    }
}
