/* The kernel's one error space: 0 is success, a failure is a negative errno of the Linux x86-64 ABI
 * (errno(3), uapi/asm-generic/errno.h).  The native calls' ERR_* (abi/region.h) name the same
 * numbers. */
#pragma once

#include <abi/errno.h>
#include <stdbool.h>
#include <stdint.h>

typedef int err_t;

/* The system call layer's result: a value, or a negative errno in [-4095, -1]. */
static inline bool is_error(long result)
{
    return (unsigned long)result >= (unsigned long)-4095L;
}

/* "ENOENT" for 2 and for -2; "E?" when the number has no name.  The string is static. */
const char *err_name(err_t err);
