/* The memory management unit: a walk of the tables, and for each CPU a TLB that keeps what it has
 * found until it is told to forget it.  It keeps more than a real one, and longer: a flush that is
 * missing is found by the first access that needed it, or when the frame is let go.
 *
 * An entry is taken again from memory before the first write (for the dirty bit).  A refused access
 * leaves it: that a fault drops the entry which caused it (SDM vol. 3, 4.10.4.1) is not counted on.
 */
#include "tlb_hw.h"
#include <kernel/base/panic.h>

#define TLB_ENTRIES 1024u
#define PDE_ENTRIES 64u
#define LEVELS      4
#define TABLE_SPAN  (PAGE_BYTES * 512) /* what one last-level table covers */

struct tlb_entry {
    uintptr_t va; /* 0: empty; user space has no page 0 */
    pte_t pte;
};

/* A last-level table that the CPU remembers. */
struct pde_entry {
    bool valid;
    uintptr_t va;
    pte_t *table;
};

static struct tlb {
    pte_t *root;
    struct tlb_entry entries[TLB_ENTRIES];
    struct pde_entry tables[PDE_ENTRIES];
} tlbs[CPUS_MAX];

static struct tlb *tlb_self(void)
{
    return &tlbs[cpu_self()->id];
}

static struct tlb_entry *entry_of(struct tlb *tlb, uintptr_t page_va)
{
    return &tlb->entries[(page_va >> PAGE_SHIFT) * 2654435761u % TLB_ENTRIES];
}

static struct pde_entry *table_of(struct tlb *tlb, uintptr_t table_va)
{
    return &tlb->tables[table_va / TABLE_SPAN % PDE_ENTRIES];
}

void tlb_load(pte_t *root)
{
    *tlb_self() = (struct tlb){.root = root};
}

void tlb_drop_page(uintptr_t va)
{
    struct tlb *tlb = tlb_self();
    struct tlb_entry *e = entry_of(tlb, ALIGN_DOWN(va, PAGE_BYTES));
    if (e->va == ALIGN_DOWN(va, PAGE_BYTES))
        e->va = 0;
    for (unsigned i = 0; i < PDE_ENTRIES; i++)
        tlb->tables[i].valid = false;
}

/* The last-level table for `va`, or NULL. */
static pte_t *walk(struct tlb *tlb, uintptr_t va)
{
    struct pde_entry *cached = table_of(tlb, ALIGN_DOWN(va, TABLE_SPAN));
    if (cached->valid && cached->va == ALIGN_DOWN(va, TABLE_SPAN))
        return cached->table;
    pte_t *table = tlb->root;
    for (int level = LEVELS; table && level > 1; level--) {
        pte_t entry = pte_load(&table[va >> (PAGE_SHIFT + 9 * (level - 1)) & 511]);
        table = entry & PTE_PRESENT ? arch_paddr_to_ptr(pte_paddr(entry)) : NULL;
    }
    if (table)
        *cached = (struct pde_entry){true, ALIGN_DOWN(va, TABLE_SPAN), table};
    return table;
}

/* Takes the entry from memory, and notes a write in it. */
static pte_t load(struct tlb *tlb, uintptr_t va, unsigned access)
{
    pte_t *table = walk(tlb, va);
    if (!table)
        return 0;
    pte_t *slot = &table[va >> PAGE_SHIFT & 511];
    pte_t pte = pte_load(slot);
    while ((access & VP_WRITE & pte_prot(pte)) && !pte_dirty(pte)) {
        if (__atomic_compare_exchange_n(slot, &pte, pte | PTE_DIRTY, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            pte |= PTE_DIRTY;
    }
    return pte;
}

void *tlb_translate(uintptr_t va, unsigned access)
{
    struct tlb *tlb = tlb_self();
    uintptr_t page_va = ALIGN_DOWN(va, PAGE_BYTES);
    struct tlb_entry *e = entry_of(tlb, page_va);
    bool hit = e->va == page_va;
    if (!hit || ((access & VP_WRITE & pte_prot(e->pte)) && !pte_dirty(e->pte))) {
        pte_t pte = load(tlb, page_va, access);
        *e = (struct tlb_entry){pte & PTE_PRESENT ? page_va : 0, pte};
    }
    if (e->va != page_va || !(pte_prot(e->pte) & access))
        return NULL;
    return (char *)arch_paddr_to_ptr(pte_paddr(e->pte)) + va % PAGE_BYTES;
}

static bool inside(paddr_t at, paddr_t beg, size_t bytes)
{
    return at >= beg && at < beg + bytes;
}

static void check_one(unsigned cpu, paddr_t beg, size_t bytes)
{
    const struct tlb *tlb = &tlbs[cpu];
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        if (tlb->entries[i].va && inside(pte_paddr(tlb->entries[i].pte), beg, bytes))
            panic("frame %#lx is let go, and CPU %u still has it at %#lx", (unsigned long)beg, cpu,
                  tlb->entries[i].va);
    for (unsigned i = 0; i < PDE_ENTRIES; i++)
        if (tlb->tables[i].valid && inside(arch_ptr_to_paddr(tlb->tables[i].table), beg, bytes))
            panic("table %#lx is let go, and CPU %u still walks it for %#lx", (unsigned long)beg,
                  cpu, tlb->tables[i].va);
    if (tlb->root && inside(arch_ptr_to_paddr(tlb->root), beg, bytes))
        panic("root table %#lx is let go, and CPU %u has it loaded", (unsigned long)beg, cpu);
}

void tlb_check_unused(paddr_t beg, size_t bytes)
{
    for (unsigned cpu = 0; cpu < sim_ncpus; cpu++)
        check_one(cpu, beg, bytes);
}

/* Programs may race for their memory as they like: nobody watches these. */
__attribute__((no_sanitize("thread"))) void tlb_copy(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = ((const volatile char *)from)[i];
}
