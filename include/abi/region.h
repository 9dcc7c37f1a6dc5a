/* Constants of the named-region calls, shared by the kernel and user programs (regions.md, "Named
 * regions"). */
#pragma once

/* A region's name: 1 to RS_NAME_MAX bytes, no NUL, no '/', not "." or ".." (R1). */
#define RS_NAME_MAX 127

/* createSharedRegion flags (R4). */
#define RS_DEFAULT 0u /* lives while its creator lives or anyone has it mapped */
#define RS_PERSIST 1u /* lives until destroyed */

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
