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
/* 0x5007 .. 0x500b: lockRegionTimed, createMappingWith, destroySharedRegionWith, statRegion,
 * chmodRegion. The numbers are kept for them; until they are there they answer -ENOSYS. */

/* For tests, uid 0 only: long failNth(unsigned n).  Makes the n-th kernel allocation that the
 * calling thread asks for from now on fail, once (n = 0: none).  Returns what was left of the
 * previous count: 0 when the failure was delivered.  The habit is Linux's /proc/self/fail-nth
 * (Documentation/fault-injection). */
#define SHOAL_SYS_failNth 0x50f0
