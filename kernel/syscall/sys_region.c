/* Shoal's own calls: named shared regions (regions.md). */
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

#include "utime.h"

/* A2: the name is copied in once, before any lock. */
struct region_call {
    struct shm_caller who;
    char name[RS_NAME_MAX + 1];
};

static err_t begin(struct region_call *call, uintptr_t name)
{
    call->who = shm_caller_current();
    long n = copy_string_from_user(call->name, name, sizeof call->name);
    if (n == -ENAMETOOLONG)
        return -EINVAL; /* R1: never cut */
    return n < 0 ? (err_t)n : shm_name_check(call->name, (size_t)n);
}

/* createSharedRegion(name, size_bytes, flags) */
long sys_createSharedRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_create(&call.who, call.name, args[1], (unsigned)args[2]);
}

/* After a stop the call is made again, and waits on for the region that it has closed (R5). */
static long destroy(uintptr_t name, unsigned how, uintptr_t timespec)
{
    struct region_call call;
    uint64_t ns, deadline_ns = wait_resumed();
    if (deadline_ns) {
        call.who = shm_caller_current();
        return wait_done(shm_destroy_resume(&call.who, deadline_ns), deadline_ns);
    }
    err_t err = begin(&call, name);
    deadline_ns = NS_NEVER;
    if (!err && timespec) {
        err = timespec_from_user(timespec, &ns);
        deadline_ns = err ? 0 : deadline_after(ns);
    }
    if (!err)
        err = shm_destroy(&call.who, call.name, how, deadline_ns);
    return wait_done(err, deadline_ns);
}

/* destroySharedRegion(name) */
long sys_destroySharedRegion(const unsigned long args[6])
{
    return destroy(args[0], RS_WAIT, 0);
}

/* destroySharedRegionWith(name, how, const struct timespec *rel); NULL is for ever */
long sys_destroySharedRegionWith(const unsigned long args[6])
{
    return destroy(args[0], (unsigned)args[1], args[2]);
}

/* createMapping(name, void **region_beg) */
long sys_createMapping(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_map(&call.who, call.name, &(struct shm_map_how){0}, args[1]);
}

/* The user's struct region_map, checked but for what depends on the region. */
static err_t read_map_how(uintptr_t addr, uint64_t resumed, struct shm_map_how *how)
{
    struct region_map map;
    if (copy_from_user(&map, addr, sizeof map))
        return -EFAULT;
    if (map.reserved || map.timeout_ns < 0 || map.timeout_ns >= (int64_t)NS_PER_S)
        return -EINVAL;
    *how = (struct shm_map_how){
        .flags = map.flags,
        .offset_bytes = map.offset_bytes,
        .length_bytes = map.length_bytes,
        .addr = map.addr,
        .deadline_ns = NS_NEVER,
    };
    if (map.timeout_s >= 0 && (uint64_t)map.timeout_s < NS_NEVER / NS_PER_S - 1)
        how->deadline_ns =
            wait_deadline(resumed, (uint64_t)map.timeout_s * NS_PER_S + (uint64_t)map.timeout_ns);
    return 0;
}

/* createMappingWith(name, void **region_beg, const struct region_map *how) */
long sys_createMappingWith(const unsigned long args[6])
{
    struct region_call call;
    struct shm_map_how how;
    uint64_t resumed = wait_resumed();
    err_t err = begin(&call, args[0]);
    if (!err)
        err = read_map_how(args[2], resumed, &how);
    if (!err)
        err = wait_done(shm_map(&call.who, call.name, &how, args[1]), how.deadline_ns);
    return err;
}

/* destroyMapping(name, addr) */
long sys_destroyMapping(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_unmap(&call.who, call.name, args[1]);
}

long sys_lockRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_lock(&call.who, call.name, NS_NEVER);
}

/* lockRegionTimed(name, const struct timespec *rel) */
long sys_lockRegionTimed(const unsigned long args[6])
{
    struct region_call call;
    uint64_t ns, resumed = wait_resumed();
    err_t err = begin(&call, args[0]);
    if (!err)
        err = timespec_from_user(args[1], &ns);
    if (err)
        return err;
    uint64_t deadline_ns = wait_deadline(resumed, ns);
    return wait_done(shm_lock(&call.who, call.name, deadline_ns), deadline_ns);
}

long sys_tryLockRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_lock(&call.who, call.name, 0);
}

long sys_unlockRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_unlock(&call.who, call.name);
}

/* statRegion(name, struct region_stat *) */
long sys_statRegion(const unsigned long args[6])
{
    struct region_call call;
    struct region_stat stat;
    err_t err = begin(&call, args[0]);
    if (!err)
        err = shm_stat(&call.who, call.name, &stat);
    return err ? err : copy_to_user(args[1], &stat, sizeof stat);
}

/* chmodRegion(name, mode) */
long sys_chmodRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_chmod(&call.who, call.name, (unsigned)args[1]);
}

long sys_failNth(const unsigned long args[6])
{
    if (process_cred()->euid != 0)
        return -EPERM;
    if (args[1] >= FAIL_KINDS)
        return -EINVAL;
    unsigned *countdown = &thread_current()->failpoint.countdown[args[1]];
    unsigned left = *countdown;
    *countdown = (unsigned)args[0];
    return (long)left;
}
