/* Every system call: number, name, handler.  Linux's numbers are those of x86-64 (syscalls(2));
 * Shoal's own begin at SHOAL_SYS_BASE. */
#include <abi/shoal.h>
#include <kernel/base/panic.h>
#include <kernel/syscall/calls.h>
#include <kernel/syscall/sys.h>
#include <kernel/syscall/sys_file.h>

#define R SYS_RESTARTABLE
#define N SYS_RESTART_NO_HANDLER
#define A SYS_RESTART_ALWAYS

static const struct sys_entry table[] = {
    {0, "read", sys_read, R},
    {1, "write", sys_write, R},
    {2, "open", sys_open, R},
    {3, "close", sys_close, 0},
    {4, "stat", sys_stat, 0},
    {5, "fstat", sys_fstat, 0},
    {6, "lstat", sys_lstat, 0},
    {7, "poll", sys_poll, N},
    {8, "lseek", sys_lseek, 0},
    {9, "mmap", sys_mmap, 0},
    {10, "mprotect", sys_mprotect, 0},
    {11, "munmap", sys_munmap, 0},
    {12, "brk", sys_brk, 0},
    {13, "rt_sigaction", sys_rt_sigaction, 0},
    {14, "rt_sigprocmask", sys_rt_sigprocmask, 0},
    {15, "rt_sigreturn", sys_rt_sigreturn, SYS_SETS_REGISTERS},
    {16, "ioctl", sys_ioctl, R},
    {17, "pread64", sys_pread64, R},
    {18, "pwrite64", sys_pwrite64, R},
    {19, "readv", sys_readv, R},
    {20, "writev", sys_writev, R},
    {21, "access", sys_access, 0},
    {22, "pipe", sys_pipe, 0},
    {23, "select", sys_select, N},
    {24, "sched_yield", sys_sched_yield, 0},
    {25, "mremap", sys_mremap, 0},
    {26, "msync", sys_msync, 0},
    {27, "mincore", sys_mincore, 0},
    {28, "madvise", sys_madvise, 0},
    {29, "shmget", sys_shmget, 0},
    {30, "shmat", sys_shmat, 0},
    {31, "shmctl", sys_shmctl, 0},
    {32, "dup", sys_dup, 0},
    {33, "dup2", sys_dup2, 0},
    {34, "pause", sys_pause, N},
    {35, "nanosleep", sys_nanosleep, N},
    {36, "getitimer", sys_getitimer, 0},
    {37, "alarm", sys_alarm, 0},
    {38, "setitimer", sys_setitimer, 0},
    {39, "getpid", sys_getpid, 0},
    {40, "sendfile", sys_sendfile, R},
    {56, "clone", sys_clone, A},
    {57, "fork", sys_fork, A},
    {58, "vfork", sys_vfork, A},
    {59, "execve", sys_execve, SYS_SETS_REGISTERS},
    {60, "exit", sys_exit, 0},
    {61, "wait4", sys_wait4, R},
    {62, "kill", sys_kill, 0},
    {63, "uname", sys_uname, 0},
    {67, "shmdt", sys_shmdt, 0},
    {72, "fcntl", sys_fcntl, R},
    {74, "fsync", sys_fsync, 0},
    {75, "fdatasync", sys_fdatasync, 0},
    {76, "truncate", sys_truncate, 0},
    {77, "ftruncate", sys_ftruncate, 0},
    {79, "getcwd", sys_getcwd, 0},
    {80, "chdir", sys_chdir, 0},
    {81, "fchdir", sys_fchdir, 0},
    {82, "rename", sys_rename, 0},
    {83, "mkdir", sys_mkdir, 0},
    {84, "rmdir", sys_rmdir, 0},
    {85, "creat", sys_creat, R},
    {86, "link", sys_link, 0},
    {87, "unlink", sys_unlink, 0},
    {88, "symlink", sys_symlink, 0},
    {89, "readlink", sys_readlink, 0},
    {90, "chmod", sys_chmod, 0},
    {91, "fchmod", sys_fchmod, 0},
    {92, "chown", sys_chown, 0},
    {93, "fchown", sys_fchown, 0},
    {94, "lchown", sys_lchown, 0},
    {95, "umask", sys_umask, 0},
    {96, "gettimeofday", sys_gettimeofday, 0},
    {97, "getrlimit", sys_getrlimit, 0},
    {98, "getrusage", sys_getrusage, 0},
    {99, "sysinfo", sys_sysinfo, 0},
    {100, "times", sys_times, 0},
    {102, "getuid", sys_getuid, 0},
    {104, "getgid", sys_getgid, 0},
    {105, "setuid", sys_setuid, 0},
    {106, "setgid", sys_setgid, 0},
    {107, "geteuid", sys_geteuid, 0},
    {108, "getegid", sys_getegid, 0},
    {109, "setpgid", sys_setpgid, 0},
    {110, "getppid", sys_getppid, 0},
    {111, "getpgrp", sys_getpgrp, 0},
    {112, "setsid", sys_setsid, 0},
    {113, "setreuid", sys_setreuid, 0},
    {114, "setregid", sys_setregid, 0},
    {115, "getgroups", sys_getgroups, 0},
    {116, "setgroups", sys_setgroups, 0},
    {117, "setresuid", sys_setresuid, 0},
    {118, "getresuid", sys_getresuid, 0},
    {119, "setresgid", sys_setresgid, 0},
    {120, "getresgid", sys_getresgid, 0},
    {121, "getpgid", sys_getpgid, 0},
    {122, "setfsuid", sys_setfsuid, 0},
    {123, "setfsgid", sys_setfsgid, 0},
    {124, "getsid", sys_getsid, 0},
    {127, "rt_sigpending", sys_rt_sigpending, 0},
    {128, "rt_sigtimedwait", sys_rt_sigtimedwait, N},
    {129, "rt_sigqueueinfo", sys_rt_sigqueueinfo, 0},
    {130, "rt_sigsuspend", sys_rt_sigsuspend, N},
    {131, "sigaltstack", sys_sigaltstack, 0},
    {137, "statfs", sys_statfs, 0},
    {138, "fstatfs", sys_fstatfs, 0},
    {142, "sched_setparam", sys_sched_setparam, 0},
    {143, "sched_getparam", sys_sched_getparam, 0},
    {144, "sched_setscheduler", sys_sched_setscheduler, 0},
    {145, "sched_getscheduler", sys_sched_getscheduler, 0},
    {146, "sched_get_priority_max", sys_sched_get_priority_max, 0},
    {147, "sched_get_priority_min", sys_sched_get_priority_min, 0},
    {149, "mlock", sys_mlock, 0},
    {150, "munlock", sys_munlock, 0},
    {151, "mlockall", sys_mlockall, 0},
    {152, "munlockall", sys_munlockall, 0},
    {157, "prctl", sys_prctl, 0},
    {158, "arch_prctl", sys_arch_prctl, 0},
    {162, "sync", sys_sync, 0},
    {186, "gettid", sys_gettid, 0},
    {200, "tkill", sys_tkill, 0},
    {201, "time", sys_time, 0},
    {202, "futex", sys_futex, R},
    {203, "sched_setaffinity", sys_sched_setaffinity, 0},
    {204, "sched_getaffinity", sys_sched_getaffinity, 0},
    {217, "getdents64", sys_getdents64, 0},
    {218, "set_tid_address", sys_set_tid_address, 0},
    {228, "clock_gettime", sys_clock_gettime, 0},
    {229, "clock_getres", sys_clock_getres, 0},
    {230, "clock_nanosleep", sys_clock_nanosleep, N},
    {231, "exit_group", sys_exit_group, 0},
    {234, "tgkill", sys_tgkill, 0},
    {247, "waitid", sys_waitid, R},
    {257, "openat", sys_openat, R},
    {258, "mkdirat", sys_mkdirat, 0},
    {260, "fchownat", sys_fchownat, 0},
    {262, "newfstatat", sys_newfstatat, 0},
    {263, "unlinkat", sys_unlinkat, 0},
    {264, "renameat", sys_renameat, 0},
    {265, "linkat", sys_linkat, 0},
    {266, "symlinkat", sys_symlinkat, 0},
    {267, "readlinkat", sys_readlinkat, 0},
    {268, "fchmodat", sys_fchmodat, 0},
    {269, "faccessat", sys_faccessat, 0},
    {273, "set_robust_list", sys_set_robust_list, 0},
    {274, "get_robust_list", sys_get_robust_list, 0},
    {280, "utimensat", sys_utimensat, 0},
    {285, "fallocate", sys_fallocate, 0},
    {292, "dup3", sys_dup3, 0},
    {293, "pipe2", sys_pipe2, 0},
    {295, "preadv", sys_preadv, R},
    {296, "pwritev", sys_pwritev, R},
    {302, "prlimit64", sys_prlimit64, 0},
    {309, "getcpu", sys_getcpu, 0},
    {316, "renameat2", sys_renameat2, 0},
    {318, "getrandom", sys_getrandom, 0},
    {319, "memfd_create", sys_memfd_create, 0},
    {325, "mlock2", sys_mlock2, 0},
    {439, "faccessat2", sys_faccessat2, 0},
    {SHOAL_SYS_createSharedRegion, "createSharedRegion", sys_createSharedRegion, 0},
    {SHOAL_SYS_destroySharedRegion, "destroySharedRegion", sys_destroySharedRegion, N},
    {SHOAL_SYS_createMapping, "createMapping", sys_createMapping, 0},
    {SHOAL_SYS_destroyMapping, "destroyMapping", sys_destroyMapping, 0},
    {SHOAL_SYS_lockRegion, "lockRegion", sys_lockRegion, R},
    {SHOAL_SYS_unlockRegion, "unlockRegion", sys_unlockRegion, 0},
    {SHOAL_SYS_tryLockRegion, "tryLockRegion", sys_tryLockRegion, 0},
    {SHOAL_SYS_lockRegionTimed, "lockRegionTimed", sys_lockRegionTimed, N},
    {SHOAL_SYS_createMappingWith, "createMappingWith", sys_createMappingWith, N},
    {SHOAL_SYS_destroySharedRegionWith, "destroySharedRegionWith", sys_destroySharedRegionWith, N},
    {SHOAL_SYS_statRegion, "statRegion", sys_statRegion, 0},
    {SHOAL_SYS_chmodRegion, "chmodRegion", sys_chmodRegion, 0},
    {SHOAL_SYS_shm_open, "shm_open", sys_shm_open, 0},
    {SHOAL_SYS_shm_close, "shm_close", sys_shm_close, 0},
    {SHOAL_SYS_shmem, "shmem", sys_shmem, R},
    {SHOAL_SYS_failNth, "failNth", sys_failNth, 0},
};

#define LINUX_MAX 512
#define SHOAL_MAX 256

/* Index + 1 into the table; 0 is no call. */
static uint8_t linux_index[LINUX_MAX], shoal_index[SHOAL_MAX];
_Static_assert(ARRAY_LEN(table) < UINT8_MAX, "the indexes are bytes");

static uint8_t *index_of(unsigned long nr)
{
    if (nr < LINUX_MAX)
        return &linux_index[nr];
    if (nr >= SHOAL_SYS_BASE && nr < SHOAL_SYS_BASE + SHOAL_MAX)
        return &shoal_index[nr - SHOAL_SYS_BASE];
    return NULL;
}

void sys_table_init(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        uint8_t *index = index_of(table[i].nr);
        ASSERTF(index && *index == 0, "system call %s: number %u", table[i].name, table[i].nr);
        *index = (uint8_t)(i + 1);
    }
}

const struct sys_entry *sys_lookup(unsigned long nr)
{
    uint8_t *index = index_of(nr);
    return index && *index ? &table[*index - 1] : NULL;
}
