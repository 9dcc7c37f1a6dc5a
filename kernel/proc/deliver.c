/* Delivering signals on the way back to user mode. */
#include "signal.h"

#include <kernel/base/panic.h>
#include <lib/string.h>

/* Makes the interrupted system call again, or leaves its -EINTR.  `handler_flags`: of the handler
 * about to run; NULL when none did.  A sleep that was to be made again, but has not been yet (it
 * would have taken its deadline), ends as if the handler had interrupted it. */
static void settle_restart(struct uthread *ut, const uint64_t *handler_flags)
{
    struct arch_uregs *regs = arch_uregs(&ut->thread.arch);
    unsigned long nr = ut->restart_nr;
    ut->restart_nr = RESTART_NONE;
    if (handler_flags && nr == RESTART_NONE && ut->restart_deadline_ns)
        arch_uregs_no_restart(regs, -EINTR);
    if (handler_flags) /* it may sleep itself, and the sleep it interrupts is over */
        ut->restart_deadline_ns = 0;
    if (nr == RESTART_NONE)
        return;
    if (!handler_flags || ut->restart_when == RESTART_ALWAYS ||
        (ut->restart_when == RESTART_SA_RESTART && (*handler_flags & SA_RESTART)))
        arch_uregs_restart(regs, nr);
}

void signal_fill_info(struct linux_siginfo *to, int sig, const struct signal_info *info)
{
    memset(to, 0, sizeof *to);
    to->signo = sig;
    to->code = info->code;
    if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP) {
        if (info->code > 0) {
            to->addr = info->value;
            return;
        }
    }
    to->pid = info->pid;
    to->uid = info->uid;
    if (sig == SIGCHLD)
        to->status = info->status;
    else
        to->value = info->value;
}

/* Its end belongs to it, its beginning does not: there a stack below it may end. */
bool signal_on_altstack(struct uthread *ut)
{
    const struct linux_stack *alt = &ut->altstack;
    uintptr_t sp = arch_uregs_sp(arch_uregs(&ut->thread.arch));
    return sp - alt->sp - 1 < alt->size;
}

/* There is nowhere to put a frame: SIGSEGV, which may have a stack of its own, but not twice. */
static void no_room_for_frame(int sig)
{
    if (sig == SIGSEGV)
        process_exit(WAIT_STATUS_SIGNAL(SIGSEGV));
    signal_fault_current(SIGSEGV, SI_KERNEL, 0);
}

/* Enters the handler.  siglock held on entry, not on return. */
static void enter_handler(struct uthread *ut, int sig, const struct signal_info *info)
    RELEASE(ut->proc->siglock)
{
    struct process *proc = ut->proc;
    struct linux_sigaction action = proc->actions.action[sig - 1];
    if (action.flags & SA_RESETHAND)
        proc->actions.action[sig - 1].handler = SIG_DFL;
    spin_unlock(&ut->proc->siglock);

    settle_restart(ut, &action.flags);
    bool on_altstack = signal_on_altstack(ut);
    bool enter_altstack = !on_altstack && (action.flags & SA_ONSTACK) && ut->altstack.size;
    struct linux_siginfo siginfo;
    signal_fill_info(&siginfo, sig, info);
    struct arch_sigframe frame = {
        .sig = sig,
        .handler = action.handler,
        .restorer = action.restorer,
        .altstack_top = enter_altstack ? ut->altstack.sp + ut->altstack.size : 0,
        .lowest = on_altstack || enter_altstack ? ut->altstack.sp : 0,
        .altstack_beg = ut->altstack.sp,
        .altstack_bytes = ut->altstack.size,
        .altstack_flags = ut->altstack.flags,
        .mask = ut->restore_blocked ? ut->saved_blocked : ut->blocked,
        .info = &siginfo,
    };
    if (arch_signal_push(&frame)) {
        no_room_for_frame(sig);
        return;
    }
    ut->restore_blocked = false;
    signal_set_blocked(ut->blocked | action.mask | (action.flags & SA_NODEFER ? 0 : SIG_BIT(sig)));
}

/* Nothing is left to deliver.  siglock held on entry, not on return. */
static void finish(struct uthread *ut) RELEASE(ut->proc->siglock)
{
    thread_clear_notify(&ut->thread, NOTIFY_SIGNAL | NOTIFY_KILL);
    if (ut->restore_blocked) /* the old mask may let more through */
        signal_block(ut, ut->saved_blocked);
    ut->restore_blocked = false;
    spin_unlock(&ut->proc->siglock);
    settle_restart(ut, NULL);
}

void signal_deliver(void)
{
    struct uthread *ut = uthread_current();
    for (;;) {
        struct signal_info info;
        spin_lock(&ut->proc->siglock);
        signal_stay_stopped(ut);
        int sig = signal_take(ut, ~ut->blocked, &info);
        if (!sig)
            break;
        switch (signal_effect(ut->proc, sig)) {
        case SIGNAL_IGNORED:
            spin_unlock(&ut->proc->siglock);
            continue;
        case SIGNAL_HANDLED:
            enter_handler(ut, sig, &info);
            continue;
        case SIGNAL_STOPS:
            signal_stop(ut->proc, sig);
            spin_unlock(&ut->proc->siglock);
            continue;
        case SIGNAL_KILLS:
            spin_unlock(&ut->proc->siglock);
            process_exit(WAIT_STATUS_SIGNAL(sig));
        }
    }
    finish(ut);
}

void signal_return(void)
{
    uint64_t mask;
    if (arch_signal_pop(&mask))
        process_exit(WAIT_STATUS_SIGNAL(SIGSEGV));
    signal_set_blocked(mask);
}
