/* The invariants of an address space, for /proc/check and tests. */
#include <kernel/base/panic.h>

#include "mm.h"

static void check_region(struct memregion *r, uintptr_t floor)
{
    ASSERTF(r->beg >= floor && r->beg < r->end && r->end <= USER_END, "region [%lx, %lx)", r->beg,
            r->end);
    ASSERT(IS_ALIGNED(r->beg, PAGE_BYTES) && IS_ALIGNED(r->end, PAGE_BYTES));
    ASSERT((r->prot & ~r->max_prot) == 0);
    ASSERT(r->mapping || !r->shared);
    if (!r->mapping)
        return;
    struct memstore *store = r->mapping->store;
    bool linked = false;
    mutex_lock(&store->rmap_lock);
    list_for_each (node, &store->regions)
        linked |= node == &r->rmap_node;
    mutex_unlock(&store->rmap_lock);
    ASSERTF(linked, "region [%lx, %lx) is not on its store's list", r->beg, r->end);
}

static void check_entry(struct addrspace *as, uintptr_t va, pte_t pte)
    REQUIRES(as->lock, as->pt_lock)
{
    struct memregion *r = region_at_or_above(as, va);
    ASSERTF(r && va >= r->beg, "entry for %lx outside every region", va);
    struct page *page = paddr_to_page(pte_paddr(pte));
    ASSERTF(page && page_pins(page) > 0, "entry for %lx has no page", va);
    ASSERTF((pte_prot(pte) & ~prot_allows(r->prot)) == 0,
            "entry for %lx allows more than its region", va);
    if (page->use == PAGE_CACHE)
        ASSERT(r->mapping && (r->shared || !(pte_prot(pte) & VP_WRITE)));
    else
        ASSERT(page->use == PAGE_ANON && !r->shared);
}

/* A held for writing. */
static void check_entries(struct addrspace *as) REQUIRES(as->lock)
{
    pte_t *slot;
    for (uintptr_t va = USER_BEG; va < USER_END;) {
        unsigned looks = PT_LOOKS;
        spin_lock(&as->pt_lock);
        for (; (slot = vpmap_next(&as->vpmap, &va, USER_END, &looks)); va += PAGE_BYTES)
            check_entry(as, va, pte_load(slot));
        spin_unlock(&as->pt_lock);
    }
}

void addrspace_check(struct addrspace *as)
{
    size_t pages = 0;
    uintptr_t floor = USER_BEG;
    rwlock_write(&as->lock);
    ASSERT(rb_valid(&as->regions));
    for (struct memregion *r = region_at_or_above(as, 0); r; r = region_next(r)) {
        check_region(r, floor);
        floor = r->end;
        pages += (r->end - r->beg) >> PAGE_SHIFT;
    }
    ASSERTF(pages == as->mapped_pages, "%zu pages in regions, %zu counted", pages,
            as->mapped_pages);
    if (pages) /* without regions it may be on its way out, its tables gone */
        check_entries(as);
    rwlock_write_done(&as->lock);
}
