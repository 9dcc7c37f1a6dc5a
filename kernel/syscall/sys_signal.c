/* Signals. */
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

/* Every set of this ABI has 8 bytes. */
static bool bad_set_size(unsigned long size)
{
    return size != sizeof(sigset_t);
}

/* rt_sigaction(sig, new, old, set size) */
long sys_rt_sigaction(const unsigned long args[6])
{
    struct linux_sigaction new, old;
    if (bad_set_size(args[3]))
        return -EINVAL;
    if (args[1] && copy_from_user(&new, args[1], sizeof new))
        return -EFAULT;
    err_t err = signal_action((int)args[0], args[1] ? &new : NULL, &old);
    if (!err && args[2])
        err = copy_to_user(args[2], &old, sizeof old);
    return err;
}

/* rt_sigprocmask(how, new, old, set size) */
long sys_rt_sigprocmask(const unsigned long args[6])
{
    sigset_t set = 0, old = uthread_current()->blocked;
    if (bad_set_size(args[3]))
        return -EINVAL;
    if (args[1]) {
        if (copy_from_user(&set, args[1], sizeof set))
            return -EFAULT;
        switch (args[0]) {
        case SIG_BLOCK:
            set |= old;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
    }
    if (args[2] && copy_to_user(args[2], &old, sizeof old))
        return -EFAULT;
    if (args[1])
        signal_set_blocked(set);
    return 0;
}

long sys_rt_sigpending(const unsigned long args[6])
{
    if (args[1] > sizeof(sigset_t))
        return -EINVAL;
    sigset_t set = signal_pending_set();
    return copy_to_user(args[0], &set, args[1]);
}

long sys_rt_sigsuspend(const unsigned long args[6])
{
    sigset_t set;
    if (bad_set_size(args[1]))
        return -EINVAL;
    if (copy_from_user(&set, args[0], sizeof set))
        return -EFAULT;
    return signal_suspend(set);
}

long sys_pause(const unsigned long args[6])
{
    return thread_sleep_until(NS_NEVER, SLEEP_INTERRUPTIBLE);
}

long sys_rt_sigreturn(const unsigned long args[6])
{
    signal_return();
    return 0; /* not looked at: the registers are the frame's */
}

/* sigaltstack(new, old) */
long sys_sigaltstack(const unsigned long args[6])
{
    struct uthread *ut = uthread_current();
    struct linux_stack new, old = ut->altstack;
    bool on = signal_on_altstack(ut);
    if (args[0] && copy_from_user(&new, args[0], sizeof new))
        return -EFAULT;
    if (args[0]) {
        int mode = new.flags;
        if (on)
            return -EPERM;
        if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
            return -EINVAL;
        if (mode == SS_DISABLE)
            new.sp = new.size = 0;
        else if (new.size < MINSIGSTKSZ)
            return -ENOMEM;
    }
    old.flags = on ? SS_ONSTACK : old.size ? 0 : SS_DISABLE;
    if (args[1] && copy_to_user(args[1], &old, sizeof old))
        return -EFAULT;
    if (args[0])
        ut->altstack = new;
    return 0;
}
