/* Questions about what is mapped, and advice: nothing here changes what a program reads. */
#include <kernel/base/panic.h>
#include <kernel/sched/thread.h>

#include "mm.h"

static bool any_region(const struct memregion *r)
{
    return true;
}

static bool is_anonymous(const struct memregion *r)
{
    return !r->mapping;
}

static err_t check_all(struct addrspace *as, uintptr_t addr, size_t bytes,
                       bool (*fits)(const struct memregion *r))
{
    uintptr_t end = vmrange_end(addr, bytes);
    err_t err = end ? 0 : -ENOMEM;
    rwlock_read(&as->lock);
    for (uintptr_t at = addr; !err && at < end;) {
        struct memregion *r = region_at_or_above(as, at);
        if (!r || r->beg > at) {
            err = -ENOMEM;
        } else {
            err = fits(r) ? 0 : -EINVAL;
            at = r->end;
        }
    }
    rwlock_read_done(&as->lock);
    return err;
}

err_t addrspace_check_mapped(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    return check_all(as, addr, bytes, any_region);
}

err_t addrspace_check_anonymous(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    return check_all(as, addr, bytes, is_anonymous);
}

/* A held. */
static bool is_resident(struct addrspace *as, const struct memregion *r, uintptr_t va)
    REQUIRES_READ(as->lock)
{
    spin_lock(&as->pt_lock);
    pte_t *slot = vpmap_slot(&as->vpmap, va, false);
    bool resident = slot && pte_present(pte_load(slot));
    spin_unlock(&as->pt_lock);
    if (resident || !r->mapping)
        return resident;
    struct page *page = memstore_page_cached(r->mapping->store, region_page_idx(r, va));
    if (page)
        page_unpin(page);
    return page != NULL;
}

err_t addrspace_resident(struct addrspace *as, uintptr_t addr, size_t npages, uint8_t *present)
{
    if (npages > USER_END >> PAGE_SHIFT || !vmrange_end(addr, npages << PAGE_SHIFT))
        return -ENOMEM;
    err_t err = 0;
    rwlock_read(&as->lock);
    for (size_t i = 0; i < npages && !err; i++) {
        uintptr_t va = addr + (i << PAGE_SHIFT);
        struct memregion *r = region_at_or_above(as, va);
        if (!r || r->beg > va)
            err = -ENOMEM;
        else
            present[i] = is_resident(as, r, va);
    }
    rwlock_read_done(&as->lock);
    return err;
}

/* The first piece at or after *at: its store with a reference when it is shared, else NULL.  *at
 * becomes its end, or `end` when there is none; *gap says whether something before it was not
 * mapped. */
static struct memstore *next_shared(struct addrspace *as, uintptr_t *at, uintptr_t end, bool *gap)
{
    struct memstore *store = NULL;
    rwlock_read(&as->lock);
    struct memregion *r = region_at_or_above(as, *at);
    *gap = !r || r->beg > *at;
    if (!r || r->beg >= end) {
        *at = end;
    } else {
        *at = r->end;
        store = r->shared ? r->mapping->store : NULL;
        if (store)
            memstore_get(store);
    }
    rwlock_read_done(&as->lock);
    return store;
}

err_t addrspace_sync(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    uintptr_t end = vmrange_end(addr, bytes);
    err_t first_err = end ? 0 : -ENOMEM;
    for (uintptr_t at = addr; at < end;) {
        bool gap;
        struct memstore *store = next_shared(as, &at, end, &gap);
        err_t err = gap ? -ENOMEM : 0;
        if (store) {
            err_t sync_err = memstore_sync(store);
            err = sync_err ? sync_err : err;
            memstore_put(store);
        }
        first_err = first_err ? first_err : err;
    }
    return first_err;
}

/* How a page is best touched: a private one that may be written is copied now, not later; 0 when
 * there is none or it allows nothing. */
static unsigned access_to_bring_in(struct addrspace *as, uintptr_t va)
{
    unsigned access = 0;
    rwlock_read(&as->lock);
    struct memregion *r = region_at_or_above(as, va);
    if (r && r->beg <= va) {
        if ((r->prot & VP_WRITE) && !r->shared)
            access = VP_WRITE;
        else
            access = r->prot ? VP_READ : 0;
    }
    rwlock_read_done(&as->lock);
    return access;
}

err_t addrspace_bring_in(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    err_t err = addrspace_check_mapped(as, addr, bytes);
    uintptr_t end = vmrange_end(addr, bytes);
    for (uintptr_t va = addr; !err && va < end; va += PAGE_BYTES) {
        unsigned access = access_to_bring_in(as, va);
        enum fault_result result = access ? vm_fault(as, va, access) : FAULT_NO_RIGHT;
        if (result != FAULT_DONE)
            err = result == FAULT_NO_MEMORY ? -EAGAIN : -ENOMEM;
        else if (thread_interrupted(SLEEP_KILLABLE))
            err = -EINTR;
    }
    return err;
}
