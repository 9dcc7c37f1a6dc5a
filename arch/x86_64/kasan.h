/* The kernel under the address sanitizer (KERNEL_KASAN): where its shadow is.
 *
 * Each 8 bytes of memory have a byte of shadow: 0, all can be accessed; 1 to 7, only that many of
 * them; anything else, none, and the value says why.  There is shadow for the RAM in the direct
 * map, for the kernel image, and for the view for stacks, whose shadow is that of the same RAM in
 * the direct map once more.  Other addresses (user memory, device registers) are not checked. */
#pragma once

#include "layout.h"
#include <arch/mmu.h>

/* The compiler has the same number (tools/cmake/ShoalKernel.cmake): it writes the shadow of stacks
 * itself. */
#define KASAN_SHADOW_OFFSET 0xdffffc0000000000ul
#define KASAN_GRANULE       8ul

static inline int8_t *kasan_shadow(uintptr_t addr)
{
    return (int8_t *)(addr / KASAN_GRANULE + KASAN_SHADOW_OFFSET);
}

/* What a byte of shadow can be, besides how many bytes are accessible. */
enum {
    KASAN_POISONED = 0xfb, /* by arch_poison() */
    /* The compiler's: */
    KASAN_STACK_LEFT = 0xf1,
    KASAN_STACK_MID = 0xf2,
    KASAN_STACK_RIGHT = 0xf3,
    KASAN_STACK_SCOPE = 0xf8,
    KASAN_GLOBAL = 0xf9, /* ours, for the compiler's redzones */
};

#if KERNEL_KASAN

/* The image's shadow under the boot map.  First of all: the compiler's code writes to it. */
void kasan_early(void);

/* The shadow in the kernel's own map.  Between boot_page_alloc()s. */
void kasan_map(const struct bootinfo *info);

/* From here, accesses are checked. */
void kasan_start(const struct bootinfo *info);

/* Panics when not all of [p, p+n) can be accessed: for accesses that the compiler does not see. */
void kasan_check(const void *p, size_t n, bool write);

/* kasan_report.c: the end.  `bad` is the first byte that cannot be accessed. */
_Noreturn void kasan_report(uintptr_t addr, size_t n, bool write, uintptr_t bad);

#else

static inline void kasan_early(void) {}
static inline void kasan_map(const struct bootinfo *info) {}
static inline void kasan_start(const struct bootinfo *info) {}
static inline void kasan_check(const void *p, size_t n, bool write) {}

#endif
