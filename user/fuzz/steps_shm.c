/* Steps through every door to shared memory.  What they make, the hostile calls meet. */
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <abi/region.h>
#include <abi/zone.h>

#include "fuzz.h"

#define SYSV_ID_MAX 64 /* ids of young segments are small */

void step_region(struct fuzz *f)
{
    long name = (long)name_of_region(f);
    uintptr_t *beg = scratch_take(f, sizeof(*beg));
    size_t bytes = (1 + random_below(f, 24)) * PAGE_BYTES;

    *beg = 0;
    if (one_in(f, 3) &&
        CALL(f, SHOAL_SYS_createSharedRegion, name, (long)bytes, (long)random_below(f, 4)) == 0)
        CALL(f, SHOAL_SYS_chmodRegion, name, one_in(f, 4) ? 0644 : 0666); /* for other users */
    if (CALL(f, SHOAL_SYS_createMapping, name, (long)beg) != 0)
        return;
    area_add(f, (long)*beg, bytes);
    touch_area(f, &(struct area){*beg, bytes});
    if (one_in(f, 3))
        CALL(f, SHOAL_SYS_destroyMapping, name, (long)*beg);
}

/* Locks, writes and unlocks, or forgets to. */
void step_region_lock(struct fuzz *f)
{
    static const long ways[] = {SHOAL_SYS_lockRegion, SHOAL_SYS_tryLockRegion,
                                SHOAL_SYS_lockRegionTimed, SHOAL_SYS_lockRegionTimed};
    long name = (long)name_of_region(f);
    long got = CALL(f, ways[random_below(f, 4)], name, (long)short_time(f));

    if (got != 0 && got != ERR_OWNERDEAD)
        return;
    touch_area(f, area_pick(f));
    if (!one_in(f, 5))
        CALL(f, SHOAL_SYS_unlockRegion, name);
}

void step_region_end(struct fuzz *f)
{
    long name = (long)name_of_region(f);

    switch (random_below(f, 4)) {
    case 0:
        CALL(f, SHOAL_SYS_destroySharedRegion, name);
        break;
    case 1:
        CALL(f, SHOAL_SYS_destroySharedRegionWith, name, (long)random_below(f, 4),
             one_in(f, 2) ? 0 : (long)short_time(f));
        break;
    case 2:
        CALL(f, SHOAL_SYS_chmodRegion, name, 0666);
        break;
    default:
        CALL(f, SHOAL_SYS_statRegion, name, arg_make(f, 'P'));
    }
}

void step_sysv(struct fuzz *f)
{
    long key = one_in(f, 8) ? IPC_PRIVATE : FUZZ_KEY + (long)random_below(f, FUZZ_KEYS);
    size_t bytes = 1 + random_below(f, 20 * PAGE_BYTES);
    long id = CALL(f, SYS_shmget, key, (long)bytes, IPC_CREAT | 0666), at;

    if (id < 0)
        id = CALL(f, SYS_shmget, key, 0, 0);
    at = CALL(f, SYS_shmat, id, 0, one_in(f, 6) ? SHM_RDONLY : 0);
    if (at > 0) {
        touch_area(f, &(struct area){(uintptr_t)at, bytes});
        if (one_in(f, 2))
            CALL(f, SYS_shmdt, at);
        else
            area_add(f, at, (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1));
    }
    if (key == IPC_PRIVATE || one_in(f, 4))
        CALL(f, SYS_shmctl, id, IPC_RMID, 0);
    else if (one_in(f, 4))
        CALL(f, SYS_shmctl, (long)random_below(f, SYSV_ID_MAX), (long)random_below(f, 16),
             arg_make(f, 'P'));
}

/* xv6 pages, zones, and Shrimpy's pages. */
void step_numbered(struct fuzz *f)
{
    long id = (long)random_below(f, FUZZ_KEYS), at;

    switch (random_below(f, 5)) {
    case 0:
        at = CALL(f, SHOAL_SYS_shm_open, id);
        if (at > 0)
            touch(f, (uintptr_t)at, true);
        break;
    case 1:
        CALL(f, SHOAL_SYS_shm_close, id);
        break;
    case 2:
    case 3:
        at = CALL(f, SHOAL_SYS_shmem, id, one_in(f, 2) ? M_CREATE : (long)random_below(f, 8),
                  (long)random_below(f, 5));
        if (at > 0)
            area_add(f, at, PAGE_BYTES);
        break;
    default:
        touch(f, one_in(f, 2) ? FRY : SHRIMP, one_in(f, 2));
    }
}

/* A file of shared memory: named, or without a name, or anonymous from the start. */
void step_shm_file(struct fuzz *f)
{
    size_t bytes = random_below(f, 20) * PAGE_BYTES + (one_in(f, 4) ? 100 : 0);
    long prot = PROT_READ | (one_in(f, 4) ? 0 : PROT_WRITE), fd = -1, at;
    long flags = one_in(f, 4) ? MAP_PRIVATE : MAP_SHARED;
    static const char *const names[] = {"/dev/shm/fz0", "/dev/shm/fz1", "/dev/shm/fz2"};

    if (one_in(f, 3))
        fd = CALL(f, SYS_memfd_create, (long)"fuzz", 0);
    else if (one_in(f, 3))
        flags |= MAP_ANONYMOUS | (one_in(f, 2) ? MAP_NORESERVE : 0);
    else
        fd = CALL(f, SYS_open, (long)names[random_below(f, 3)], O_CREAT | O_RDWR, 0666);
    if (fd >= 0)
        CALL(f, SYS_ftruncate, fd, (long)bytes);
    at = CALL(f, SYS_mmap, 0, (long)bytes, prot, flags | (one_in(f, 8) ? MAP_POPULATE : 0), fd, 0);
    if (at > 0) {
        area_add(f, at, bytes);
        touch_area(f, &(struct area){(uintptr_t)at, bytes});
    }
    if (fd >= 0 && one_in(f, 3))
        CALL(f, SYS_ftruncate, fd, (long)random_below(f, 8) * (long)PAGE_BYTES);
    if (at > 0)
        touch_area(f, &(struct area){(uintptr_t)at, bytes});
    if (fd >= 0 && !one_in(f, 4))
        CALL(f, SYS_close, fd);
}
