/* Shoal's own calls: named shared regions (regions.md). */
#include <arch/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

/* A2: the name is copied in once, before any lock. */
struct region_call {
    struct shm_caller who;
    char name[RS_NAME_MAX + 1];
};

static err_t begin(struct region_call *call, uintptr_t name)
{
    struct uthread *ut = uthread_current();
    call->who =
        (struct shm_caller){.as = ut->proc->as, .process = &ut->proc->shm, .thread = &ut->shm};
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

/* destroySharedRegion(name) */
long sys_destroySharedRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_destroy(&call.who, call.name);
}

/* createMapping(name, void **region_beg) */
long sys_createMapping(const unsigned long args[6])
{
    struct region_call call;
    uintptr_t addr;
    err_t err = begin(&call, args[0]);
    if (!err)
        err = shm_map(&call.who, call.name, &addr);
    if (!err && copy_to_user(args[1], &addr, sizeof addr)) {
        (void)shm_unmap(&call.who, call.name,
                        addr); /* nobody has been told of it: it can only succeed */
        err = -EFAULT;
    }
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
    return err ? err : shm_lock(&call.who, call.name, true);
}

long sys_tryLockRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_lock(&call.who, call.name, false);
}

long sys_unlockRegion(const unsigned long args[6])
{
    struct region_call call;
    err_t err = begin(&call, args[0]);
    return err ? err : shm_unlock(&call.who, call.name);
}

long sys_failNth(const unsigned long args[6])
{
    if (process_cred()->euid != 0)
        return -EPERM;
    struct failpoint *fp = &thread_current()->failpoint;
    unsigned left = fp->countdown;
    fp->countdown = (unsigned)args[0];
    return (long)left;
}
