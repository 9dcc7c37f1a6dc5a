/* The scheduler has one policy, SCHED_OTHER, and no priorities; every thread may run on every CPU.
 * Asking is answered truly, asking for anything else is -EPERM (sched(7), prctl(2)). */
#include <arch/cpu.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>
#include <lib/string.h>

/* The thread that a sched_ call is about: 0 is the caller. */
static err_t check_target(unsigned long arg)
{
    int tid = (int)arg;
    if (tid < 0)
        return -EINVAL;
    return tid == 0 || process_has_thread(tid) ? 0 : -ESRCH;
}

/* -EINVAL for what no policy has; -EPERM for another policy than ours. */
static err_t check_policy(int policy, uintptr_t param)
{
    int priority;
    if (copy_from_user(&priority, param, sizeof priority))
        return -EFAULT;
    switch (policy & ~SCHED_RESET_ON_FORK) {
    case SCHED_OTHER:
        return priority == 0 ? 0 : -EINVAL;
    case SCHED_FIFO:
    case SCHED_RR:
        return priority >= 1 && priority <= 99 ? -EPERM : -EINVAL;
    case SCHED_BATCH:
    case SCHED_IDLE:
        return priority == 0 ? -EPERM : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* sched_setparam(tid, param) */
long sys_sched_setparam(const unsigned long args[6])
{
    err_t err = check_target(args[0]);
    return err ? err : check_policy(SCHED_OTHER, args[1]);
}

/* sched_getparam(tid, param) */
long sys_sched_getparam(const unsigned long args[6])
{
    int priority = 0;
    err_t err = check_target(args[0]);
    return err ? err : copy_to_user(args[1], &priority, sizeof priority);
}

/* sched_setscheduler(tid, policy, param) */
long sys_sched_setscheduler(const unsigned long args[6])
{
    err_t err = check_target(args[0]);
    return err ? err : check_policy((int)args[1], args[2]);
}

long sys_sched_getscheduler(const unsigned long args[6])
{
    err_t err = check_target(args[0]);
    return err ? err : SCHED_OTHER;
}

/* The priorities that a policy has, whether or not one may have it. */
static long priority_limit(int policy, long real_time)
{
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return real_time;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_sched_get_priority_max(const unsigned long args[6])
{
    return priority_limit((int)args[0], 99);
}

long sys_sched_get_priority_min(const unsigned long args[6])
{
    return priority_limit((int)args[0], 1);
}

/* For the affinity calls a number that no thread can have is only one that none has. */
static bool is_thread(unsigned long arg)
{
    int tid = (int)arg;
    return tid == 0 || (tid > 0 && process_has_thread(tid));
}

/* sched_getaffinity(tid, size, mask) */
long sys_sched_getaffinity(const unsigned long args[6])
{
    uint64_t mask = (1ull << arch_cpu_count()) - 1;
    if (args[1] < sizeof mask || args[1] % sizeof mask)
        return -EINVAL;
    if (!is_thread(args[0]))
        return -ESRCH;
    return copy_to_user(args[2], &mask, sizeof mask) ? -EFAULT : (long)sizeof mask;
}

/* sched_setaffinity(tid, size, mask): any mask that leaves the thread all the CPUs there are. */
long sys_sched_setaffinity(const unsigned long args[6])
{
    uint64_t mask = 0, all = (1ull << arch_cpu_count()) - 1;
    if (!is_thread(args[0]))
        return -ESRCH;
    if (copy_from_user(&mask, args[2], MIN(args[1], sizeof mask)))
        return -EFAULT;
    if (!(mask & all))
        return -EINVAL;
    return (mask & all) == all ? 0 : -EPERM;
}

/* prctl(option, ...): names of threads; every other option is -EINVAL, which is how Linux says that
 * it does not know one. */
long sys_prctl(const unsigned long args[6])
{
    char name[PROC_NAME_BYTES];
    switch ((int)args[0]) {
    case PR_SET_NAME: {
        long n = copy_string_from_user(name, args[1], sizeof name);
        if (n == -EFAULT)
            return -EFAULT;
        name[sizeof name - 1] = '\0';
        process_set_thread_name(name);
        return 0;
    }
    case PR_GET_NAME:
        memset(name, 0, sizeof name);
        str_copy(name, thread_current()->name, sizeof name);
        return copy_to_user(args[1], name, sizeof name);
    default:
        return -EINVAL;
    }
}
