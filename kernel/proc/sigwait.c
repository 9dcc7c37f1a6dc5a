/* Waiting for a signal without a handler (sigtimedwait(2)). */
#include "signal.h"

/* Has the thread something to do on its way back to user mode, before it may wait on?  siglock
 * held. */
static bool must_leave(const struct uthread *ut) REQUIRES(ut->proc->siglock)
{
    const struct process *proc = ut->proc;
    return proc->exiting || proc->stopped || (proc->sole && proc->sole != ut) ||
           (signal_deliverable(ut) & ~ut->awaited);
}

long signal_wait(sigset_t set, uint64_t deadline_ns, struct signal_info *info)
{
    struct uthread *ut = uthread_current();
    struct waitq never; /* only a notice or the time ends the sleep */
    long result;
    waitq_init(&never);
    spin_lock(&ut->proc->siglock);
    ut->awaited = set & ~SIG_UNBLOCKABLE;
    while (!(result = signal_take(ut, ut->awaited, info))) {
        if (must_leave(ut)) {
            result = -EINTR;
            break;
        }
        /* What told of a signal that is gone by now, or of one that is blocked. */
        thread_clear_notify(&ut->thread, NOTIFY_SIGNAL | NOTIFY_KILL);
        err_t err = waitq_sleep(&never, &ut->proc->siglock, SLEEP_INTERRUPTIBLE, deadline_ns);
        if (err == -ETIMEDOUT) {
            result = signal_take(ut, ut->awaited, info);
            if (!result)
                result = -EAGAIN;
            break;
        }
    }
    ut->awaited = 0;
    spin_unlock(&ut->proc->siglock);
    return result;
}
