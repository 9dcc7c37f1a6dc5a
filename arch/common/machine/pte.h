/* Page tables of four levels and their entries, as x86-64 has them (SDM vol. 3, 4.5).  The host
 * machine walks the same tables in software. */
#pragma once

#include <arch/cpu.h>

/* c constant after init   a atomic.  The shootdown protocol over these is in tlb.c. */
struct vpmap {
    uint64_t *root;          /* c  the PML4, in the direct map */
    uint64_t gen;            /* a  counts flushes */
    uint32_t cpus;           /* a  bit per CPU that may have it loaded */
    uint64_t seen[CPUS_MAX]; /* a  by CPU: the gen its TLB is good for; written by that CPU only */
};

/* Bits of an entry (SDM vol. 3, 4.5). */
#define PTE_PRESENT  (1ul << 0)
#define PTE_WRITE    (1ul << 1)
#define PTE_USER     (1ul << 2)
#define PTE_ACCESSED (1ul << 5)
#define PTE_DIRTY    (1ul << 6)
#define PTE_NO_ACCESS                                                                              \
    (1ul << 9) /* ignored by the machine: a page kept under PROT_NONE, PTE_PRESENT clear */
#define PTE_UNCACHED ((1ul << 3) | (1ul << 4)) /* device registers */
#define PTE_LARGE    (1ul << 7)                /* level 2: a 2 MiB page */
#define PTE_NX       (1ul << 63)
#define PTE_PADDR    0x000ffffffffff000ul

typedef uint64_t pte_t;

/* The machine cannot refuse reading alone: an entry allows it unless `prot` is 0, which keeps the
 * frame and allows nothing. */
static inline pte_t pte_make(paddr_t paddr, unsigned prot)
{
    if (prot == 0)
        return paddr | PTE_NO_ACCESS;
    return paddr | PTE_PRESENT | PTE_USER | PTE_ACCESSED | (prot & VP_WRITE ? PTE_WRITE : 0) |
           (prot & VP_EXEC ? 0 : PTE_NX);
}

static inline bool pte_present(pte_t pte)
{
    return pte & (PTE_PRESENT | PTE_NO_ACCESS);
}

static inline paddr_t pte_paddr(pte_t pte)
{
    return pte & PTE_PADDR;
}

static inline unsigned pte_prot(pte_t pte)
{
    if (!(pte & PTE_PRESENT))
        return 0;
    return VP_READ | (pte & PTE_WRITE ? VP_WRITE : 0) | (pte & PTE_NX ? 0 : VP_EXEC);
}

static inline bool pte_dirty(pte_t pte)
{
    return pte & PTE_DIRTY;
}

static inline pte_t pte_load(pte_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* A locked exchange: also the full barrier that vpmap_flush relies on between the change and the
 * generation. */
static inline pte_t pte_swap(pte_t *slot, pte_t new)
{
    return __atomic_exchange_n(slot, new, __ATOMIC_SEQ_CST);
}
