/* x86-64: page tables and the direct map.  Contract: arch/mmu.h. */
#pragma once

#include <arch/cpu.h>

/* The last pages below the non-canonical hole are never mapped: a SYSCALL instruction at the very
 * end of the lower half would make SYSRET fault in kernel mode with the user's stack (SDM vol. 2B,
 * SYSRET). */
#define USER_BEG 0x10000ul
#define USER_END 0x00007fffffffe000ul

#define ARCH_DIRECT_BASE 0xffff800000000000ul

static inline void *arch_paddr_to_ptr(paddr_t paddr)
{
    return (void *)(ARCH_DIRECT_BASE + paddr);
}

static inline paddr_t arch_ptr_to_paddr(const void *ptr)
{
    return (uintptr_t)ptr - ARCH_DIRECT_BASE;
}

#include <machine/pte.h>
