/* How deep kernel stacks get, in debug builds: a stack is filled before its use, and what is not
 * the fill afterwards was used. */
#pragma once

#include <lib/util.h>

/* Before the use of a stack of `bytes`. */
void stack_depth_start(void *stack_beg, size_t bytes);

/* After it: panics when it came too close to the end.  `name` is of the thread, for people. */
void stack_depth_end(const void *stack_beg, size_t bytes, const char *name);

/* One line about the deepest stack so far; nothing before the first. */
void stack_depth_print(void);
