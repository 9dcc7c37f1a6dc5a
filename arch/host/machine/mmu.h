/* The host's memory: physical memory is one block of the process (the arena), so that the direct
 * map is an addition.  The tables are in it, as on the real machine. */
#pragma once

#include <arch/cpu.h>

#define USER_BEG 0x10000ul
#define USER_END 0x00007fffffffe000ul

/* Where the arena is; set before pmem_init(). */
extern char *host_arena;

static inline void *arch_paddr_to_ptr(paddr_t paddr)
{
    return host_arena + paddr;
}

static inline paddr_t arch_ptr_to_paddr(const void *p)
{
    return (paddr_t)((uintptr_t)p - (uintptr_t)host_arena);
}

#include <machine/pte.h>
