/* Constants and structures of the named-region calls, shared by the kernel and user programs
 * (regions.md). */
#pragma once

#include <stdint.h>

/* A region's name: 1 to RS_NAME_MAX bytes, no NUL, no '/', not "." or ".." (R1). */
#define RS_NAME_MAX 127

/* createSharedRegion flags (R4, A7). */
#define RS_DEFAULT   0u /* lives while its creator lives or anyone has it mapped */
#define RS_PERSIST   1u /* lives until destroyed */
#define RS_NORESERVE 2u /* memory is not promised: a touch that finds none is SIGBUS */

/* destroySharedRegionWith: how (R6). */
#define RS_WAIT   0u /* the name closes at once; the call sleeps until the last mapping has gone */
#define RS_NOWAIT 1u /* mapped by others: ERR_BUSY, nothing changes */
#define RS_UNLINK 2u /* the name is free at once, memory goes with the last mapping */

/* createMappingWith: region_map.flags (R7). */
#define RM_RDONLY   1u  /* may be read only */
#define RM_PRIVATE  2u  /* copy on write */
#define RM_FIXED    4u  /* at region_map.addr; occupied: ERR_EXIST */
#define RM_POPULATE 8u  /* touch every page now */
#define RM_WAIT     16u /* wait until the region exists, at most region_map.timeout */
#define RM_ALL      31u

struct region_map {
    uint32_t flags;
    uint32_t reserved;     /* 0 */
    uint64_t offset_bytes; /* page aligned */
    uint64_t length_bytes; /* 0: to the end of the region */
    uint64_t addr;         /* with RM_FIXED */
    int64_t timeout_s;     /* with RM_WAIT; negative: for ever */
    int64_t timeout_ns;    /* 0 .. 999999999 */
};

struct region_stat {
    uint64_t id; /* never used again for another region (A8) */
    uint64_t size_bytes, resident_bytes;
    uint32_t mappings; /* of all processes */
    uint32_t mode, uid, gid;
    uint32_t flags;          /* RS_PERSIST, RS_NORESERVE */
    uint32_t closing;        /* 1: being destroyed */
    uint32_t creator_pid;    /* 0: it has exited, or the region persists */
    uint32_t lock_owner_tid; /* 0: free */
    uint32_t lock_waiters;
    uint32_t reserved;
};

/* err_t: 0 or a negative errno of the Linux ABI; the names are the field's. */
#define ERR_OK        0
#define ERR_NOTEXIST  (-2)   /* -ENOENT */
#define ERR_INTR      (-4)   /* -EINTR */
#define ERR_NOMEM     (-12)  /* -ENOMEM */
#define ERR_ACCESS    (-13)  /* -EACCES */
#define ERR_FAULT     (-14)  /* -EFAULT */
#define ERR_BUSY      (-16)  /* -EBUSY */
#define ERR_EXIST     (-17)  /* -EEXIST */
#define ERR_INVAL     (-22)  /* -EINVAL */
#define ERR_DEADLOCK  (-35)  /* -EDEADLK */
#define ERR_TIMEOUT   (-110) /* -ETIMEDOUT */
#define ERR_OWNERDEAD (-130) /* -EOWNERDEAD */
