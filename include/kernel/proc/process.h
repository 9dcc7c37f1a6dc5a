/* Processes and their threads. */
#pragma once

#include <kernel/fs/cred.h>
#include <kernel/fs/shm.h>
#include <kernel/mm/addrspace.h>
#include <kernel/proc/signal.h>
#include <kernel/sched/timer.h>
#include <kernel/sched/waitq.h>

/* Guards the tree of processes, pids, groups, and what wait4 looks at.  Rank PROCTABLE. */
extern struct spinlock proctable_lock;

struct fdtable;
struct vnode;

#define PID_MAX         32768
#define PROC_NAME_BYTES 16

enum process_state {
    PROCESS_LIVE,
    PROCESS_ZOMBIE, /* has exited; its parent may still ask */
    PROCESS_REAPED, /* nobody can find it */
};

/* c constant   o its own thread only   p proctable lock   g siglock   a atomic */
struct uthread {
    struct thread thread;         /* embedded: kernel/sched knows only this */
    struct process *proc;         /* c  one reference */
    int tid;                      /* c */
    struct list proc_node;        /* g */
    struct cred cred;             /* o  with which it asks */
    sigset_t blocked;             /* g to write, its own thread may read */
    sigset_t awaited;             /* g  of sigtimedwait, while it sleeps */
    sigset_t saved_blocked;       /* o  of sigsuspend, while restore_blocked */
    bool restore_blocked;         /* o */
    struct sigpending pending;    /* g */
    unsigned stop_nr;             /* g  of the last stop it came to */
    bool forking;                 /* g */
    sigset_t fork_pending;        /* g  what of its process's the child will have pending */
    struct linux_stack altstack;  /* o  none when it has no bytes */
    unsigned long restart_nr;     /* o  call to make again after a signal, or RESTART_NONE */
    enum restart restart_when;    /* o */
    uint64_t restart_deadline_ns; /* o  of a relative sleep that is made again; 0: none */
    struct shm_thread shm;        /* region locks it holds */
    uintptr_t set_child_tid; /* c  clone(2), written by the child before its first instruction */
    uintptr_t
        robust_list; /* o  set_robust_list(2): a struct robust_list_head of user memory, or 0 */
    uintptr_t clear_child_tid; /* o  set_tid_address(2) */
};
#define RESTART_NONE (~0ul)

/* What a vfork parent sleeps on until its child execs or exits. */
struct vfork_wait {
    struct waitq done GUARDED_BY(proctable_lock); /* p */
    bool finished GUARDED_BY(proctable_lock);     /* p */
};

/* setitimer(2), ITIMER_REAL.  g siglock */
struct itimer {
    struct timer timer;
    uint64_t deadline_ns; /* g  0: none */
    uint64_t interval_ns; /* g  0: once */
    bool flying;          /* g  `timer` is armed, or its expiry on its way */
    bool resting;         /* g  it has gone off, and nobody has taken the signal yet */
};

struct process {
    refcount_t refs; /* a  one a thread, one the table (until reaped) */
    int pid;         /* c */
    int pgid GUARDED_BY(proctable_lock), sid GUARDED_BY(proctable_lock); /* p */
    enum process_state state GUARDED_BY(proctable_lock);                 /* p */
    int status GUARDED_BY(proctable_lock);      /* p  wait(2) status, valid when ZOMBIE */
    int exit_signal;                            /* p once it is linked  to the parent; 0: none */
    bool has_execed GUARDED_BY(proctable_lock); /* p */
    struct process *
        parent GUARDED_BY(proctable_lock); /* p  NULL: the kernel, which wants no status */
    struct list children GUARDED_BY(proctable_lock);     /* p  by sibling_node */
    struct list sibling_node GUARDED_BY(proctable_lock); /* p */
    struct waitq child_wait GUARDED_BY(proctable_lock);  /* p  threads in wait4 */
    struct vfork_wait *vfork GUARDED_BY(proctable_lock); /* p  NULL unless a parent waits */
    uint64_t run_ns GUARDED_BY(proctable_lock); /* p  CPU time of threads that have exited */
    uint64_t children_run_ns GUARDED_BY(proctable_lock); /* p  of children that were waited for */

    struct spinlock siglock;   /* rank SIGNAL */
    struct list threads;       /* g */
    unsigned nthreads;         /* g */
    struct uthread *sole;      /* g  an exec in progress: every other thread leaves */
    struct waitq sole_wait;    /* g  that exec, until it is alone */
    bool exiting;              /* g  exit has begun, or a fatal signal was sent */
    bool stopped;              /* g  by SIGSTOP and the like */
    int exit_status;           /* g  wait(2) status, once exiting */
    bool continued;            /* g  by SIGCONT, and the parent has not been told */
    int stop_sig;              /* g  of a stop of which the parent has not been told, or 0 */
    unsigned stop_nr;          /* g  of this stop, or the last */
    unsigned nstopped;         /* g  threads that have come to it, while stopped */
    int stop_report;           /* g  0, or a wait(2) status of a stop or continue to report */
    struct waitq stop_wait;    /* g */
    struct sigpending pending; /* g */
    sigset_t sent_to_many;     /* g  of those pending: sent to other processes, too */
    struct sigactions actions; /* g */
    struct itimer alarm;       /* g */

    struct addrspace *as; /* o  one reference; NULL once it has exited */
    struct fdtable *fds;  /* o */
    struct vnode *cwd;    /* g  one reference */
    unsigned umask;       /* a */
    struct cred
        cred GUARDED_BY(proctable_lock); /* p  as others see it: what a thread of it has set last */
    struct shm_process shm;
    char name[PROC_NAME_BYTES]; /* g  of its program, for people */
};

/* NULL in a kernel thread. */
struct uthread *uthread_current(void);
struct process *process_current(void);
const struct cred *process_cred(void); /* the current thread's; constant during a call */
void process_set_cred(const struct cred *cred);
/* On whose behalf the current thread asks the region service. */
struct shm_caller shm_caller_current(void);
struct vnode *process_cwd(struct process *proc);                 /* a reference */
void process_set_cwd(struct process *proc, struct vnode *vnode); /* takes over the reference */
unsigned process_umask_swap(unsigned umask);                     /* returns the old */
unsigned process_umask(void);

/* Boot: creates pid 1 from an executable file.  Negative errno. */
err_t process_start_init(const char *path, const char *const *argv);

/* Waits until pid 1 has exited; its wait(2) status. */
int process_wait_init(void);

/* Shutdown: kills every process and waits until all are gone. */
void process_kill_all(void);

/* fork(2), vfork(2), and clone(2) of processes.  The child's pid, or a negative errno. */
struct fork_args {
    bool share_as; /* CLONE_VM */
    bool vfork;    /* the caller sleeps until the child execs or exits */
    int exit_signal;
    bool share_files; /* CLONE_FILES */
    bool set_tls;     /* CLONE_SETTLS, to `tls` */
    uintptr_t tls;
    uintptr_t stack;      /* 0: the parent's */
    uintptr_t parent_tid; /* user int to write the pid to, 0: none */
    uintptr_t child_tid;  /* written in the child */
    bool set_child_tid, clear_child_tid;
};
long process_fork(const struct fork_args *args);

/* clone(2) of a thread of the current process.  Its tid, or -EAGAIN, -ENOMEM. */
long process_clone_thread(const struct fork_args *args);

/* Ends the current process with a wait(2) status: every other thread leaves as soon as it can. */
_Noreturn void process_exit(int status);

/* Ends the current thread; with the last one the process, with `status` unless process_exit() has
 * set another. */
_Noreturn void process_thread_exit(int status);

/* Makes the current thread the only one of its process, for exec.  -EAGAIN: the process is about to
 * exit, or another thread execs. */
err_t process_become_sole(void);

/* CPU time of all threads, those that have exited included. */
uint64_t process_run_ns(struct process *proc);
uint64_t process_children_run_ns(struct process *proc); /* that were waited for */

#define WAIT_STATUS_EXIT(code)  (((code)&0xff) << 8)
#define WAIT_STATUS_SIGNAL(sig) (sig)
#define WAIT_STATUS_STOP(sig)   (((sig) << 8) | 0x7f)
#define WAIT_STATUS_CONTINUED   0xffff

/* A wait(2) status as siginfo_t has it: the CLD_* code, and si_status in *value. */
int wait_status_code(int status, int *value);

/* Which children a wait is for: any, the one of pid `id`, or those of process group `id`. */
struct wait_target {
    enum {
        WAIT_ANY,
        WAIT_PID,
        WAIT_GROUP
    } type;
    int id;
};

/* wait4(2) and waitid(2) without the copies out: the pid, 0 for WNOHANG, or -ECHILD, -EINTR.
 * `options` say what to report: WEXITED, WUNTRACED, WCONTINUED; and WNOHANG, WNOWAIT, and WCLONE
 * and WALL, of which children. */
struct wait_result {
    int status;
    uint32_t uid;
    uint64_t run_ns;
};
long process_wait(struct wait_target target, unsigned options, struct wait_result *result);

/* kill(2): pid > 0 one, 0 the caller's group, -1 all but init and the caller, < -1 a group. -ESRCH,
 * -EPERM, -EINVAL. */
long process_kill(int pid, int sig);

/* ^C on the console: SIGINT to all but init, as long as the console has no foreground group.  Any
 * context. */
void process_interrupt_all(void);

/* setpgid(2), setsid(2), getpgid(2), getsid(2), getppid(2). */
long process_setpgid(int pid, int pgid);
long process_setsid(void);
long process_getpgid(int pid);
long process_getsid(int pid);
int process_getppid(void);

/* tgkill(2) and tkill(2) (tgid < 0: any). */
long process_tkill(int tgid, int tid, int sig);

/* rt_sigqueueinfo(2): as kill of one process, with what comes along. */
long process_sigqueue(int pid, int sig, const struct signal_info *info);

/* setitimer(2) of the current process: SIGALRM after `value_ns` (0: none), then every `interval_ns`
 * (0: once).  What was left of the last one, and its interval, in *old_... */
void process_alarm_set(uint64_t value_ns, uint64_t interval_ns, uint64_t *old_value_ns,
                       uint64_t *old_interval_ns);
void process_alarm_get(uint64_t *value_ns, uint64_t *interval_ns);

/* prctl(2), PR_SET_NAME of the current thread; the first thread's is also the process's. */
void process_set_thread_name(const char *name);

/* Is there a thread of this number? */
bool process_has_thread(int tid);

/* Wakes a vfork parent, once; called at exec and exit. */
void process_vfork_done(struct process *proc);

/* For /proc and the debugger: calls fn for each process under the proctable lock. */
void process_for_each(void (*fn)(struct process *proc, void *arg), void *arg)
    EXCLUDES(proctable_lock);
/* Boot, before the root is mounted: /proc/PID and /proc/self. */
void process_procfs_init(void);

struct audit;
void process_audit(struct audit *audit);
