/* Inside of kernel/proc: the process table. */
#pragma once

#include <kernel/proc/process.h>

/* The live or zombie process of this pid, or NULL.  proctable_lock held. */
struct process *process_find(int pid) REQUIRES(proctable_lock);

/* Takes a zombie out of the table; the caller then drops the table's reference with no lock held.
 */
void process_unlink(struct process *proc) REQUIRES(proctable_lock);
void process_put(struct process *proc);

/* A zeroed user thread with its process, both unlinked; `entry` is its first kernel code.  NULL
 * when out of memory. Undo with process_discard. */
struct uthread *process_new(const char *name, void (*entry)(void *arg));
void process_discard(struct uthread *ut);

/* One more thread of `proc`, unlinked; the caller has taken the reference to proc that it keeps.
 * NULL when out of memory (the reference stays the caller's).  Undo with thread_destroy. */
struct uthread *uthread_new(struct process *proc, const char *name, void (*entry)(void *arg));

/* Gives it a tid and makes it one of its process's threads.  -EAGAIN. */
err_t uthread_link(struct uthread *ut);
struct uthread *uthread_find(int tid) REQUIRES(proctable_lock); /* p held */

/* Its tid is free again; it is no longer one of its process's threads.  p and siglock held. */
void uthread_unlink(struct uthread *ut) REQUIRES(proctable_lock, ut->proc->siglock);

/* What the current thread owes to others before its memory goes, by exit or exec: robust locks,
 * region locks (R10), the word of set_tid_address(2).  May sleep. */
void uthread_leave_memory(struct uthread *self);

/* Does the current thread share its process?  If not, it will not as long as it makes no other. */
bool process_has_other_threads(void);

/* The only thread left takes the process's number as its own (execve(2)). */
void uthread_take_pid(struct uthread *ut);

/* fork begins: from here to its end, when the child is linked (p held) or, NULL, there is none, the
 * child gets what goes to its parent and others at once.  Waits while the process is stopped; may
 * end the thread.  -EINTR: such a signal has come before, and the thread has to take it first. */
err_t signal_fork_begin(void);
void signal_fork_end(struct uthread *child);

/* Gives it a pid and a place in the tree below `parent` (NULL: the kernel), whose fork ends if that
 * succeeds.  -EAGAIN. */
err_t process_link(struct uthread *ut, struct process *parent);
size_t process_count(void);

/* The smallest pid of a process that is not below `pid`; 0 when there is none.  p not held. */
int process_next_pid(int pid);

/* Invariant walker: the tree of processes and the threads in it.  Panics on the first violation. */
void process_check(void);

/* process_for_each() for who holds p. */
void process_for_each_locked(void (*fn)(struct process *proc, void *arg), void *arg)
    REQUIRES(proctable_lock);

/* signal_send() of a signal that goes to several processes. */
void signal_send_each(struct process *proc, int sig, const struct signal_info *info)
    REQUIRES(proctable_lock);

/* Tells the parent that the process has stopped, all of it, or goes on, if it does not know yet. */
void process_report_stop(struct process *proc) REQUIRES(proctable_lock);

/* SIGCHLD with a wait(2) status of a stop or continue, and whoever waits wakes up. */
void process_tell_parent(struct process *proc, int status) REQUIRES(proctable_lock);

/* The next number that means no process, thread, group or session; -EAGAIN when there is none.  One
 * pass over the table, since who makes processes must not decide how long p is held.  p held. */
int pid_next(void) REQUIRES(proctable_lock);

/* Is a number in use as a process group or session?  p held. */
bool pid_names_group(int pid) REQUIRES(proctable_lock);

/* SIGALRM was taken, or something else becomes of it now: the alarm goes on.  siglock held. */
void process_alarm_resume(struct process *proc) REQUIRES(proc->siglock);

/* No alarm goes off any more once it returns.  May yield. */
void process_alarm_exit(struct process *proc);

/* What execve(2) does to the current thread's users and groups, and its process's. */
void process_cred_exec(void);

extern struct process *
    init_process GUARDED_BY(proctable_lock); /* p  pid 1, NULL before and after */
