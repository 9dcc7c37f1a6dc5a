/* Zones: numbered memory that processes meet in (Z1, Z2); and Shrimpy's two pages (S1), FRY and
 * SHRIMP, which need no call at all: they are addresses, the same in every process. */
#pragma once

#include <abi/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Maps zone id (0 to ZONE_IDS - 1) and returns its address, at SHMBASE or above; (void *)-1 for any
 * failure.  flags:
 *   M_CREATE  makes the zone, size pages of zeros (1 to ZONE_PAGES_MAX); fails when it is there
 *   M_WAIT    sleeps until somebody makes it (a signal ends the sleep); not with M_CREATE
 *   M_RDONLY  maps it for reading only
 * Without M_CREATE, size 0 is the whole zone; more than it has is a failure.  A zone goes with the
 * last process that has it; munmap, exit and exec let go. */
void *shmem(int id, int flags, int size);

#ifdef __cplusplus
}
#endif
