/* What the system says about itself, and limits. */
#include <arch/cpu.h>
#include <kernel/base/context.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/devfs.h>
#include <kernel/fs/fdtable.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>
#include <lib/string.h>

long sys_uname(const unsigned long args[6])
{
    static const struct linux_utsname name = {
        .sysname = "Shoal",
        .nodename = "shoal",
        .release = "0.1.0",
        .version = "named shared regions",
        .machine = "x86_64",
        .domainname = "(none)",
    };
    return copy_to_user(args[0], &name, sizeof name);
}

/* What this kernel enforces; everything else is unlimited. */
static struct linux_rlimit limit_of(unsigned resource)
{
    switch (resource) {
    case RLIMIT_STACK:
        return (struct linux_rlimit){STACK_MAX_BYTES, STACK_MAX_BYTES};
    case RLIMIT_NOFILE:
        return (struct linux_rlimit){FDS_MAX, FDS_MAX};
    case RLIMIT_CORE:
        return (struct linux_rlimit){0, 0};
    default:
        return (struct linux_rlimit){RLIM_INFINITY, RLIM_INFINITY};
    }
}

/* prlimit64(pid, resource, new, old) of the caller.  Limits cannot be changed: -EPERM for anything
 * else than what is. */
long sys_prlimit64(const unsigned long args[6])
{
    unsigned resource = (unsigned)args[1];
    if (resource >= RLIMITS)
        return -EINVAL;
    if (args[0] != 0 && (int)args[0] != process_current()->pid)
        return -ESRCH;
    struct linux_rlimit now = limit_of(resource), want = now;
    if (args[2] && copy_from_user(&want, args[2], sizeof want))
        return -EFAULT;
    if (want.cur > want.max)
        return -EINVAL;
    if (want.cur != now.cur || want.max != now.max)
        return -EPERM;
    return args[3] ? copy_to_user(args[3], &now, sizeof now) : 0;
}

long sys_getrlimit(const unsigned long args[6])
{
    if (args[0] >= RLIMITS)
        return -EINVAL;
    struct linux_rlimit now = limit_of((unsigned)args[0]);
    return copy_to_user(args[1], &now, sizeof now);
}

/* sysinfo(2): struct sysinfo of the 64-bit ABI. */
struct linux_sysinfo {
    int64_t uptime_s;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
};

static void count_process(struct process *proc, void *arg)
{
    ++*(uint16_t *)arg;
}

long sys_sysinfo(const unsigned long args[6])
{
    struct linux_sysinfo info;
    memset(&info, 0, sizeof info);
    info.uptime_s = (int64_t)(arch_time_ns() / NS_PER_S);
    info.totalram = pmem_total_pages() * PAGE_BYTES;
    info.freeram = pmem_free_pages() * PAGE_BYTES;
    info.mem_unit = 1;
    process_for_each(count_process, &info.procs);
    return copy_to_user(args[0], &info, sizeof info);
}

/* getcpu(unsigned *cpu, unsigned *node) */
long sys_getcpu(const unsigned long args[6])
{
    bool irq = irq_save();
    unsigned cpu = arch_cpu_id(), node = 0;
    irq_restore(irq);
    if (args[0] && copy_to_user(args[0], &cpu, sizeof cpu))
        return -EFAULT;
    return args[1] ? copy_to_user(args[1], &node, sizeof node) : 0;
}

/* getrandom(buf, size, flags): never blocks, and is not for secrets (kernel/fs/README.md).  The
 * first 256 bytes come whatever signal does; after each further 256 one ends the call. */
long sys_getrandom(const unsigned long args[6])
{
    size_t size = MIN(args[1], (size_t)INT32_MAX), done = 0;
    if (args[2] & ~7ul)
        return -EINVAL;
    while (done < size && !(done && thread_interrupted(SLEEP_INTERRUPTIBLE))) {
        char piece[256];
        size_t n = MIN(size - done, sizeof piece);
        random_fill(piece, n);
        if (copy_to_user(args[0] + done, piece, n))
            return done ? (long)done : -EFAULT;
        done += n;
    }
    return (long)done;
}
