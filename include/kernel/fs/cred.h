/* Who asks: the user and groups of a process, and what mode bits allow them. */
#pragma once

#include <lib/util.h>

#define CRED_GROUPS_MAX 32

/* The file system looks at euid, egid and groups; the others are for the process calls. */
struct cred {
    uint32_t uid, euid, suid;
    uint32_t gid, egid, sgid;
    unsigned ngroups;
    uint32_t groups[CRED_GROUPS_MAX];
};

/* uid 0, gid 0, no groups: what the kernel itself uses. */
extern const struct cred cred_root;

#define MAY_EXEC  1u /* of a directory: search */
#define MAY_WRITE 2u
#define MAY_READ  4u

/* Do `mode` (st_mode, with its type) and the owner (uid, gid) of an object allow all of `want`
 * (MAY_*)? uid 0 may do all, but executes a file only if somebody may. */
bool cred_may(const struct cred *cred, uint32_t uid, uint32_t gid, uint32_t mode, unsigned want);
bool cred_in_group(const struct cred *cred, uint32_t gid);
