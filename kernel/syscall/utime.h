/* Times from user memory, for the calls that take them. */
#pragma once

#include <lib/err.h>

/* A timespec in ns, cut to less than NS_NEVER.  -EFAULT, -EINVAL. */
err_t timespec_from_user(uintptr_t addr, uint64_t *ns);

/* arch_time_ns() in `ns` from now, cut to less than NS_NEVER. */
uint64_t deadline_after(uint64_t ns);
