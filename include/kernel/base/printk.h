/* The kernel's voice on the console. */
#pragma once

#include <lib/util.h>

/* Formats as lib/fmt.h and writes whole calls, unmixed.  Any context except while holding the
 * console lock. */
void printk(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Writes a user program's bytes to the console, unmixed with printk.  '\n' becomes "\r\n" in both.
 */
void console_write(const char *s, size_t n);
