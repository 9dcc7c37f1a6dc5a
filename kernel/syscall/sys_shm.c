/* Shoal's own calls: xv6 pages and zones (regions.md; numbers and results in abi/shoal.h). */
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

/* shm_open(id): the page's address */
long sys_shm_open(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    uintptr_t addr;
    err_t err = shm_xv6_open(&who, (int)args[0], &addr);
    return err ? err : (long)addr;
}

/* shm_close(id) */
long sys_shm_close(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    return shm_xv6_close(&who, (int)args[0]);
}

/* shmem(id, flags, size in pages): the zone's address */
long sys_shmem(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    uintptr_t addr;
    err_t err = shm_zone_get(&who, (int)args[0], (unsigned)args[1], (int)args[2], &addr);
    return err ? err : (long)addr;
}
