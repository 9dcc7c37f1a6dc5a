/* The copy of an address space for fork. */
#include <kernel/base/panic.h>

#include "mm.h"

struct copied_entry {
    uintptr_t va;
    pte_t pte; /* without write access; its page is pinned for it */
};

/* The child's copy of a mapping: the twin made for an earlier piece, or a new one the backend has
 * agreed to. Both A held. */
static struct mapping *twin_mapping(struct addrspace *child, struct mapping *m)
    REQUIRES(child->lock)
{
    if (m->twin) {
        ref_get(&m->twin->pieces);
        return m->twin;
    }
    struct mapping *twin = mapping_new(child, m->store);
    m->twin = twin;
    return twin;
}

/* Copies one region without its pages.  Both A held.  On failure nothing is left of it. */
static err_t copy_region(struct addrspace *child, struct memregion *r, struct memregion **copy)
    REQUIRES(child->lock)
{
    struct memregion *c = region_new();
    if (!c)
        return -ENOMEM;
    c->beg = r->beg;
    c->end = r->end;
    region_copy_rights(c, r);
    c->store_page = r->store_page;
    if (r->mapping) {
        bool first = !r->mapping->twin;
        c->mapping = twin_mapping(child, r->mapping);
        const struct memstore_ops *ops = r->mapping->store->ops;
        err_t err = c->mapping ? 0 : -ENOMEM;
        if (!err && first && ops->mapped)
            err = ops->mapped(r->mapping->store, &(struct mapping_event){
                                                     .reason = MAPPING_FORK,
                                                     .as = child,
                                                     .parent = r->as,
                                                 });
        if (err) {
            if (c->mapping) {
                r->mapping->twin = NULL;
                mapping_abandon(c->mapping);
            }
            region_free(c);
            return err;
        }
    }
    region_link(child, c);
    *copy = c;
    return 0;
}

/* Takes entries of the parent from *va on, as far as one hold of pt_lock goes, and write access
 * away from those that have it.  *va is where to go on. */
static unsigned take_batch(struct addrspace *parent, uintptr_t *va, uintptr_t end,
                           struct copied_entry *batch) REQUIRES(parent->lock)
{
    unsigned n = 0, looks = PT_LOOKS;
    pte_t *slot;
    spin_lock(&parent->pt_lock);
    while (n < PT_BATCH && (slot = vpmap_next(&parent->vpmap, va, end, &looks))) {
        pte_t pte = pte_load(slot);
        pte_t read_only = pte_make(pte_paddr(pte), pte_prot(pte) & ~VP_WRITE);
        if (pte_prot(pte) & VP_WRITE)
            pte_swap(slot, read_only);
        page_pin(paddr_to_page(pte_paddr(pte)));
        batch[n++] = (struct copied_entry){*va, read_only};
        *va += PAGE_BYTES;
    }
    spin_unlock(&parent->pt_lock);
    return n;
}

/* Gives the child a batch that was taken when the region's store had seen `cuts` cuts; pages that
 * cannot be installed lose their pin.  -EAGAIN: the store was cut since (see memstore_resize), and
 * none is installed. */
static err_t give_batch(struct addrspace *child, struct memregion *r, uint32_t cuts,
                        const struct copied_entry *batch, unsigned n) REQUIRES(child->lock)
{
    err_t err = 0;
    unsigned i, installed = 0;
    spin_lock(&child->pt_lock);
    if (r->mapping && memstore_cuts(r->mapping->store) != cuts)
        err = -EAGAIN;
    for (i = 0; i < n && !err; i++) {
        pte_t *slot = vpmap_slot(&child->vpmap, batch[i].va, true);
        if (slot)
            pte_swap(slot, batch[i].pte);
        else
            err = -ENOMEM;
        installed += slot != NULL;
    }
    spin_unlock(&child->pt_lock);
    for (i = installed; i < n; i++)
        page_unpin(paddr_to_page(pte_paddr(batch[i].pte)));
    return err;
}

/* Pages of shared mappings are not copied: the child's faults find them in the store. */
static err_t copy_pages(struct addrspace *parent, struct addrspace *child, struct memregion *copy)
    REQUIRES(parent->lock, child->lock)
{
    struct copied_entry batch[PT_BATCH];
    uintptr_t va = copy->beg;
    err_t err;
    do {
        uintptr_t batch_beg = va;
        uint32_t cuts = copy->mapping ? memstore_cuts(copy->mapping->store) : 0;
        unsigned n = take_batch(parent, &va, copy->end, batch);
        err = give_batch(child, copy, cuts, batch, n);
        if (err == -EAGAIN)
            va = batch_beg;
    } while (err == -EAGAIN || (!err && va < copy->end));
    return err;
}

static err_t copy_all(struct addrspace *parent, struct addrspace *child)
    REQUIRES(parent->lock, child->lock)
{
    for (struct memregion *r = region_at_or_above(parent, 0); r; r = region_next(r)) {
        struct memregion *copy;
        if (r->no_fork)
            continue;
        err_t err = copy_region(child, r, &copy);
        if (!err && !r->shared)
            err = copy_pages(parent, child, copy);
        if (err)
            return err;
    }
    return 0;
}

err_t addrspace_fork(struct addrspace *parent, struct addrspace **child_out)
{
    struct addrspace *child = addrspace_create();
    if (!child)
        return -ENOMEM;
    rwlock_write(&parent->lock);
    rwlock_write_nested(&child->lock);
    child->brk_beg = parent->brk_beg;
    child->brk_end = parent->brk_end;
    child->search_top = parent->search_top;
    err_t err = copy_all(parent, child);
    for (struct memregion *r = region_at_or_above(parent, 0); r; r = region_next(r))
        if (r->mapping)
            r->mapping->twin = NULL;
    rwlock_write_done(&child->lock);
    /* The parent's CPUs may still think they can write what is shared now. */
    vpmap_flush(&parent->vpmap, USER_BEG, USER_END);
    rwlock_write_done(&parent->lock);
    if (err)
        addrspace_put(child);
    else
        *child_out = child;
    return err;
}
