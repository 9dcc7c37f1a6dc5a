/* The handlers that are not about files (those: sys_file.h).  Section 2 of the manual under their
 * names; Shoal's own calls: regions.md and abi/shoal.h. */
#pragma once

/* sys_proc.c */
long sys_fork(const unsigned long args[6]);
long sys_vfork(const unsigned long args[6]);
long sys_clone(const unsigned long args[6]);
long sys_execve(const unsigned long args[6]);
long sys_exit(const unsigned long args[6]);
long sys_exit_group(const unsigned long args[6]);
long sys_wait4(const unsigned long args[6]);
long sys_waitid(const unsigned long args[6]);
long sys_getrusage(const unsigned long args[6]);
long sys_kill(const unsigned long args[6]);
long sys_tkill(const unsigned long args[6]);
long sys_tgkill(const unsigned long args[6]);
long sys_getpid(const unsigned long args[6]);
long sys_gettid(const unsigned long args[6]);
long sys_getppid(const unsigned long args[6]);
long sys_getpgrp(const unsigned long args[6]);
long sys_getpgid(const unsigned long args[6]);
long sys_setpgid(const unsigned long args[6]);
long sys_getsid(const unsigned long args[6]);
long sys_setsid(const unsigned long args[6]);
long sys_getuid(const unsigned long args[6]);
long sys_geteuid(const unsigned long args[6]);
long sys_getgid(const unsigned long args[6]);
long sys_getegid(const unsigned long args[6]);
long sys_set_tid_address(const unsigned long args[6]);
long sys_arch_prctl(const unsigned long args[6]);
long sys_sched_yield(const unsigned long args[6]);

/* sys_signal.c */
long sys_rt_sigaction(const unsigned long args[6]);
long sys_rt_sigprocmask(const unsigned long args[6]);
long sys_rt_sigpending(const unsigned long args[6]);
long sys_rt_sigsuspend(const unsigned long args[6]);
long sys_rt_sigreturn(const unsigned long args[6]);
long sys_sigaltstack(const unsigned long args[6]);
long sys_pause(const unsigned long args[6]);

/* sys_mm.c */
long sys_mmap(const unsigned long args[6]);
long sys_munmap(const unsigned long args[6]);
long sys_mprotect(const unsigned long args[6]);
long sys_brk(const unsigned long args[6]);

/* sys_mapped.c */
long sys_mremap(const unsigned long args[6]);
long sys_msync(const unsigned long args[6]);
long sys_mincore(const unsigned long args[6]);
long sys_madvise(const unsigned long args[6]);
long sys_mlock(const unsigned long args[6]);
long sys_mlock2(const unsigned long args[6]);
long sys_munlock(const unsigned long args[6]);
long sys_mlockall(const unsigned long args[6]);
long sys_munlockall(const unsigned long args[6]);

/* sys_memfd.c */
long sys_memfd_create(const unsigned long args[6]);
long sys_fallocate(const unsigned long args[6]);

/* sys_time.c */
long sys_clock_gettime(const unsigned long args[6]);
long sys_clock_getres(const unsigned long args[6]);
long sys_gettimeofday(const unsigned long args[6]);
long sys_time(const unsigned long args[6]);
long sys_times(const unsigned long args[6]);
long sys_nanosleep(const unsigned long args[6]);
long sys_clock_nanosleep(const unsigned long args[6]);

/* sys_info.c */
long sys_uname(const unsigned long args[6]);
long sys_prlimit64(const unsigned long args[6]);
long sys_getrlimit(const unsigned long args[6]);
long sys_sysinfo(const unsigned long args[6]);
long sys_sched_getaffinity(const unsigned long args[6]);
long sys_getcpu(const unsigned long args[6]);
long sys_getrandom(const unsigned long args[6]);

/* sys_futex.c */
long sys_futex(const unsigned long args[6]);
long sys_set_robust_list(const unsigned long args[6]);
long sys_get_robust_list(const unsigned long args[6]);

/* sys_region.c */
long sys_createSharedRegion(const unsigned long args[6]);
long sys_destroySharedRegion(const unsigned long args[6]);
long sys_createMapping(const unsigned long args[6]);
long sys_destroyMapping(const unsigned long args[6]);
long sys_lockRegion(const unsigned long args[6]);
long sys_unlockRegion(const unsigned long args[6]);
long sys_tryLockRegion(const unsigned long args[6]);
long sys_lockRegionTimed(const unsigned long args[6]);
long sys_createMappingWith(const unsigned long args[6]);
long sys_destroySharedRegionWith(const unsigned long args[6]);
long sys_statRegion(const unsigned long args[6]);
long sys_chmodRegion(const unsigned long args[6]);
long sys_failNth(const unsigned long args[6]);

/* sys_cred.c */
long sys_setuid(const unsigned long args[6]);
long sys_setgid(const unsigned long args[6]);
long sys_setreuid(const unsigned long args[6]);
long sys_setregid(const unsigned long args[6]);
long sys_getgroups(const unsigned long args[6]);
long sys_setgroups(const unsigned long args[6]);
long sys_setresuid(const unsigned long args[6]);
long sys_getresuid(const unsigned long args[6]);
long sys_setresgid(const unsigned long args[6]);
long sys_getresgid(const unsigned long args[6]);
long sys_setfsuid(const unsigned long args[6]);
long sys_setfsgid(const unsigned long args[6]);

/* sys_sysv.c */
long sys_shmget(const unsigned long args[6]);
long sys_shmat(const unsigned long args[6]);
long sys_shmdt(const unsigned long args[6]);
long sys_shmctl(const unsigned long args[6]);

/* sys_shm.c */
long sys_shm_open(const unsigned long args[6]);
long sys_shm_close(const unsigned long args[6]);
long sys_shmem(const unsigned long args[6]);

/* sys_timer.c */
long sys_getitimer(const unsigned long args[6]);
long sys_setitimer(const unsigned long args[6]);
long sys_alarm(const unsigned long args[6]);
long sys_rt_sigtimedwait(const unsigned long args[6]);
long sys_rt_sigqueueinfo(const unsigned long args[6]);

/* sys_sched.c */
long sys_sched_setparam(const unsigned long args[6]);
long sys_sched_getparam(const unsigned long args[6]);
long sys_sched_setscheduler(const unsigned long args[6]);
long sys_sched_getscheduler(const unsigned long args[6]);
long sys_sched_get_priority_max(const unsigned long args[6]);
long sys_sched_get_priority_min(const unsigned long args[6]);
long sys_sched_setaffinity(const unsigned long args[6]);
long sys_prctl(const unsigned long args[6]);
