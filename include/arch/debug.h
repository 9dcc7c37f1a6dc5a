/* What a panic needs from the machine. */
#pragma once

#include <lib/util.h>

/* Return addresses of the calls that lead to frame pointer `fp` (0: of the caller), innermost
 * first.  Reads only kernel memory it has checked.  Returns how many. */
size_t arch_backtrace(uintptr_t fp, uintptr_t *pcs, size_t max);

/* Prints the registers of this CPU's innermost trap, if any, and returns its frame pointer and pc.
 */
bool arch_trap_print(void (*print)(const char *fmt, ...), uintptr_t *fp, uintptr_t *pc);
