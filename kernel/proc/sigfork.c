/* Signals that go to several processes while one of them forks (kill(2) of a group).  Who sends one
 * holds p all the time, and finds the parent, but not a child that is not linked yet.  The child
 * gets it all the same: it is one of the group's, and its own children would be, too. */
#include "signal.h"

void signal_fork_begin(void)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    spin_lock(&ut->proc->siglock);
    signal_stay_stopped(ut); /* the stop may be the group's, taken by another thread */
    ut->forking = true;
    ut->fork_pending = proc->pending.set & proc->sent_to_many & ~ut->blocked;
    spin_unlock(&ut->proc->siglock);
}

void signal_fork_note(struct process *proc, int sig)
{
    list_for_each (node, &proc->threads) {
        struct uthread *ut = list_entry(node, struct uthread, proc_node);
        if (ut->forking)
            ut->fork_pending = (ut->fork_pending & ~signal_opposite(sig)) | SIG_BIT(sig);
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
