/* Numbers and structures of the Linux x86-64 ABI that are not about files (abi/linux_fs.h):
 * signals, memory, clone, wait, time.  Sources: the manual pages named at each group. */
#pragma once

#include <stdint.h>

/* signal(7) */
#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPWR    30
#define SIGSYS    31
#define NSIG      64

/* sigaction(2) */
#define SIG_DFL       0
#define SIG_IGN       1
#define SA_NOCLDSTOP  0x00000001ul
#define SA_NOCLDWAIT  0x00000002ul
#define SA_SIGINFO    0x00000004ul
#define SA_RESTORER   0x04000000ul
#define SA_ONSTACK    0x08000000ul
#define SA_RESTART    0x10000000ul
#define SA_NODEFER    0x40000000ul
#define SA_RESETHAND  0x80000000ul
#define SIG_BLOCK     0
#define SIG_UNBLOCK   1
#define SIG_SETMASK   2
#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000
#define MINSIGSTKSZ   2048

struct linux_sigaction {
    uint64_t handler, flags, restorer, mask;
};

struct linux_stack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};

/* siginfo_t: si_signo, si_errno, si_code, then a union by code. */
struct linux_siginfo {
    int32_t signo, error, code, pad;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            union {
                int32_t status; /* SIGCHLD */
                uint64_t value; /* rt_sigqueueinfo */
            };
        };
        uint64_t addr; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
        uint8_t rest[112];
    };
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t has 128 bytes");

#define SI_USER       0
#define SI_KERNEL     0x80
#define SI_TKILL      (-6)
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

/* wait(2) */
#define WNOHANG    1
#define WUNTRACED  2
#define WEXITED    4
#define WCONTINUED 8
#define WNOWAIT    0x01000000
#define WNOTHREAD  0x20000000
#define WALL       0x40000000
#define WCLONE     0x80000000u

/* waitid(2) */
#define P_ALL  0
#define P_PID  1
#define P_PGID 2

/* clone(2) */
#define CLONE_SIGNAL_MASK    0xfful
#define CLONE_VM             0x00000100ul
#define CLONE_FS             0x00000200ul
#define CLONE_FILES          0x00000400ul
#define CLONE_SIGHAND        0x00000800ul
#define CLONE_VFORK          0x00004000ul
#define CLONE_THREAD         0x00010000ul
#define CLONE_SYSVSEM        0x00040000ul
#define CLONE_SETTLS         0x00080000ul
#define CLONE_PARENT_SETTID  0x00100000ul
#define CLONE_CHILD_CLEARTID 0x00200000ul
#define CLONE_DETACHED       0x00400000ul
#define CLONE_CHILD_SETTID   0x01000000ul

/* mmap(2), mprotect(2), madvise(2), mremap(2) */
#define PROT_READ           1u
#define PROT_WRITE          2u
#define PROT_EXEC           4u
#define PROT_GROWSDOWN      0x01000000u
#define PROT_GROWSUP        0x02000000u
#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x0100u
#define MAP_DENYWRITE       0x0800u
#define MAP_EXECUTABLE      0x1000u
#define MAP_LOCKED          0x2000u
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_NONBLOCK        0x10000u
#define MAP_STACK           0x20000u
#define MAP_HUGETLB         0x40000u
#define MAP_FIXED_NOREPLACE 0x100000u
#define MADV_NORMAL         0
#define MADV_RANDOM         1
#define MADV_SEQUENTIAL     2
#define MADV_WILLNEED       3
#define MADV_DONTNEED       4
#define MADV_FREE           8
#define MADV_DONTDUMP       16
#define MADV_DODUMP         17
#define MADV_COLD           20
#define MADV_PAGEOUT        21
#define MREMAP_MAYMOVE      1u
#define MREMAP_FIXED        2u

/* msync(2), mlock2(2), mlockall(2) */
#define MS_ASYNC      1u
#define MS_INVALIDATE 2u
#define MS_SYNC       4u
#define MLOCK_ONFAULT 1u
#define MCL_CURRENT   1u
#define MCL_FUTURE    2u
#define MCL_ONFAULT   4u

/* futex(2) */
#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE_FLAG   128u
#define FUTEX_CLOCK_REALTIME 256u
#define FUTEX_CMD_MASK       (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

/* clock_gettime(2), nanosleep(2) */
#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define TIMER_ABSTIME            1

/* setitimer(2) */
#define ITIMER_REAL 0

/* sched(7), prctl(2) */
#define SCHED_OTHER         0
#define SCHED_FIFO          1
#define SCHED_RR            2
#define SCHED_BATCH         3
#define SCHED_IDLE          5
#define SCHED_RESET_ON_FORK 0x40000000
#define PR_SET_NAME         15
#define PR_GET_NAME         16

struct linux_timespec {
    int64_t sec, nsec;
};

struct linux_timeval {
    int64_t sec, usec;
};

/* getrusage(2) */
struct linux_rusage {
    struct linux_timeval utime, stime;
    int64_t maxrss_kb, other[13];
};

/* uname(2) */
#define UTSNAME_BYTES 65
struct linux_utsname {
    char sysname[UTSNAME_BYTES], nodename[UTSNAME_BYTES], release[UTSNAME_BYTES],
        version[UTSNAME_BYTES], machine[UTSNAME_BYTES], domainname[UTSNAME_BYTES];
};

/* getrlimit(2) */
#define RLIMIT_DATA   2
#define RLIMIT_STACK  3
#define RLIMIT_CORE   4
#define RLIMIT_NOFILE 7
#define RLIMIT_AS     9
#define RLIMITS       16
#define RLIM_INFINITY UINT64_MAX

struct linux_rlimit {
    uint64_t cur, max;
};

/* getauxval(3), uapi/linux/auxvec.h */
#define AT_NULL   0
#define AT_PHDR   3
#define AT_PHENT  4
#define AT_PHNUM  5
#define AT_PAGESZ 6
#define AT_BASE   7
#define AT_FLAGS  8
#define AT_ENTRY  9
#define AT_UID    11
#define AT_EUID   12
#define AT_GID    13
#define AT_EGID   14
#define AT_HWCAP  16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_RANDOM 25
#define AT_EXECFN 31
