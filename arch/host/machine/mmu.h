/* Page tables of the host: a sparse array of entries that no hardware reads.  Physical memory is
 * one block of the process (the arena), so that "direct map" is an addition. */
#pragma once

#include <lib/radix.h>

#define USER_BEG ((uintptr_t)0x1000)
#define USER_END ((uintptr_t)0x7fffffffe000)

/* Page number -> leaf entry; filled by whoever brings the vpmap functions for the host. */
struct vpmap {
    struct radix tables;
};

/* 0 is absent; otherwise bits 12.. are the frame, then these. */
typedef uint64_t pte_t;

#define HOST_PTE_PRESENT    1u
#define HOST_PTE_PROT_SHIFT 1
#define HOST_PTE_PROT       (7u << HOST_PTE_PROT_SHIFT)
#define HOST_PTE_DIRTY      16u
#define HOST_PTE_FLAGS      ((pte_t)4095)

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

static inline pte_t pte_make(paddr_t paddr, unsigned prot)
{
    return paddr | (pte_t)prot << HOST_PTE_PROT_SHIFT | HOST_PTE_PRESENT;
}

static inline bool pte_present(pte_t pte)
{
    return pte & HOST_PTE_PRESENT;
}

static inline paddr_t pte_paddr(pte_t pte)
{
    return pte & ~HOST_PTE_FLAGS;
}

static inline unsigned pte_prot(pte_t pte)
{
    return (pte & HOST_PTE_PROT) >> HOST_PTE_PROT_SHIFT;
}

static inline bool pte_dirty(pte_t pte)
{
    return pte & HOST_PTE_DIRTY;
}

static inline pte_t pte_load(pte_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static inline pte_t pte_swap(pte_t *slot, pte_t new)
{
    return __atomic_exchange_n(slot, new, __ATOMIC_ACQ_REL);
}
