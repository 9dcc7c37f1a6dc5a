/* Named shared memory regions.
 *
 * A region is memory with a name.  One process creates it, every process that knows the name may
 * map it, and all of them see the same pages.  Pages are zero when first touched (A1).  Each call
 * returns ERR_OK (0) or one of the negative ERR_* values of <abi/region.h>; errno is never changed.
 * A call that fails changes nothing (A3).
 *
 * A name is 1 to RS_NAME_MAX bytes, exact, with no '/', and neither "." nor ".." (R1).  Every call
 * answers ERR_INVAL for any other name and ERR_FAULT when the name cannot be read (A2).  The R and
 * A numbers are the rules of the service. */
#pragma once

#include <stddef.h>
#include <time.h>

#include <abi/region.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int err_t;

/* Makes a region of size_bytes, rounded up to whole pages.  It is not mapped yet.
 * flags: RS_DEFAULT, the region lives while its creator lives or anyone has it mapped; RS_PERSIST,
 * it lives until it is destroyed (R4).  The memory is promised here, so that touching it later
 * cannot fail; RS_NORESERVE gives that up, and a touch that finds no memory is SIGBUS (A7).
 *   ERR_EXIST  the name is in use, or its region is still being destroyed (R3)
 *   ERR_INVAL  size_bytes is 0 or too large to round up (R2), or an unknown flag
 *   ERR_NOMEM  not enough memory to promise, or past a limit of the user (A7) */
err_t createSharedRegion(const char *name, size_t size_bytes, unsigned flags);

/* Ends a region.  The name closes at once to createMapping; when others have the region mapped, the
 * call sleeps until the last mapping goes (R5).  When a signal ends the caller, the name stays
 * closed and the last to unmap frees the region.
 *   ERR_NOTEXIST  no such region, or it is already being destroyed (R5)
 *   ERR_INVAL     the caller has it mapped (R5)
 *   ERR_ACCESS    it belongs to another user (A9)
 *   ERR_INTR      a signal came first; the name stays closed */
err_t destroySharedRegion(const char *name);

/* Ends a region in another way (R6):
 *   RS_WAIT    as destroySharedRegion; with a rel, waits no longer than that: ERR_TIMEOUT, and the
 *              name stays closed
 *   RS_NOWAIT  mapped by others: ERR_BUSY, and nothing changes
 *   RS_UNLINK  the name is free for reuse at once, the memory goes with the last mapping
 * rel may be NULL: for ever. */
err_t destroySharedRegionWith(const char *name, unsigned how, const struct timespec *rel);

/* Maps the whole region, readable, writable and shared, where the kernel chooses, and stores the
 * address in *region_beg.  A process may map a region many times; each mapping counts (R7).
 *   ERR_NOTEXIST  no such region, or it is being destroyed (R5, R7)
 *   ERR_FAULT     *region_beg cannot be written
 *   ERR_ACCESS    the caller lacks the right to read and write it (A9)
 *   ERR_NOMEM     no room in the address space, or no memory for the bookkeeping */
err_t createMapping(const char *name, void **region_beg);

/* Maps as *how asks (R7); an all-zero *how is createMapping.  how->flags is any of
 *   RM_RDONLY    may only be read: a write is SIGSEGV; reading is all the right it needs
 *   RM_PRIVATE   copy on write: what the caller writes nobody else sees
 *   RM_FIXED     at how->addr; ERR_EXIST when any of that is taken, never overwritten
 *   RM_POPULATE  every page is there on return
 *   RM_WAIT      waits until the region exists: at most timeout_s and timeout_ns (ERR_TIMEOUT), a
 *                negative timeout_s for ever (ERR_INTR when a signal comes)
 * offset_bytes (page aligned) and length_bytes (0: to the end) choose a part.
 *   ERR_INVAL  an unknown flag, or a part that is not inside the region */
err_t createMappingWith(const char *name, void **region_beg, const struct region_map *how);

/* Undoes one mapping of the region: the one that holds addr, which may be any address in it.  After
 * the return no CPU reaches the region through it (R8, A6).
 *   ERR_NOTEXIST  addr lies in no mapping of that region */
err_t destroyMapping(const char *name, void *addr);

/* Takes the region's lock, which a thread holds until it unlocks, dies, execs or unmaps its last
 * mapping.  Sleeps while another holds it; waiters get it in the order they came (R9).
 *   ERR_NOTEXIST   the caller does not have the region mapped, or it was destroyed meanwhile (R9)
 *   ERR_DEADLOCK   the caller holds it already (R9)
 *   ERR_OWNERDEAD  the caller HOLDS the lock now, but its last holder went without unlocking: what
 *                  it was writing may be half done (R10)
 *   ERR_INTR       a signal came first; the lock is not held */
err_t lockRegion(const char *name);

/* As lockRegion, but waits no longer than rel: ERR_TIMEOUT, and the lock is not held (R9). */
err_t lockRegionTimed(const char *name, const struct timespec *rel);

/* Takes the lock if that needs no waiting.  As lockRegion, and
 *   ERR_BUSY  another holds it (R9) */
err_t tryLockRegion(const char *name);

/* Gives the lock to the first waiter, or frees it.  A region that has lost its name since it was
 * locked (RS_UNLINK) is unlocked by the name it was made with.
 *   ERR_NOTEXIST  the caller does not have the region mapped (R9)
 *   ERR_INVAL     the caller does not hold the lock (R9) */
err_t unlockRegion(const char *name);

/* Tells what the kernel knows about a region (A10).  A region that is being destroyed is still
 * there, with closing = 1.
 *   ERR_NOTEXIST  no such region
 *   ERR_ACCESS    the caller may not read it (A9) */
err_t statRegion(const char *name, struct region_stat *out);

/* Sets the permission bits (0 to 0777) that later opens and mappings are judged by (A9).
 *   ERR_NOTEXIST  no such region
 *   ERR_ACCESS    it belongs to another user
 *   ERR_INVAL     more than permission bits */
err_t chmodRegion(const char *name, unsigned mode);

/* "ERR_NOTEXIST" and so on; "ERR_?" for a value that is none of ERR_*. */
const char *shoal_errname(err_t err);

#ifdef __cplusplus
}
#endif
