/* Inside of kernel/proc: pending signals.  siglock held for all of it. */
#pragma once

#include "proc.h"

enum signal_effect {
    SIGNAL_IGNORED,
    SIGNAL_HANDLED,
    SIGNAL_STOPS,
    SIGNAL_KILLS,
};

/* What a signal would do to the process now. */
enum signal_effect signal_effect(const struct process *proc, int sig) REQUIRES(proc->siglock);

/* Takes the next of `set` that is pending for the thread: its number, or 0. */
int signal_take(struct uthread *ut, sigset_t set, struct signal_info *info)
    REQUIRES(ut->proc->siglock);

/* Signals that are pending and not blocked. */
sigset_t signal_deliverable(const struct uthread *ut) REQUIRES(ut->proc->siglock);

/* Which signals are no longer pending when this one comes: SIGCONT and those that stop cancel each
 * other (signal(7)). */
sigset_t signal_opposite(int sig);

/* The process stops: each thread as soon as it comes by at signal_stay_stopped. */
void signal_stop(struct process *proc, int sig) REQUIRES(proc->siglock);

/* SIGCONT or SIGKILL has come: it is stopped no more. */
void signal_continue(struct process *proc, int sig) REQUIRES(proc->siglock);

/* Sleeps as long as the process of the current thread is stopped, and sees to it that its parent is
 * told; leaves for good when it exits, or another thread execs.  Lets go of siglock meanwhile. */
void signal_stay_stopped(struct uthread *ut) REQUIRES(ut->proc->siglock);

/* A signal goes to several processes, of which this one may be forking another.  It cancels others;
 * and is one to take, if it `pends`. */
void signal_fork_note(struct process *proc, int sig, bool pends) REQUIRES(proc->siglock);

/* The mask of the current thread from now on, and what follows for it and the others. */
void signal_block(struct uthread *ut, sigset_t mask) REQUIRES(ut->proc->siglock);

/* As process_exit(), of any process: all its threads leave as soon as they can. */
void process_begin_exit(struct process *proc, int status) REQUIRES(proc->siglock);
