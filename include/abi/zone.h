/* Zones and Shrimpy's pages, as user programs see them (regions.md Z1, Z2, S1).  Shared with the
 * kernel. */
#pragma once

/* shmem() flags. */
#define M_CREATE 1
#define M_WAIT   2
#define M_RDONLY 4

#define ZONE_IDS       64
#define ZONE_PAGES_MAX 256
#define ZONES_MAX      16 /* a process */
#define SHMBASE        0x100000000000ul
#define SHMTOP         (SHMBASE + (unsigned long)ZONES_MAX * ZONE_PAGES_MAX * 4096)

/* Below the two pages at the top of user space that xv6-riscv calls trampoline and trap frame. */
#define SHRIMPY_TOP 0x00007fffffffe000ul
#define FRY         (SHRIMPY_TOP - 3 * 4096)
#define SHRIMP      (SHRIMPY_TOP - 4 * 4096)
