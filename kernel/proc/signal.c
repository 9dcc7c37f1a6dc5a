/* Sending signals, and what is pending. */
#include "signal.h"
#include "proc.h"

#include <kernel/base/panic.h>
#include <lib/string.h>

static bool default_ignores(int sig)
{
    return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
}

static bool default_stops(int sig)
{
    return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

enum signal_effect signal_effect(const struct process *proc, int sig)
{
    uint64_t handler = proc->actions.action[sig - 1].handler;
    if (handler == SIG_IGN)
        return SIGNAL_IGNORED;
    if (handler != SIG_DFL)
        return SIGNAL_HANDLED;
    if (default_ignores(sig))
        return SIGNAL_IGNORED;
    return default_stops(sig) ? SIGNAL_STOPS : SIGNAL_KILLS;
}

static void pend(struct sigpending *pending, int sig, const struct signal_info *info)
{
    if (pending->set & SIG_BIT(sig))
        return;
    pending->set |= SIG_BIT(sig);
    pending->info[sig - 1] = info ? *info : (struct signal_info){.code = SI_KERNEL};
}

static bool takes(const struct uthread *ut, int sig)
{
    return (~ut->blocked | ut->awaited) & SIG_BIT(sig);
}

/* Would the process end, were the thread to take it now?  A stopped one ends of SIGKILL at once, of
 * any other signal when it goes on (signal(7)). */
static bool ends_process(const struct process *proc, const struct uthread *ut, int sig)
    REQUIRES(proc->siglock)
{
    return signal_effect(proc, sig) == SIGNAL_KILLS && !(ut->awaited & SIG_BIT(sig)) &&
           (sig == SIGKILL || !proc->stopped);
}

/* The thread has to look, if it takes the signal.  The end of a process is settled here: whoever
 * gives up a sleep or a copy for it does not live on, whatever becomes of the signal's action. */
static void notify(struct process *proc, struct uthread *ut, int sig) REQUIRES(proc->siglock)
{
    if (!takes(ut, sig))
        return;
    if (ends_process(proc, ut, sig))
        process_begin_exit(proc, WAIT_STATUS_SIGNAL(sig));
    else
        thread_notify(&ut->thread, NOTIFY_SIGNAL);
}

sigset_t signal_opposite(int sig)
{
    if (sig == SIGCONT || sig == SIGKILL)
        return SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU);
    return default_stops(sig) ? SIG_BIT(SIGCONT) : 0;
}

/* siglock held. */
static void cancel_opposite(struct process *proc, int sig) REQUIRES(proc->siglock)
{
    sigset_t opposite = signal_opposite(sig);
    if (sig == SIGCONT || sig == SIGKILL)
        signal_continue(proc, sig);
    proc->pending.set &= ~opposite;
    list_for_each (node, &proc->threads)
        list_entry(node, struct uthread, proc_node)->pending.set &= ~opposite;
}

/* Nobody will ever see a signal that is ignored and not blocked. */
static bool discarded(const struct process *proc, const struct uthread *ut, int sig)
    REQUIRES(proc->siglock)
{
    return signal_effect(proc, sig) == SIGNAL_IGNORED &&
           !((ut->blocked | ut->awaited) & SIG_BIT(sig));
}

/* A signal with a handler is heard by the first thread that does not block it, and when that one
 * will not take it after all, by the next (retarget); any other signal by all.  The first
 * who takes it decides whether the process ends: it may await it. */
static void notify_process(struct process *proc, int sig) REQUIRES(proc->siglock)
{
    bool handled = signal_effect(proc, sig) == SIGNAL_HANDLED, awaited = false;
    list_for_each (node, &proc->threads) {
        struct uthread *ut = list_entry(node, struct uthread, proc_node);
        if (!awaited)
            notify(proc, ut, sig);
        else if (takes(ut, sig))
            thread_notify(&ut->thread, NOTIFY_SIGNAL);
        if (proc->exiting || (handled && !(ut->blocked & SIG_BIT(sig))))
            return;
        awaited |= !!(ut->awaited & SIG_BIT(sig));
    }
}

/* A thread does not take the signals of `set` any more.  It may be the only one that was told of
 * those that are pending for whichever thread takes them: another one is. */
static void retarget(struct process *proc, sigset_t set) REQUIRES(proc->siglock)
{
    for (set &= proc->pending.set; set; set &= set - 1)
        notify_process(proc, __builtin_ctzll(set) + 1);
}

/* `many`: it goes to other processes, too. */
static void send(struct process *proc, int sig, const struct signal_info *info, bool many)
{
    spin_lock(&proc->siglock);
    if (!list_empty(&proc->threads)) {
        cancel_opposite(proc, sig);
        struct uthread *first = list_first(&proc->threads, struct uthread, proc_node);
        bool pends = !discarded(proc, first, sig);
        if (many)
            signal_fork_note(proc, sig, pends);
        if (pends) {
            if (!(proc->pending.set & SIG_BIT(sig)))
                proc->sent_to_many &= ~SIG_BIT(sig);
            if (many)
                proc->sent_to_many |= SIG_BIT(sig);
            pend(&proc->pending, sig, info);
            notify_process(proc, sig);
        }
    }
    spin_unlock(&proc->siglock);
}

void signal_send(struct process *proc, int sig, const struct signal_info *info)
{
    send(proc, sig, info, false);
}

void signal_send_each(struct process *proc, int sig, const struct signal_info *info)
{
    send(proc, sig, info, true);
}

void signal_send_thread(struct uthread *ut, int sig, const struct signal_info *info)
{
    struct process *proc = ut->proc;
    spin_lock(&proc->siglock);
    cancel_opposite(proc, sig);
    if (!discarded(proc, ut, sig)) {
        pend(&ut->pending, sig, info);
        notify(proc, ut, sig);
    }
    spin_unlock(&proc->siglock);
}

void signal_raise_current(int sig)
{
    struct uthread *ut = uthread_current();
    struct signal_info info = {.code = SI_USER, .pid = ut->proc->pid, .uid = process_cred()->uid};
    signal_send_thread(ut, sig, &info);
}

void signal_fault_current(int sig, int code, uintptr_t addr)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    struct signal_info info = {.code = code, .value = addr};
    spin_lock(&proc->siglock);
    if ((ut->blocked & SIG_BIT(sig)) || signal_effect(proc, sig) == SIGNAL_IGNORED) {
        proc->actions.action[sig - 1].handler = SIG_DFL;
        ut->blocked &= ~SIG_BIT(sig);
    }
    pend(&ut->pending, sig, &info);
    notify(proc, ut, sig);
    spin_unlock(&proc->siglock);
}

sigset_t signal_deliverable(const struct uthread *ut)
{
    return (ut->pending.set | ut->proc->pending.set) & ~ut->blocked;
}

#define SIG_FAULTS                                                                                 \
    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGFPE) | SIG_BIT(SIGTRAP))

/* SIGKILL; then a fault of the thread's own (others cannot send that code), so that its handler
 * sees the registers of the fault; then the lowest.  0: an empty set. */
static int choose(const struct sigpending *pending, sigset_t set)
{
    if (set & SIG_BIT(SIGKILL))
        return SIGKILL;
    for (sigset_t faults = set & SIG_FAULTS; faults; faults &= faults - 1) {
        int sig = __builtin_ctzll(faults) + 1;
        if (pending->info[sig - 1].code > 0)
            return sig;
    }
    return set ? __builtin_ctzll(set) + 1 : 0;
}

/* The thread's own go first. */
int signal_take(struct uthread *ut, sigset_t set, struct signal_info *info)
{
    struct sigpending *from = ut->pending.set & set ? &ut->pending : &ut->proc->pending;
    int sig = choose(from, from->set & set);
    if (!sig)
        return 0;
    from->set &= ~SIG_BIT(sig);
    *info = from->info[sig - 1];
    if (sig == SIGALRM)
        process_alarm_resume(ut->proc);
    return sig;
}

bool signal_ignores_children(struct process *proc)
{
    spin_lock(&proc->siglock);
    const struct linux_sigaction *a = &proc->actions.action[SIGCHLD - 1];
    bool ignores = a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT);
    spin_unlock(&proc->siglock);
    return ignores;
}

bool signal_ignores_stops(struct process *proc)
{
    spin_lock(&proc->siglock);
    bool ignores = proc->actions.action[SIGCHLD - 1].flags & SA_NOCLDSTOP;
    spin_unlock(&proc->siglock);
    return ignores;
}

void signal_block(struct uthread *ut, sigset_t mask)
{
    sigset_t more = mask & ~SIG_UNBLOCKABLE & ~ut->blocked;
    ut->blocked = mask & ~SIG_UNBLOCKABLE;
    retarget(ut->proc, more);
    if (signal_deliverable(ut))
        thread_notify(&ut->thread, NOTIFY_SIGNAL);
}

void signal_set_blocked(sigset_t mask)
{
    struct uthread *ut = uthread_current();
    spin_lock(&ut->proc->siglock);
    signal_block(ut, mask);
    spin_unlock(&ut->proc->siglock);
}

sigset_t signal_pending_set(void)
{
    struct uthread *ut = uthread_current();
    spin_lock(&ut->proc->siglock);
    sigset_t set = (ut->pending.set | ut->proc->pending.set) & ut->blocked;
    spin_unlock(&ut->proc->siglock);
    return set;
}

/* A signal that becomes ignored is no longer pending (sigaction(2), POSIX 2.4.3).  siglock held. */
static void forget_pending(struct process *proc, int sig) REQUIRES(proc->siglock)
{
    proc->pending.set &= ~SIG_BIT(sig);
    list_for_each (node, &proc->threads)
        list_entry(node, struct uthread, proc_node)->pending.set &= ~SIG_BIT(sig);
}

err_t signal_action(int sig, const struct linux_sigaction *new, struct linux_sigaction *old)
{
    if (sig < 1 || sig > NSIG || (new && (SIG_BIT(sig) & SIG_UNBLOCKABLE)))
        return -EINVAL;
    struct process *proc = process_current();
    spin_lock(&proc->siglock);
    struct linux_sigaction *action = &proc->actions.action[sig - 1];
    if (old)
        *old = *action;
    if (new) {
        *action = *new;
        action->mask &= ~SIG_UNBLOCKABLE;
        if (signal_effect(proc, sig) == SIGNAL_IGNORED)
            forget_pending(proc, sig);
        if (sig == SIGALRM)
            process_alarm_resume(proc);
    }
    spin_unlock(&proc->siglock);
    return 0;
}

void signal_exec(struct process *proc)
{
    spin_lock(&proc->siglock);
    for (int i = 0; i < NSIG; i++) {
        bool ignored = proc->actions.action[i].handler == SIG_IGN;
        proc->actions.action[i] = (struct linux_sigaction){.handler = ignored ? SIG_IGN : SIG_DFL};
    }
    spin_unlock(&proc->siglock);
}

err_t signal_suspend(sigset_t mask)
{
    struct uthread *ut = uthread_current();
    spin_lock(&ut->proc->siglock);
    ut->saved_blocked = ut->blocked;
    spin_unlock(&ut->proc->siglock);
    ut->restore_blocked = true;
    signal_set_blocked(mask);
    return thread_sleep_until(NS_NEVER, SLEEP_INTERRUPTIBLE);
}

void signal_set_restart(unsigned long nr, enum restart when)
{
    struct uthread *ut = uthread_current();
    ut->restart_nr = nr;
    ut->restart_when = ut->restart_deadline_ns ? RESTART_NO_HANDLER : when;
}

uint64_t signal_sleep_deadline(void)
{
    struct uthread *ut = uthread_current();
    uint64_t earlier = ut->restart_deadline_ns;
    ut->restart_deadline_ns = 0;
    return earlier;
}

void signal_set_sleep_deadline(uint64_t deadline_ns)
{
    uthread_current()->restart_deadline_ns = deadline_ns;
}
