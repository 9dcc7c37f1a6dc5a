/* Signals that go to several processes while one of them forks (kill(2) of a group).  Who sends one
 * holds p all the time, and finds the parent, but not a child that is not linked yet.  The child
 * gets it all the same: it is one of the group's, and its own children would be, too.  One that was
 * sent before is for the parent alone, which takes it first: then fork begins anew. */
#include "signal.h"

err_t signal_fork_begin(void)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    spin_lock(&ut->proc->siglock);
    signal_stay_stopped(ut); /* the stop may be the group's, taken by another thread */
    bool earlier = proc->pending.set & proc->sent_to_many & ~ut->blocked;
    ut->forking = !earlier;
    ut->fork_pending = 0;
    spin_unlock(&ut->proc->siglock);
    return earlier ? -EINTR : 0;
}

void signal_fork_note(struct process *proc, int sig, bool pends)
{
    sigset_t more = pends ? SIG_BIT(sig) : 0;
    list_for_each (node, &proc->threads) {
        struct uthread *ut = list_entry(node, struct uthread, proc_node);
        if (ut->forking)
            ut->fork_pending = (ut->fork_pending & ~signal_opposite(sig)) | more;
    }
}

void signal_fork_end(struct uthread *child)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    struct sigpending *to = child ? &child->proc->pending : NULL;
    spin_lock(&proc->siglock);
    ut->forking = false;
    if (to) {
        to->set = ut->fork_pending;
        for (sigset_t set = to->set; set; set &= set - 1) {
            int i = __builtin_ctzll(set);
            to->info[i] = proc->pending.info[i]; /* taken or not, the last of its kind */
        }
        if (to->set)
            thread_notify(&child->thread, NOTIFY_SIGNAL);
    }
    spin_unlock(&proc->siglock);
}
