/* x86-64: the KASAN kernel watches (kasan.h), no other.  Contract: arch/poison.h. */
#pragma once

#include <lib/util.h>

#if KERNEL_KASAN

#define ARCH_REDZONE_BYTES ((size_t)32)

void arch_poison(const void *p, size_t n);
void arch_unpoison(const void *p, size_t n);

#else

#define ARCH_REDZONE_BYTES ((size_t)0)

static inline void arch_poison(const void *p, size_t n) {}

static inline void arch_unpoison(const void *p, size_t n) {}

#endif
