/* The named-region calls, one system call each. */
#include <abi/shoal.h>
#include <shoal/region.h>
#include <shoal/syscall.h>

static err_t region_call(long nr, const void *name, long b, long c)
{
    return (err_t)shoal_syscall(nr, (long)name, b, c, 0);
}

err_t createSharedRegion(const char *name, size_t size_bytes, unsigned flags)
{
    return region_call(SHOAL_SYS_createSharedRegion, name, (long)size_bytes, (long)flags);
}

err_t destroySharedRegion(const char *name)
{
    return region_call(SHOAL_SYS_destroySharedRegion, name, 0, 0);
}

err_t createMapping(const char *name, void **region_beg)
{
    return region_call(SHOAL_SYS_createMapping, name, (long)region_beg, 0);
}

err_t destroyMapping(const char *name, void *addr)
{
    return region_call(SHOAL_SYS_destroyMapping, name, (long)addr, 0);
}

err_t lockRegion(const char *name)
{
    return region_call(SHOAL_SYS_lockRegion, name, 0, 0);
}

err_t unlockRegion(const char *name)
{
    return region_call(SHOAL_SYS_unlockRegion, name, 0, 0);
}

err_t tryLockRegion(const char *name)
{
    return region_call(SHOAL_SYS_tryLockRegion, name, 0, 0);
}
