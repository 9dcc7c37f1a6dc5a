/* The host: whoever brings the machine says how accesses are watched.  Contract: arch/poison.h. */
#pragma once

#include <lib/util.h>

#define ARCH_REDZONE_BYTES ((size_t)32)

void arch_poison(const void *p, size_t n);
void arch_unpoison(const void *p, size_t n);
