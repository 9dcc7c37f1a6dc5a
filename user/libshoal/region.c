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

err_t destroySharedRegionWith(const char *name, unsigned how, const struct timespec *rel)
{
    return region_call(SHOAL_SYS_destroySharedRegionWith, name, (long)how, (long)rel);
}

err_t createMapping(const char *name, void **region_beg)
{
    return region_call(SHOAL_SYS_createMapping, name, (long)region_beg, 0);
}

err_t createMappingWith(const char *name, void **region_beg, const struct region_map *how)
{
    return region_call(SHOAL_SYS_createMappingWith, name, (long)region_beg, (long)how);
}

err_t destroyMapping(const char *name, void *addr)
{
    return region_call(SHOAL_SYS_destroyMapping, name, (long)addr, 0);
}

err_t lockRegion(const char *name)
{
    return region_call(SHOAL_SYS_lockRegion, name, 0, 0);
}

err_t lockRegionTimed(const char *name, const struct timespec *rel)
{
    return region_call(SHOAL_SYS_lockRegionTimed, name, (long)rel, 0);
}

err_t unlockRegion(const char *name)
{
    return region_call(SHOAL_SYS_unlockRegion, name, 0, 0);
}

err_t tryLockRegion(const char *name)
{
    return region_call(SHOAL_SYS_tryLockRegion, name, 0, 0);
}

err_t statRegion(const char *name, struct region_stat *out)
{
    return region_call(SHOAL_SYS_statRegion, name, (long)out, 0);
}

err_t chmodRegion(const char *name, unsigned mode)
{
    return region_call(SHOAL_SYS_chmodRegion, name, (long)mode, 0);
}
