/* Names of kernel functions, for backtraces.  The table is linked in by the build's second link. */
#pragma once

#include <lib/util.h>

/* The function that holds `pc`, and the offset in it; NULL when unknown. */
const char *symtab_lookup(uintptr_t pc, uintptr_t *offset);

/* Prints "    #0 0xffffffff80201234 page_alloc+0x12". */
void symtab_print_pc(unsigned frame, uintptr_t pc);
void symtab_print_backtrace(uintptr_t fp);
/* Return addresses, innermost first, one a line. */
void symtab_print_calls(const uintptr_t *pcs, size_t n);
