/* What the libraries of the two xv6s have in common. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

/* struct stat of the one or the other: xv6_stat in the library, stat in a program. */
#define XV6_STAT                              xv6_stat
#define XV6_CALL(type, name, args, attribute) type xv6_##name args attribute;
struct xv6_stat;
#include "xv6_calls.h"

/* How long a tick of sleep() and uptime() is. */
extern const uint64_t xv6_tick_ns;

/* Linux's struct stat as the course's. */
void xv6_convert_stat(const struct stat *st, struct xv6_stat *out);

/* xv6_stat.type: a directory, a file, a device. */
static inline short xv6_file_type(mode_t mode)
{
    return S_ISDIR(mode) ? 1 : S_ISREG(mode) ? 2 : 3;
}
