/* Page table entries of a range: removing them and taking rights away, in batches, so that no spin
 * lock is held for long, and with the rule that a frame is let go only after every CPU has
 * forgotten it. */
#include <kernel/base/panic.h>

#include "mm.h"

#define BATCH 64

/* Removes up to BATCH entries from *va on.  Returns how many went to `pages`; *va is where to go
 * on. */
static unsigned clear_batch(struct addrspace *as, uintptr_t *va, uintptr_t end, enum pt_clear which,
                            struct page *pages[BATCH])
{
    unsigned n = 0;
    pte_t *slot;
    spin_lock(&as->pt_lock);
    while (n < BATCH && *va < end && (slot = vpmap_next(&as->vpmap, va, end))) {
        struct page *page = paddr_to_page(pte_paddr(pte_load(slot)));
        if (which == PT_CLEAR_ALL || page->use == PAGE_CACHE) {
            pte_swap(slot, 0);
            pages[n++] = page;
        }
        *va += PAGE_BYTES;
    }
    spin_unlock(&as->pt_lock);
    return n;
}

void pt_clear(struct addrspace *as, uintptr_t beg, uintptr_t end, enum pt_clear which)
{
    struct page *pages[BATCH];
    uintptr_t va = beg;
    unsigned n;
    do {
        uintptr_t batch_beg = va;
        n = clear_batch(as, &va, end, which, pages);
        if (n)
            vpmap_flush(&as->vpmap, batch_beg, MIN(va, end));
        for (unsigned i = 0; i < n; i++)
            page_unpin(pages[i]);
    } while (n == BATCH);
}

void pt_free_tables(struct addrspace *as, uintptr_t floor, uintptr_t ceiling)
{
    struct list tables = LIST_INIT(tables);
    spin_lock(&as->pt_lock);
    vpmap_unlink_tables(&as->vpmap, floor, ceiling, &tables);
    spin_unlock(&as->pt_lock);
    if (list_empty(&tables))
        return;
    vpmap_flush(&as->vpmap, floor, ceiling); /* CPUs cache the upper levels too */
    vpmap_free_tables(&tables);
}

void pt_restrict(struct addrspace *as, uintptr_t beg, uintptr_t end, unsigned prot)
{
    bool changed = false;
    pte_t *slot;
    spin_lock(&as->pt_lock);
    for (uintptr_t va = beg; va < end && (slot = vpmap_next(&as->vpmap, &va, end));
         va += PAGE_BYTES) {
        pte_t pte = pte_load(slot);
        if (pte_prot(pte) & ~prot) {
            pte_swap(slot, pte_make(pte_paddr(pte), pte_prot(pte) & prot));
            changed = true;
        }
    }
    spin_unlock(&as->pt_lock);
    if (changed)
        vpmap_flush(&as->vpmap, beg, end);
}

unsigned pt_rights(const struct memregion *r, const struct page *page)
{
    bool writable;
    if (r->shared)
        writable =
            !r->mapping->store->ops->writeback || __atomic_load_n(&page->dirty, __ATOMIC_ACQUIRE);
    else /* a private page is its owner's alone, or copied before it is written */
        writable = page->use == PAGE_ANON && page_pins(page) == 1;
    return writable ? r->prot : r->prot & ~VP_WRITE;
}
