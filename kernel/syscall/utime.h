/* Times from user memory, for the calls that take them. */
#pragma once

#include <lib/err.h>

/* A timespec in ns, cut to less than NS_NEVER.  -EFAULT, -EINVAL. */
err_t timespec_from_user(uintptr_t addr, uint64_t *ns);

/* arch_time_ns() in `ns` from now, cut to less than NS_NEVER. */
uint64_t deadline_after(uint64_t ns);

/* A wait of limited length, which ends when it would have ended had nothing interrupted it.  Asked
 * for first thing: 0, or the deadline, when the call is being made again.  The others give the
 * deadline that holds, and keep it if the call may be made again: `err` is returned. */
uint64_t wait_resumed(void);
uint64_t wait_deadline(uint64_t resumed, uint64_t ns);
err_t wait_done(err_t err, uint64_t deadline_ns);
