/* Boot options: "name=value" words of the kernel command line, and what follows "--" for init.
 * Words are separated by spaces; "..." keeps spaces, and \ keeps the next byte. */
#pragma once

#include <lib/util.h>

#define CMDLINE_BYTES    4096
#define CMDLINE_ARGS_MAX 64

/* Splits a copy of `line`.  A line or argument list that is too long is cut, with a line on the
 * console. */
void cmdline_init(const char *line);

/* Value of option `name` ("" for a bare word), or NULL. */
const char *cmdline_get(const char *name);

/* True when `name` is given as a comma-separated list that holds `word`: trace=syscall,fault. */
bool cmdline_has(const char *name, const char *word);
unsigned long cmdline_u64(const char *name, unsigned long default_value);

/* Arguments after "--"; argv is NULL-terminated and constant after boot. */
unsigned cmdline_init_args(const char *const **argv);
