/* Processes: fork, exec, exit, wait, kill, ids. */
#include <abi/linux_fs.h>
#include <arch/thread.h>
#include <kernel/base/usercopy.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/exec.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>
#include <lib/string.h>
#include <limits.h>

long sys_fork(const unsigned long args[6])
{
    return process_fork(&(struct fork_args){.exit_signal = SIGCHLD});
}

long sys_vfork(const unsigned long args[6])
{
    return process_fork(
        &(struct fork_args){.exit_signal = SIGCHLD, .share_as = true, .vfork = true});
}

#define CLONE_OF_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_KNOWN                                                                                \
    (CLONE_SIGNAL_MASK | CLONE_OF_THREAD | CLONE_VFORK | CLONE_SYSVSEM | CLONE_SETTLS |            \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_CHILD_SETTID)

/* A thread shares all that CLONE_OF_THREAD names, as pthread_create(3) asks; a process shares
 * memory and descriptors if it likes.  Anything between (a process with shared handlers, a thread
 * with its own directory) is -EINVAL. */
static bool clone_flags_ok(unsigned long flags)
{
    unsigned long shares = flags & CLONE_OF_THREAD;
    if (flags & ~CLONE_KNOWN)
        return false;
    if (flags & CLONE_THREAD)
        return shares == CLONE_OF_THREAD && !(flags & CLONE_VFORK);
    return !(shares & (CLONE_FS | CLONE_SIGHAND)) && (flags & CLONE_SIGNAL_MASK) <= NSIG;
}

/* clone(flags, stack, parent_tid, child_tid, tls) */
long sys_clone(const unsigned long args[6])
{
    unsigned long flags = args[0];
    if (!clone_flags_ok(flags))
        return -EINVAL;
    if ((flags & CLONE_SETTLS) && args[4] >= USER_END)
        return -EPERM;
    struct fork_args fork = {
        .share_as = flags & CLONE_VM,
        .share_files = flags & CLONE_FILES,
        .vfork = flags & CLONE_VFORK,
        .exit_signal = (int)(flags & CLONE_SIGNAL_MASK),
        .set_tls = flags & CLONE_SETTLS,
        .tls = args[4],
        .stack = args[1],
        .parent_tid = flags & CLONE_PARENT_SETTID ? args[2] : 0,
        .child_tid = args[3],
        .set_child_tid = flags & CLONE_CHILD_SETTID,
        .clear_child_tid = flags & CLONE_CHILD_CLEARTID,
    };
    return flags & CLONE_THREAD ? process_clone_thread(&fork) : process_fork(&fork);
}

long sys_execve(const unsigned long args[6])
{
    char *path = kmem_alloc_bytes(PATH_BYTES);
    if (!path)
        return -ENOMEM;
    struct exec_strings strings;
    long err = copy_string_from_user(path, args[0], PATH_BYTES);
    if (err >= 0)
        err = exec_strings_from_user(&strings, args[1], args[2]);
    if (err >= 0)
        err = exec_current(path, &strings);
    kmem_free_bytes(path, PATH_BYTES);
    return err;
}

long sys_exit(const unsigned long args[6])
{
    process_thread_exit(WAIT_STATUS_EXIT((int)args[0]));
}

long sys_exit_group(const unsigned long args[6])
{
    process_exit(WAIT_STATUS_EXIT((int)args[0]));
}

static long copy_out_rusage(uintptr_t addr, uint64_t run_ns)
{
    struct linux_rusage ru = {
        .utime = {(int64_t)(run_ns / NS_PER_S), (int64_t)(run_ns % NS_PER_S / 1000)}};
    return copy_to_user(addr, &ru, sizeof ru);
}

/* The children wait4 names by `which`; those of the caller's group by the group's number now. */
static struct wait_target wait4_target(int which)
{
    if (which == -1)
        return (struct wait_target){WAIT_ANY, 0};
    if (which > 0)
        return (struct wait_target){WAIT_PID, which};
    return (struct wait_target){WAIT_GROUP, which ? -which : (int)process_getpgid(0)};
}

/* wait4(pid, int *status, options, struct rusage *) */
long sys_wait4(const unsigned long args[6])
{
    unsigned options = (unsigned)args[2];
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
        return -EINVAL;
    if ((int)args[0] == INT_MIN) /* no group has the number without its sign (wait4 of Linux) */
        return -ESRCH;
    struct wait_result result;
    long pid = process_wait(wait4_target((int)args[0]), options | WEXITED, &result);
    if (pid <= 0)
        return pid;
    if (args[1] && copy_to_user(args[1], &result.status, sizeof result.status))
        return -EFAULT;
    if (args[3] && copy_out_rusage(args[3], result.run_ns))
        return -EFAULT;
    return pid;
}

/* The children waitid names.  -EINVAL. */
static err_t waitid_target(unsigned long type, int id, struct wait_target *target)
{
    switch (type) {
    case P_ALL:
        *target = (struct wait_target){WAIT_ANY, 0};
        return 0;
    case P_PID:
        *target = (struct wait_target){WAIT_PID, id};
        return id > 0 ? 0 : -EINVAL;
    case P_PGID: /* 0: the caller's (waitid(2), Linux 5.4) */
        *target = (struct wait_target){WAIT_GROUP, id ? id : (int)process_getpgid(0)};
        return id >= 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* waitid(type, id, siginfo_t *, options, struct rusage *) */
long sys_waitid(const unsigned long args[6])
{
    unsigned options = (unsigned)args[3], reports = WEXITED | WUNTRACED | WCONTINUED;
    struct wait_result result = {0};
    struct wait_target target;
    if ((options & ~(reports | WNOHANG | WNOWAIT | WNOTHREAD | WALL | WCLONE)) ||
        !(options & reports))
        return -EINVAL;
    err_t err = waitid_target(args[0], (int)args[1], &target);
    if (err)
        return err;
    long pid = process_wait(target, options, &result);
    if (pid < 0)
        return pid;
    struct linux_siginfo info = {0};
    if (pid > 0) {
        info.signo = SIGCHLD;
        info.pid = (int)pid;
        info.uid = result.uid;
        info.code = wait_status_code(result.status, &info.status);
    }
    if (args[2] && copy_to_user(args[2], &info, sizeof info))
        return -EFAULT;
    return pid && args[4] ? copy_out_rusage(args[4], result.run_ns) : 0;
}

/* getrusage(who, struct rusage *) */
long sys_getrusage(const unsigned long args[6])
{
    struct process *proc = process_current();
    int who = (int)args[0];
    if (who != 0 && who != -1 && who != 1)
        return -EINVAL;
    bool children = who == -1;
    return copy_out_rusage(args[1], children   ? process_children_run_ns(proc)
                                    : who == 0 ? process_run_ns(proc)
                                               : thread_run_ns(thread_current()));
}

long sys_kill(const unsigned long args[6])
{
    return process_kill((int)args[0], (int)args[1]);
}

long sys_tkill(const unsigned long args[6])
{
    return process_tkill(-1, (int)args[0], (int)args[1]);
}

long sys_tgkill(const unsigned long args[6])
{
    if ((int)args[0] <= 0)
        return -EINVAL;
    return process_tkill((int)args[0], (int)args[1], (int)args[2]);
}

long sys_getpid(const unsigned long args[6])
{
    return process_current()->pid;
}

long sys_gettid(const unsigned long args[6])
{
    return uthread_current()->tid;
}

long sys_getppid(const unsigned long args[6])
{
    return process_getppid();
}

long sys_getpgrp(const unsigned long args[6])
{
    return process_getpgid(0);
}

long sys_getpgid(const unsigned long args[6])
{
    return process_getpgid((int)args[0]);
}

long sys_setpgid(const unsigned long args[6])
{
    return process_setpgid((int)args[0], (int)args[1]);
}

long sys_getsid(const unsigned long args[6])
{
    return process_getsid((int)args[0]);
}

long sys_setsid(const unsigned long args[6])
{
    return process_setsid();
}

long sys_getuid(const unsigned long args[6])
{
    return process_cred()->uid;
}

long sys_geteuid(const unsigned long args[6])
{
    return process_cred()->euid;
}

long sys_getgid(const unsigned long args[6])
{
    return process_cred()->gid;
}

long sys_getegid(const unsigned long args[6])
{
    return process_cred()->egid;
}

long sys_set_tid_address(const unsigned long args[6])
{
    struct uthread *ut = uthread_current();
    ut->clear_child_tid = args[0];
    return ut->tid;
}

/* arch_prctl(code, addr) */
long sys_arch_prctl(const unsigned long args[6])
{
    uintptr_t value;
    bool is_getter;
    err_t err = arch_tls_control((unsigned)args[0], args[1], &value, &is_getter);
    if (!err && is_getter)
        err = copy_to_user(args[1], &value, sizeof value);
    return err;
}

long sys_sched_yield(const unsigned long args[6])
{
    thread_yield();
    return 0;
}
