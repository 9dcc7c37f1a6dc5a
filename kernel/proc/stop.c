/* Stopped processes, and what their parents hear.
 *
 * A stop begins when a thread takes the signal, and is complete when every thread has come to
 * signal_stay_stopped: only then nobody touches the process's memory, and the parent is told.  With
 * SIGCONT it is over, complete or not, and wait4 says so from then on: what it reports changes with
 * the state, under siglock. */
#include "signal.h"

static bool is_complete(const struct process *proc) REQUIRES(proc->siglock)
{
    return proc->stopped && !proc->exiting && proc->nthreads > 0 &&
           proc->nstopped == proc->nthreads;
}

void process_report_stop(struct process *proc)
{
    int status = 0;
    spin_lock(&proc->siglock);
    if (proc->continued) {
        proc->continued = false;
        status = WAIT_STATUS_CONTINUED;
    } else if (proc->stop_sig && is_complete(proc)) {
        status = proc->stop_report = WAIT_STATUS_STOP(proc->stop_sig);
        proc->stop_sig = 0;
    }
    spin_unlock(&proc->siglock);
    if (status)
        process_tell_parent(proc, status);
}

void signal_stop(struct process *proc, int sig)
{
    proc->stopped = true;
    proc->stop_sig = sig;
    proc->stop_nr++;
    proc->nstopped = 0;
    list_for_each (node, &proc->threads)
        thread_notify(&list_entry(node, struct uthread, proc_node)->thread, NOTIFY_SIGNAL);
}

void signal_continue(struct process *proc, int sig)
{
    if (!proc->stopped)
        return;
    proc->stopped = false;
    proc->continued = sig == SIGCONT;
    proc->stop_report = sig == SIGCONT ? WAIT_STATUS_CONTINUED : 0;
    waitq_wake_all(&proc->stop_wait);
}

/* True when the thread is the last to come. */
static bool arrive(struct process *proc, struct uthread *ut) REQUIRES(proc->siglock)
{
    if (ut->stop_nr == proc->stop_nr)
        return false;
    ut->stop_nr = proc->stop_nr;
    proc->nstopped++;
    return is_complete(proc);
}

void signal_stay_stopped(struct uthread *ut)
{
    struct process *proc = ut->proc;
    for (;;) {
        spin_assert_held(&proc->siglock);
        if (proc->exiting || (proc->sole && proc->sole != ut)) {
            spin_unlock(&ut->proc->siglock);
            process_thread_exit(0);
        }
        if (proc->continued || (proc->stopped && arrive(proc, ut))) {
            spin_unlock(&ut->proc->siglock);
            spin_lock(&proctable_lock);
            process_report_stop(proc);
            spin_unlock(&proctable_lock);
            spin_lock(&ut->proc->siglock);
        } else if (proc->stopped) {
            (void)waitq_sleep(&proc->stop_wait, &ut->proc->siglock, SLEEP_UNINTERRUPTIBLE,
                              NS_NEVER);
        } else {
            return;
        }
    }
}
