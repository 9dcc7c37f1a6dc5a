/* Shoal's own system calls: numbers from 0x5000 up, called like Linux's (number in rax; arguments
 * in rdi, rsi, rdx, r10; result in rax: 0 or more, or a negative errno).  Shared by the kernel and
 * user programs. */
#pragma once

#define SHOAL_SYS_BASE                0x5000
#define SHOAL_SYS_createSharedRegion  0x5000
#define SHOAL_SYS_destroySharedRegion 0x5001
#define SHOAL_SYS_createMapping       0x5002
#define SHOAL_SYS_destroyMapping      0x5003
#define SHOAL_SYS_lockRegion          0x5004
#define SHOAL_SYS_unlockRegion        0x5005
#define SHOAL_SYS_tryLockRegion       0x5006
#define SHOAL_SYS_lockRegionTimed     0x5007 /* (name, const struct timespec *) */
#define SHOAL_SYS_createMappingWith   0x5008 /* (name, void **, const struct region_map *) */
/* (name, how, const struct timespec * or NULL) */
#define SHOAL_SYS_destroySharedRegionWith 0x5009
#define SHOAL_SYS_statRegion              0x500a /* (name, struct region_stat *) */
#define SHOAL_SYS_chmodRegion             0x500b /* (name, mode) */

/* xv6 pages and zones.  Addresses are results; any failure is a negative errno, which the libraries
 * turn into -1. */
#define SHOAL_SYS_shm_open  0x5010 /* (id): the page's address */
#define SHOAL_SYS_shm_close 0x5011 /* (id) */
#define SHOAL_SYS_shmem     0x5012 /* (id, flags, size in pages): the zone's address */

/* For tests, uid 0 only: long failNth(unsigned n, unsigned kind).  Makes the n-th use that the
 * calling thread makes from now on fail, once (n = 0: none).  Each kind is counted by itself.
 * Returns what was left of the previous count: 0 when the failure was delivered; -EINVAL: no such
 * kind.  The habit is Linux's /proc/self/fail-nth (Documentation/fault-injection). */
#define SHOAL_SYS_failNth 0x50f0
#define FAIL_ALLOC        0 /* kernel memory: frames, objects, bytes, promises */
#define FAIL_SLEEP        1 /* a sleep that a signal could end, and a look for one: ended by it */
#define FAIL_TIMEOUT      2 /* a sleep with a time limit: it is reached */
#define FAIL_KINDS        3
