/* Clocks and sleep. */
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

#include "utime.h"

/* The value of a clock in ns; false: no such clock. */
static bool read_clock(unsigned long clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *ns = arch_boot_wall_ns() + arch_time_ns();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *ns = arch_time_ns();
        return true;
    case CLOCK_PROCESS_CPUTIME_ID:
        *ns = process_run_ns(process_current());
        return true;
    case CLOCK_THREAD_CPUTIME_ID:
        *ns = thread_run_ns(thread_current());
        return true;
    default:
        return false;
    }
}

static struct linux_timespec to_timespec(uint64_t ns)
{
    return (struct linux_timespec){(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S)};
}

long sys_clock_gettime(const unsigned long args[6])
{
    uint64_t ns;
    if (!read_clock(args[0], &ns))
        return -EINVAL;
    struct linux_timespec ts = to_timespec(ns);
    return copy_to_user(args[1], &ts, sizeof ts);
}

long sys_clock_getres(const unsigned long args[6])
{
    uint64_t ns;
    struct linux_timespec ts = {0, 1};
    if (!read_clock(args[0], &ns))
        return -EINVAL;
    return args[1] ? copy_to_user(args[1], &ts, sizeof ts) : 0;
}

long sys_gettimeofday(const unsigned long args[6])
{
    uint64_t ns = arch_boot_wall_ns() + arch_time_ns();
    struct linux_timeval tv = {(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / 1000)};
    int timezone[2] = {0, 0};
    if (args[0] && copy_to_user(args[0], &tv, sizeof tv))
        return -EFAULT;
    return args[1] ? copy_to_user(args[1], timezone, sizeof timezone) : 0;
}

long sys_time(const unsigned long args[6])
{
    int64_t now = (int64_t)((arch_boot_wall_ns() + arch_time_ns()) / NS_PER_S);
    if (args[0] && copy_to_user(args[0], &now, sizeof now))
        return -EFAULT;
    return now;
}

/* times(struct tms *): in ticks of 1/100 s; all of it counts as user time. */
long sys_times(const unsigned long args[6])
{
    const uint64_t tick_ns = NS_PER_S / 100;
    uint64_t tms[4] = {process_run_ns(process_current()) / tick_ns, 0,
                       process_children_run_ns(process_current()) / tick_ns, 0};
    if (args[0] && copy_to_user(args[0], tms, sizeof tms))
        return -EFAULT;
    return (long)(arch_time_ns() / tick_ns);
}

/* Sleeps until `deadline_ns`; a signal leaves the rest of a relative sleep in *remain (0: nobody
 * asks). */
static long sleep_until(uint64_t deadline_ns, uintptr_t remain)
{
    err_t err = thread_sleep_until(deadline_ns, SLEEP_INTERRUPTIBLE);
    if (err && remain) {
        uint64_t now = arch_time_ns();
        struct linux_timespec left = to_timespec(deadline_ns > now ? deadline_ns - now : 0);
        if (copy_to_user(remain, &left, sizeof left))
            return -EFAULT;
    }
    return err;
}

static long sleep_for(uint64_t resumed, uint64_t ns, uintptr_t remain)
{
    uint64_t deadline_ns = wait_deadline(resumed, ns);
    return wait_done((err_t)sleep_until(deadline_ns, remain), deadline_ns);
}

long sys_nanosleep(const unsigned long args[6])
{
    uint64_t ns, resumed = wait_resumed();
    err_t err = timespec_from_user(args[0], &ns);
    return err ? err : sleep_for(resumed, ns, args[1]);
}

/* clock_nanosleep(clock, flags, request, remain); only clocks that go on while one sleeps. */
long sys_clock_nanosleep(const unsigned long args[6])
{
    uint64_t ns, now, resumed = wait_resumed();
    if (args[0] == CLOCK_THREAD_CPUTIME_ID || !read_clock(args[0], &now))
        return -EINVAL;
    if (args[0] == CLOCK_PROCESS_CPUTIME_ID)
        return -EOPNOTSUPP;
    err_t err = timespec_from_user(args[2], &ns);
    if (err)
        return err;
    if (!(args[1] & TIMER_ABSTIME))
        return sleep_for(resumed, ns, args[3]);
    if (ns <= now)
        return 0;
    return sleep_until(deadline_after(ns - now), 0);
}
