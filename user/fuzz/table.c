/* Hostile calls: every number of the kernel's table, with the kinds of its arguments and how often
 * it is made, and numbers that are in no table.
 *
 * Kinds (arg_make): f descriptor, D directory descriptor, p path to change, q path to look at,
 * N region name, b buffer, n bytes, l bytes of whole pages, a mapped address, P structure,
 * t timespec, V iovec, R region_map, c small count, x flags, s signal, k process, u user, o offset,
 * m mode, v anything, 8 and 0 themselves.  What is not named is anything as well. */
#include "fuzz.h"

struct entry {
    short nr;
    unsigned char weight; /* 0: made by steps alone, or hardly ever */
    char kinds[7];
};

#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

static const struct entry table[] = {
    {SYS_read, 8, "fbn"},
    {SYS_write, 8, "fbn"},
    {SYS_open, 6, "qxm"},
    {SYS_close, 8, "f"},
    {SYS_stat, 2, "qP"},
    {SYS_fstat, 2, "fP"},
    {SYS_lstat, 2, "qP"},
    {SYS_poll, 2, "Pcc"},
    {SYS_lseek, 3, "foc"},
    {SYS_mmap, 8, "alxxfl"},
    {SYS_mprotect, 8, "alc"},
    {SYS_munmap, 6, "al"},
    {SYS_brk, 2, "v"},
    {SYS_rt_sigaction, 1, "sPP8"},
    {SYS_rt_sigprocmask, 2, "cPP8"},
    {SYS_ioctl, 3, "fvP"},
    {SYS_pread64, 4, "fbno"},
    {SYS_pwrite64, 4, "fbno"},
    {SYS_readv, 3, "fVc"},
    {SYS_writev, 3, "fVc"},
    {SYS_access, 1, "qc"},
    {SYS_pipe, 1, "P"},
    {SYS_select, 2, "cPPPt"},
    {SYS_sched_yield, 1, ""},
    {SYS_mremap, 8, "allca"},
    {SYS_msync, 3, "alc"},
    {SYS_mincore, 3, "alb"},
    {SYS_madvise, 6, "alc"},
    {SYS_shmget, 3, "clx"},
    {SYS_shmat, 3, "cax"},
    {SYS_shmctl, 3, "ccP"},
    {SYS_dup, 2, "f"},
    {SYS_dup2, 2, "ff"},
    {SYS_nanosleep, 1, "tP"},
    {SYS_getitimer, 1, "cP"},
    {SYS_alarm, 1, "n"},
    {SYS_setitimer, 1, "cPP"},
    {SYS_getpid, 1, ""},
    {SYS_sendfile, 3, "ffPn"},
    {SYS_execve, 1, "qPP"},
    {SYS_wait4, 2, "kPxP"},
    {SYS_kill, 1, "ks"},
    {SYS_uname, 1, "P"},
    {SYS_shmdt, 3, "a"},
    {SYS_fcntl, 3, "fcv"},
    {SYS_fsync, 1, "f"},
    {SYS_fdatasync, 1, "f"},
    {SYS_truncate, 3, "po"},
    {SYS_ftruncate, 3, "fo"},
    {SYS_getcwd, 1, "bn"},
    {SYS_chdir, 1, "q"},
    {SYS_fchdir, 1, "f"},
    {SYS_rename, 3, "pp"},
    {SYS_mkdir, 2, "pm"},
    {SYS_rmdir, 2, "p"},
    {SYS_creat, 2, "pm"},
    {SYS_link, 3, "pp"},
    {SYS_unlink, 3, "p"},
    {SYS_symlink, 2, "qp"},
    {SYS_readlink, 2, "qbn"},
    {SYS_chmod, 2, "pm"},
    {SYS_fchmod, 1, "fm"},
    {SYS_chown, 1, "puu"},
    {SYS_fchown, 1, "fuu"},
    {SYS_lchown, 1, "puu"},
    {SYS_umask, 1, "m"},
    {SYS_gettimeofday, 1, "PP"},
    {SYS_getrlimit, 1, "cP"},
    {SYS_getrusage, 1, "cP"},
    {SYS_sysinfo, 1, "P"},
    {SYS_times, 1, "P"},
    {SYS_getuid, 1, ""},
    {SYS_getgid, 1, ""},
    {SYS_setuid, 1, "u"},
    {SYS_setgid, 1, "u"},
    {SYS_geteuid, 1, ""},
    {SYS_getegid, 1, ""},
    {SYS_setpgid, 1, "kk"},
    {SYS_getppid, 1, ""},
    {SYS_getpgrp, 1, ""},
    {SYS_setsid, 1, ""},
    {SYS_setreuid, 1, "uu"},
    {SYS_setregid, 1, "uu"},
    {SYS_getgroups, 1, "cP"},
    {SYS_setgroups, 1, "cP"},
    {SYS_setresuid, 1, "uuu"},
    {SYS_getresuid, 1, "PPP"},
    {SYS_setresgid, 1, "uuu"},
    {SYS_getresgid, 1, "PPP"},
    {SYS_getpgid, 1, "k"},
    {SYS_setfsuid, 1, "u"},
    {SYS_setfsgid, 1, "u"},
    {SYS_getsid, 1, "k"},
    {SYS_rt_sigpending, 1, "P8"},
    {SYS_rt_sigtimedwait, 1, "PPt8"},
    {SYS_rt_sigqueueinfo, 1, "ksP"},
    {SYS_sigaltstack, 1, "PP"},
    {SYS_statfs, 1, "qP"},
    {SYS_fstatfs, 1, "fP"},
    {SYS_sched_setparam, 1, "kP"},
    {SYS_sched_getparam, 1, "kP"},
    {SYS_sched_setscheduler, 1, "kcP"},
    {SYS_sched_getscheduler, 1, "k"},
    {SYS_sched_get_priority_max, 1, "c"},
    {SYS_sched_get_priority_min, 1, "c"},
    {SYS_mlock, 3, "al"},
    {SYS_munlock, 2, "al"},
    {SYS_mlockall, 1, "c"},
    {SYS_munlockall, 1, ""},
    {SYS_prctl, 1, "vP"},
    {SYS_arch_prctl, 1, "vP"},
    {SYS_sync, 1, ""},
    {SYS_gettid, 1, ""},
    {SYS_tkill, 1, "ks"},
    {SYS_time, 1, "P"},
    {SYS_futex, 8, "acctac"},
    {SYS_sched_setaffinity, 1, "knP"},
    {SYS_sched_getaffinity, 1, "knP"},
    {SYS_getdents64, 3, "fbn"},
    {SYS_set_tid_address, 1, "a"},
    {SYS_clock_gettime, 1, "cP"},
    {SYS_clock_getres, 1, "cP"},
    {SYS_clock_nanosleep, 1, "cxtP"},
    {SYS_tgkill, 1, "kks"},
    {SYS_waitid, 2, "ckPxP"},
    {SYS_openat, 4, "Dqxm"},
    {SYS_mkdirat, 1, "Dpm"},
    {SYS_fchownat, 1, "Dpuux"},
    {SYS_newfstatat, 1, "DqPx"},
    {SYS_unlinkat, 2, "Dpx"},
    {SYS_renameat, 2, "DpDp"},
    {SYS_linkat, 2, "DpDpx"},
    {SYS_symlinkat, 1, "qDp"},
    {SYS_readlinkat, 1, "Dqbn"},
    {SYS_fchmodat, 1, "Dpm"},
    {SYS_faccessat, 1, "Dqc"},
    {SYS_set_robust_list, 2, "an"},
    {SYS_get_robust_list, 1, "kPP"},
    {SYS_utimensat, 1, "DpPx"},
    {SYS_fallocate, 3, "fcoo"},
    {SYS_dup3, 2, "ffx"},
    {SYS_pipe2, 1, "Px"},
    {SYS_preadv, 2, "fVcoo"},
    {SYS_pwritev, 2, "fVcoo"},
    {SYS_prlimit64, 1, "kcPP"},
    {SYS_getcpu, 1, "PP"},
    {SYS_renameat2, 2, "DpDpx"},
    {SYS_getrandom, 2, "bnc"},
    {SYS_memfd_create, 3, "Nc"},
    {SYS_mlock2, 2, "alc"},
    {SYS_faccessat2, 1, "Dqcx"},
    {SHOAL_SYS_createSharedRegion, 6, "Nlc"},
    {SHOAL_SYS_destroySharedRegion, 2, "N"},
    {SHOAL_SYS_createMapping, 6, "NP"},
    {SHOAL_SYS_destroyMapping, 5, "Na"},
    {SHOAL_SYS_lockRegion, 3, "N"},
    {SHOAL_SYS_unlockRegion, 3, "N"},
    {SHOAL_SYS_tryLockRegion, 3, "N"},
    {SHOAL_SYS_lockRegionTimed, 3, "Nt"},
    {SHOAL_SYS_createMappingWith, 6, "NPR"},
    {SHOAL_SYS_destroySharedRegionWith, 4, "Nct"},
    {SHOAL_SYS_statRegion, 2, "NP"},
    {SHOAL_SYS_chmodRegion, 1, "Nm"},
    {SHOAL_SYS_shm_open, 3, "c"},
    {SHOAL_SYS_shm_close, 3, "c"},
    {SHOAL_SYS_shmem, 3, "ccc"},
    {SHOAL_SYS_failNth, 1, "cc"},
    /* These end or suspend the caller: seldom (hostile_call). */
    {SYS_exit, 0, "c"},
    {SYS_exit_group, 0, "c"},
    {SYS_rt_sigreturn, 0, ""},
    {SYS_pause, 0, ""},
    {SYS_rt_sigsuspend, 0, "P8"},
};
#define ENTRIES (sizeof(table) / sizeof(table[0]))

static unsigned total_weight;

void table_init(void)
{
    total_weight = 0;
    for (unsigned i = 0; i < ENTRIES; i++)
        total_weight += table[i].weight;
}

static const struct entry *entry_pick(struct fuzz *f)
{
    unsigned long at = random_below(f, total_weight);
    unsigned i = 0;

    if (one_in(f, 4000)) { /* any, those without weight too */
        return &table[random_below(f, ENTRIES)];
    }
    while (at >= table[i].weight)
        at -= table[i++].weight;
    return &table[i];
}

static bool is_known(long nr)
{
    /* fork and its kin: steps_proc.c makes these, so that there is a stack to come back to. */
    if (nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone)
        return true;
    for (unsigned i = 0; i < ENTRIES; i++)
        if (table[i].nr == nr)
            return true;
    return false;
}

/* A number that should be in no table. */
static void unknown_call(struct fuzz *f)
{
    long nr = one_in(f, 4)   ? arg_hostile(f)
              : one_in(f, 2) ? (long)random_below(f, 600)
                             : SHOAL_SYS_BASE + (long)random_below(f, 300);
    long args[6];

    if (is_known(nr))
        return;
    for (unsigned i = 0; i < 6; i++)
        args[i] = arg_hostile(f);
    fuzz_call(f, nr, args);
}

void hostile_call(struct fuzz *f)
{
    const struct entry *e = entry_pick(f);
    long args[6], tls = 0, result;
    bool ended = false;

    if (one_in(f, 64)) {
        unknown_call(f);
        return;
    }
    for (unsigned i = 0; i < 6; i++) {
        ended |= e->kinds[i] == '\0';
        args[i] = arg_make(f, ended ? 'v' : e->kinds[i]);
    }
    if (e->nr == SYS_arch_prctl)
        CALL(f, SYS_arch_prctl, ARCH_GET_FS, (long)&tls);
    result = fuzz_call(f, e->nr, args);
    if (e->nr == SYS_arch_prctl && tls != 0) /* or no variable of a thread would be there */
        CALL(f, SYS_arch_prctl, ARCH_SET_FS, tls);
    if (e->nr == SYS_mmap || e->nr == SYS_mremap)
        area_add(f, result, (size_t)args[e->nr == SYS_mmap ? 1 : 2]);
}
