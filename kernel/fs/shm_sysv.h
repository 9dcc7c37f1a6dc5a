/* Inside of the System V door: shm_sysv_ids.c has the ids, shm_sysv.c what maps, shm_sysv_ctl.c
 * what looks and changes. */
#pragma once

#include "shmms.h"

#include <abi/sysv.h>

/* Limits (shmget(2)): ids at once, and Linux's for bytes of one segment and pages of all. */
#define SYSV_IDS_MAX      4096
#define SEGMENT_BYTES_MAX (UINT64_MAX - ((uint64_t)1 << 24))
#define ALL_PAGES_MAX     (UINT64_MAX - ((uint64_t)1 << 24))

/* A shmid: the generation above the index (A8). */
#define ID_INDEX_BITS 15

/* ---- shm_sysv_ids.c */

/* Is there room for one more segment of so many pages?  T held. */
bool sysv_has_room(size_t npages) REQUIRES(ctable_lock);

/* Gives a new segment its id, when there is room; takes over a use of it.  T held. */
int sysv_enter(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* The segment of an id.  -EINVAL: none; -EIDRM: its place has a newer one.  T held. */
err_t sysv_find(int id, struct smemcontext **out) REQUIRES(ctable_lock);

/* The segment in this place of the table, or NULL.  T held. */
struct smemcontext *sysv_at(unsigned index) REQUIRES(ctable_lock);

/* The highest place in use; 0 when none is.  T held. */
unsigned sysv_top_index(void) REQUIRES(ctable_lock);

/* Pages of all segments.  T held. */
uint64_t sysv_total_pages(void) REQUIRES(ctable_lock);

/* IPC_RMID: the key is free at once, the memory goes with the last detach.  Again: nothing.  T
 * held.  True: the caller then drops the use that the id had (context_drop), without T. */
bool sysv_remove(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* ---- shm_sysv.c */

/* Do owner, creator and mode allow `want` (MAY_*), as for all System V objects (sysvipc(7))?  T
 * held. */
bool sysv_may(const struct smemcontext *ctx, const struct cred *cred, unsigned want)
    REQUIRES(ctable_lock);
