/* Signals of processes and threads (signal(7)). */
#pragma once

#include <abi/linux.h>
#include <kernel/base/spinlock.h>
#include <lib/err.h>

typedef uint64_t sigset_t; /* bit n-1 is signal n */

#define SIG_BIT(sig) ((sigset_t)1 << ((sig)-1))

/* Signals that cannot be caught, blocked or ignored. */
#define SIG_UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

struct process;
struct uthread;

/* What comes with a signal: the parts of siginfo_t that somebody may fill. */
struct signal_info {
    int32_t code;
    int32_t pid;
    uint32_t uid;
    int32_t status; /* SIGCHLD */
    uint64_t value; /* rt_sigqueueinfo(2), or the address of a fault */
};

/* Signals that wait for delivery: one of each kind, with what came with the first of its kind. */
struct sigpending {
    sigset_t set;
    struct signal_info info[NSIG];
};

struct sigactions {
    struct linux_sigaction action[NSIG];
};

/* The handlers after which an interrupted system call is made again (sigaction(2)). */
enum restart {
    RESTART_NO_HANDLER, /* none */
    RESTART_SA_RESTART, /* those with that flag */
    RESTART_ALWAYS,
};

/* Sends to a process; any thread of it that does not block the signal may take it.  `info` may be
 * NULL (SI_KERNEL). Takes siglock (RANK_SIGNAL). */
void signal_send(struct process *proc, int sig, const struct signal_info *info);

/* Sends to one thread. */
void signal_send_thread(struct uthread *ut, int sig, const struct signal_info *info);

/* To the current thread, from itself: SIGPIPE. */
void signal_raise_current(int sig);

/* A fault of the current thread's own: cannot be blocked or ignored (the default action is taken
 * instead). */
void signal_fault_current(int sig, int code, uintptr_t addr);

/* Delivers what is pending for the current thread before it returns to user mode: enters a handler,
 * stops, or exits. Interrupts on, no lock. */
void signal_deliver(void);

/* A fresh program keeps ignored signals ignored and forgets handlers (execve(2)). */
void signal_exec(struct process *proc);

/* The current system call (number `nr`) ended with -EINTR: it is made again after the signal if no
 * handler ran, or if that is one after which it may be; none is if it has left a deadline. */
void signal_set_restart(unsigned long nr, enum restart when);

/* When the current system call, a relative sleep that is being made again, would have ended before
 * it was interrupted; 0 when it is not.  The second leaves that behind. */
uint64_t signal_sleep_deadline(void);
void signal_set_sleep_deadline(uint64_t deadline_ns);

/* What the signal system calls do, for the current thread.  Masks lose SIG_UNBLOCKABLE silently
 * (sigprocmask(2)). */
void signal_set_blocked(sigset_t mask);
sigset_t signal_pending_set(void);
err_t signal_action(int sig, const struct linux_sigaction *new,
                    struct linux_sigaction *old); /* -EINVAL */

/* sigsuspend(2): always -EINTR, and the old mask returns once the signal has been handled. */
err_t signal_suspend(sigset_t mask);

/* rt_sigtimedwait(2): takes a pending signal of `set`, blocked or not, and waits for one until the
 * deadline.  Its number, -EAGAIN at the deadline, -EINTR. */
long signal_wait(sigset_t set, uint64_t deadline_ns, struct signal_info *info);

/* siginfo_t of a signal, for the user. */
void signal_fill_info(struct linux_siginfo *to, int sig, const struct signal_info *info);

/* Is the current thread's stack pointer on its alternate stack? */
bool signal_on_altstack(struct uthread *ut);

/* rt_sigreturn(2).  Kills the thread's process on a bad frame. */
void signal_return(void);

/* For wait4 and exit: is SIGCHLD set so that children leave no zombie? */
bool signal_ignores_children(struct process *proc);

/* Is it set so that children that stop or continue do not send it (SA_NOCLDSTOP)? */
bool signal_ignores_stops(struct process *proc);
