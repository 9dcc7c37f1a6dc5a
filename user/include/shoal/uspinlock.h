/* A lock that is one word in memory: for data in a page that processes share, where the kernel need
 * not know (U1).  All zero is free, so a fresh page holds free locks.  It has no owner: when a
 * holder dies, it stays taken; the region lock (shoal/region.h) is for those who must survive that.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

struct uspinlock {
    unsigned locked; /* 1: taken */
};

/* Takes the lock; gives the CPU away now and then while another has it. */
void uacquire(struct uspinlock *lock);

/* Frees it.  Who frees a lock that is not his frees it all the same. */
void urelease(struct uspinlock *lock);

#ifdef __cplusplus
}
#endif
