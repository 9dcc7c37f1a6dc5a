/* Page table entries of a range: removing them and taking rights away, in batches, so that no spin
 * lock is held for long, and with the rule that a frame is let go only after every CPU has
 * forgotten it.
 *
 * Model: tests/spin/tlb.pml
 */
#include <kernel/base/panic.h>

#include "mm.h"

/* What has changed under pt_lock is flushed after it.  Whoever finds nothing to change meanwhile
 * may not go on as if all CPUs knew (a second madvise, a truncation, an mprotect beside one of
 * these): it flushes as well, all that it has looked at.  Sets *stale when flush_stale is due. */
static void note_stale(struct addrspace *as, bool changed, bool *stale) REQUIRES(as->pt_lock)
{
    if (*stale || !(changed || __atomic_load_n(&as->unflushed, __ATOMIC_ACQUIRE)))
        return;
    __atomic_fetch_add(&as->unflushed, 1, __ATOMIC_RELAXED);
    *stale = true;
}

/* Not under pt_lock: CPUs that want it could not answer. */
static void flush_stale(struct addrspace *as, uintptr_t beg, uintptr_t end, bool *stale)
    EXCLUDES(as->pt_lock)
{
    if (!*stale)
        return;
    vpmap_flush(&as->vpmap, beg, end);
    __atomic_fetch_sub(&as->unflushed, 1, __ATOMIC_RELEASE);
    *stale = false;
}

/* Removes entries from *va on, as far as one hold of pt_lock goes.  Returns how many went to
 * `pages`; *va is where to go on. */
static unsigned clear_batch(struct addrspace *as, uintptr_t *va, uintptr_t end,
                            struct page *pages[PT_BATCH], bool *stale)
{
    unsigned n = 0, looks = PT_LOOKS;
    pte_t *slot;
    spin_lock(&as->pt_lock);
    while (n < PT_BATCH && (slot = vpmap_next(&as->vpmap, va, end, &looks))) {
        struct page *page = paddr_to_page(pte_paddr(pte_load(slot)));
        pte_swap(slot, 0);
        pages[n++] = page;
        *va += PAGE_BYTES;
    }
    note_stale(as, n > 0, stale);
    spin_unlock(&as->pt_lock);
    return n;
}

void pt_clear(struct addrspace *as, uintptr_t beg, uintptr_t end)
{
    struct page *pages[PT_BATCH];
    uintptr_t va = beg;
    bool stale = false;
    do {
        uintptr_t batch_beg = va;
        unsigned n = clear_batch(as, &va, end, pages, &stale);
        flush_stale(as, batch_beg, va, &stale);
        for (unsigned i = 0; i < n; i++)
            page_unpin(pages[i]);
    } while (va < end);
}

err_t pt_reserve(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t to)
{
    uintptr_t va = beg;
    err_t err = 0;
    while (va < end && !err) {
        unsigned n = 0, looks = PT_LOOKS;
        spin_lock(&as->pt_lock);
        for (; n < PT_BATCH && !err && vpmap_next(&as->vpmap, &va, end, &looks); n++) {
            if (!vpmap_slot(&as->vpmap, to + (va - beg), true))
                err = -ENOMEM;
            va += PAGE_BYTES;
        }
        spin_unlock(&as->pt_lock);
    }
    return err;
}

void pt_move(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t to)
{
    uintptr_t va = beg;
    pte_t *slot;
    while (va < end) {
        unsigned n = 0, looks = PT_LOOKS;
        spin_lock(&as->pt_lock);
        for (; n < PT_BATCH && (slot = vpmap_next(&as->vpmap, &va, end, &looks)); n++) {
            pte_t *new_slot = vpmap_slot(&as->vpmap, to + (va - beg), false);
            ASSERT(new_slot);
            pte_swap(new_slot, pte_swap(slot, 0));
            va += PAGE_BYTES;
        }
        spin_unlock(&as->pt_lock);
    }
    vpmap_flush(&as->vpmap, beg, end); /* the frames stay: once, at the end, is soon enough */
}

void pt_free_tables(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t floor,
                    uintptr_t ceiling)
{
    struct list tables = LIST_INIT(tables);
    spin_lock(&as->pt_lock);
    vpmap_unlink_tables(&as->vpmap, beg, end, floor, ceiling, &tables);
    spin_unlock(&as->pt_lock);
    if (list_empty(&tables))
        return;
    vpmap_flush(&as->vpmap, beg, end); /* CPUs cache the upper levels too */
    vpmap_free_tables(&tables);
}

/* The same from *va on, as far as one hold of pt_lock goes; *va is where to go on. */
static void restrict_batch(struct addrspace *as, uintptr_t *va, uintptr_t end, unsigned prot,
                           bool *stale)
{
    bool changed = false;
    unsigned n = 0, looks = PT_LOOKS;
    pte_t *slot;
    spin_lock(&as->pt_lock);
    for (; n < PT_BATCH && (slot = vpmap_next(&as->vpmap, va, end, &looks)); n++) {
        pte_t pte = pte_load(slot);
        if (pte_prot(pte) & ~prot) {
            pte_swap(slot, pte_make(pte_paddr(pte), pte_prot(pte) & prot));
            changed = true;
        }
        *va += PAGE_BYTES;
    }
    note_stale(as, changed, stale);
    spin_unlock(&as->pt_lock);
}

void pt_restrict(struct addrspace *as, uintptr_t beg, uintptr_t end, unsigned prot)
{
    bool stale = false;
    prot = prot_allows(prot);
    for (uintptr_t va = beg; va < end;)
        restrict_batch(as, &va, end, prot, &stale);
    flush_stale(as, beg, end, &stale);
}

unsigned pt_rights(const struct memregion *r, const struct page *page)
{
    unsigned prot = prot_allows(r->prot);
    bool writable;
    spin_assert_held(&r->as->pt_lock);
    if (r->shared)
        writable =
            !r->mapping->store->ops->writeback || __atomic_load_n(&page->dirty, __ATOMIC_ACQUIRE);
    else /* a private page is its owner's alone, or copied before it is written */
        writable = page->use == PAGE_ANON && page_pins(page) == 1;
    return writable ? prot : prot & ~VP_WRITE;
}
