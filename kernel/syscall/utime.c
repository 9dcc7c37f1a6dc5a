#include "utime.h"

#include <abi/linux.h>
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>

err_t timespec_from_user(uintptr_t addr, uint64_t *ns)
{
    struct linux_timespec ts;
    if (copy_from_user(&ts, addr, sizeof ts))
        return -EFAULT;
    if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (int64_t)NS_PER_S)
        return -EINVAL;
    bool too_far = (uint64_t)ts.sec >= NS_NEVER / NS_PER_S - 1;
    *ns = too_far ? NS_NEVER - 1 : (uint64_t)ts.sec * NS_PER_S + (uint64_t)ts.nsec;
    return 0;
}

uint64_t deadline_after(uint64_t ns)
{
    uint64_t now = arch_time_ns();
    return ns >= NS_NEVER - 1 - now ? NS_NEVER - 1 : now + ns;
}

uint64_t wait_resumed(void)
{
    return signal_sleep_deadline();
}

uint64_t wait_deadline(uint64_t resumed, uint64_t ns)
{
    return resumed ? resumed : deadline_after(ns);
}

err_t wait_done(err_t err, uint64_t deadline_ns)
{
    if (err == -EINTR)
        signal_set_sleep_deadline(deadline_ns);
    return err;
}
