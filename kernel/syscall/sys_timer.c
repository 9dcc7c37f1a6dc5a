/* Alarms, and waiting for signals. */
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

#include "utime.h"

struct linux_itimerval {
    struct linux_timeval interval, value;
};

#define US_PER_S 1000000

/* -EINVAL: not a time. */
static err_t timeval_to_ns(const struct linux_timeval *tv, uint64_t *ns)
{
    if (tv->sec < 0 || tv->usec < 0 || tv->usec >= US_PER_S)
        return -EINVAL;
    bool too_far = (uint64_t)tv->sec >= NS_NEVER / NS_PER_S - 1;
    *ns = too_far ? NS_NEVER - 1 : (uint64_t)tv->sec * NS_PER_S + (uint64_t)tv->usec * 1000;
    return 0;
}

/* Rounded up: a timer that runs never looks as if it did not. */
static struct linux_timeval timeval_of_ns(uint64_t ns)
{
    uint64_t us = ns / 1000 + (ns % 1000 != 0);
    return (struct linux_timeval){(int64_t)(us / US_PER_S), (int64_t)(us % US_PER_S)};
}

static long itimer_to_user(uintptr_t to, uint64_t value_ns, uint64_t interval_ns)
{
    struct linux_itimerval it = {timeval_of_ns(interval_ns), timeval_of_ns(value_ns)};
    return copy_to_user(to, &it, sizeof it);
}

/* getitimer(which, current) */
long sys_getitimer(const unsigned long args[6])
{
    uint64_t value, interval;
    if (args[0] != ITIMER_REAL)
        return -EINVAL;
    process_alarm_get(&value, &interval);
    return itimer_to_user(args[1], value, interval);
}

/* setitimer(which, new, old); no new is none at all, as on Linux.  The timers that count CPU time
 * are not there: -EINVAL. */
long sys_setitimer(const unsigned long args[6])
{
    struct linux_itimerval it = {.value = {0, 0}};
    uint64_t value = 0, interval = 0, old_value, old_interval;
    if (args[0] != ITIMER_REAL)
        return -EINVAL;
    if (args[1] && copy_from_user(&it, args[1], sizeof it))
        return -EFAULT;
    if (timeval_to_ns(&it.value, &value) || timeval_to_ns(&it.interval, &interval))
        return -EINVAL;
    process_alarm_set(value, interval, &old_value, &old_interval);
    return args[2] ? itimer_to_user(args[2], old_value, old_interval) : 0;
}

/* alarm(seconds): what was left, rounded to seconds, but not to none. */
long sys_alarm(const unsigned long args[6])
{
    uint64_t left, interval;
    process_alarm_set((uint64_t)(unsigned)args[0] * NS_PER_S, 0, &left, &interval);
    if (left == 0)
        return 0;
    return (long)MAX((left + NS_PER_S / 2) / NS_PER_S, (uint64_t)1);
}

/* rt_sigtimedwait(set, info, timeout, set size) */
long sys_rt_sigtimedwait(const unsigned long args[6])
{
    sigset_t set;
    struct signal_info info;
    struct linux_siginfo user_info;
    uint64_t ns, deadline_ns = NS_NEVER, resumed = wait_resumed();
    if (args[3] != sizeof set)
        return -EINVAL;
    if (copy_from_user(&set, args[0], sizeof set))
        return -EFAULT;
    if (args[2]) {
        err_t err = timespec_from_user(args[2], &ns);
        if (err)
            return err;
        deadline_ns = wait_deadline(resumed, ns);
    }
    long sig = signal_wait(set, deadline_ns, &info);
    if (sig <= 0)
        return wait_done((err_t)sig, deadline_ns);
    if (!args[1])
        return sig;
    signal_fill_info(&user_info, (int)sig, &info);
    return copy_to_user(args[1], &user_info, sizeof user_info) ? -EFAULT : sig;
}

/* rt_sigqueueinfo(pid, sig, info).  One signal of each kind is pending, with what came with the
 * first. */
long sys_rt_sigqueueinfo(const unsigned long args[6])
{
    struct linux_siginfo in;
    if (copy_from_user(&in, args[2], sizeof in))
        return -EFAULT;
    struct signal_info info = {
        .code = in.code, .pid = in.pid, .uid = in.uid, .status = in.status, .value = in.value};
    return process_sigqueue((int)args[0], (int)args[1], &info);
}
