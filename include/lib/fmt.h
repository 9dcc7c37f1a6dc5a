/* printf-style formatting without state: %d %i %u %x %X %o %c %s %p %% with the flags - 0 + space
 * #, width and precision (also *), and the lengths hh h l ll z j t.  No floating point, no %n. */
#pragma once

#include <lib/util.h>
#include <stdarg.h>

/* Called with pieces of output, in order. */
typedef void (*fmt_sink)(void *arg, const char *s, size_t n);

/* Returns the number of bytes given to the sink. */
size_t fmt_write(fmt_sink sink, void *arg, const char *fmt, va_list ap);

/* snprintf(3): writes at most size-1 bytes and a NUL (when size > 0); returns the length the whole
 * would have. */
size_t fmt_snprint(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t fmt_vsnprint(char *buf, size_t size, const char *fmt, va_list ap);
