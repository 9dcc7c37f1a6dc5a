/* Small helpers that every layer uses.  No state, no locks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* `to` is a power of two.  ALIGN_UP wraps to 0 on overflow: check with ALIGN_UP_OVERFLOWS. */
#define ALIGN_DOWN(x, to)         ((x) & ~((__typeof__(x))(to)-1))
#define ALIGN_UP(x, to)           ALIGN_DOWN((x) + ((__typeof__(x))(to)-1), to)
#define ALIGN_UP_OVERFLOWS(x, to) (ALIGN_UP(x, to) < (x))
#define IS_ALIGNED(x, to)         (((x) & ((__typeof__(x))(to)-1)) == 0)

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
