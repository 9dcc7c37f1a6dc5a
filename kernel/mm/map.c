/* Changing what is mapped.  Every call checks and allocates first; what follows cannot fail.
 *
 * Model: tests/spin/pagefill.pml
 */
#include <kernel/base/panic.h>
#include <lib/string.h>

#include "mm.h"

uintptr_t vmrange_end(uintptr_t addr, size_t bytes)
{
    if (!IS_ALIGNED(addr, PAGE_BYTES) || bytes == 0 || ALIGN_UP_OVERFLOWS(bytes, PAGE_BYTES))
        return 0;
    bytes = ALIGN_UP(bytes, PAGE_BYTES);
    if (addr < USER_BEG || addr >= USER_END || bytes > USER_END - addr)
        return 0;
    return addr + bytes;
}

/* The region that `addr` would cut, or NULL. */
static struct memregion *region_cut_by(struct addrspace *as, uintptr_t addr) REQUIRES_READ(as->lock)
{
    struct memregion *r = region_at_or_above(as, addr);
    return r && r->beg < addr ? r : NULL;
}

err_t vmrange_isolate(struct addrspace *as, uintptr_t beg, uintptr_t end)
{
    struct memregion *upper[2] = {NULL, NULL};
    bool need[2] = {region_cut_by(as, beg), region_cut_by(as, end)};
    for (int i = 0; i < 2; i++) {
        if (need[i] && !(upper[i] = region_new())) {
            if (upper[0])
                region_free(upper[0]);
            return -ENOMEM;
        }
    }
    if (upper[0])
        region_split(region_cut_by(as, beg), beg, upper[0]);
    if (upper[1])
        region_split(region_cut_by(as, end), end, upper[1]);
    return 0;
}

void vmrange_clear(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
{
    struct memregion *r = region_at_or_above(as, beg);
    while (r && r->beg < end) {
        struct memregion *next = region_next(r);
        ASSERT(r->beg >= beg && r->end <= end);
        /* Entries first: as long as there are any, memstore_resize finds the region.  Not all of
         * the range: gaps have no entries to look for. */
        pt_clear(as, r->beg, r->end);
        region_unlink(r, dead);
        r = next;
    }
}

void vmrange_remove(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
{
    vmrange_clear(as, beg, end, dead);
    pt_free_tables(as, beg, end, region_floor(as, beg), region_ceiling(as, end));
}

/* Chooses the place of a request: 0 is none.  A held exclusive. */
static uintptr_t choose_place(struct addrspace *as, const struct map_request *req, err_t *err)
    REQUIRES(as->lock)
{
    uintptr_t beg = ALIGN_DOWN(req->addr, PAGE_BYTES);
    uintptr_t end = vmrange_end(beg, req->bytes);
    if (req->place == MAP_ANYWHERE) {
        if (beg && end && end <= MMAP_TOP && region_is_free(as, beg, end))
            return beg;
        *err = -ENOMEM;
        return region_find_room(as, ALIGN_UP(req->bytes, PAGE_BYTES));
    }
    *err = -EEXIST;
    if (req->place == MAP_AT_FREE && !region_is_free(as, beg, end))
        return 0;
    return beg;
}

void vmrange_merge(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
{
    struct memregion *above = region_at_or_above(as, end);
    if (above && above->beg == end)
        region_merge(above, dead);
    struct memregion *r = region_at_or_above(as, beg);
    if (r && r->beg == beg)
        region_merge(r, dead);
}

/* The part of a map under A.  `r` (and its mapping) are ready but for their place. */
static err_t map_locked(struct addrspace *as, const struct map_request *req, struct memregion *r,
                        uintptr_t *addr, struct list *dead) REQUIRES(as->lock)
{
    err_t err = 0;
    uintptr_t beg = choose_place(as, req, &err);
    if (!beg)
        return err;
    uintptr_t end = beg + ALIGN_UP(req->bytes, PAGE_BYTES);
    bool replaces = !region_is_free(as, beg, end);
    err = replaces ? vmrange_isolate(as, beg, end) : 0;
    if (err)
        return err;
    if (r->mapping && req->store->ops->mapped) {
        struct mapping_event event = {.reason = req->reason, .as = as};
        err = req->store->ops->mapped(req->store, &event);
        if (err) {
            if (replaces) /* what was cut is whole again */
                vmrange_merge(as, beg, end, dead);
            return err;
        }
    }
    if (replaces)
        vmrange_remove(as, beg, end, dead);
    r->beg = beg;
    r->end = end;
    region_link(as, r);
    vmrange_merge(as, beg, end, dead);
    *addr = beg;
    return 0;
}

static err_t check_request(const struct map_request *req)
{
    if (req->bytes == 0)
        return -EINVAL;
    if (ALIGN_UP_OVERFLOWS(req->bytes, PAGE_BYTES))
        return -ENOMEM;
    if (req->place != MAP_ANYWHERE) {
        if (!IS_ALIGNED(req->addr, PAGE_BYTES))
            return -EINVAL;
        if (!vmrange_end(req->addr, req->bytes))
            return -ENOMEM;
    }
    return req->prot & ~req->max_prot ? -EACCES : 0;
}

err_t addrspace_map(struct addrspace *as, const struct map_request *req, uintptr_t *addr)
{
    err_t err = check_request(req);
    if (err)
        return err;
    struct memregion *r = region_new();
    if (!r)
        return -ENOMEM;
    struct mapping *m = NULL;
    if (req->store && !(m = mapping_new(as, req->store))) {
        region_free(r);
        return -ENOMEM;
    }
    r->prot = req->prot;
    r->max_prot = req->max_prot;
    r->shared = req->shared;
    r->stack = req->stack;
    r->no_fork = req->no_fork;
    r->mapping = m;
    r->store_page = req->store_page;

    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    err = map_locked(as, req, r, addr, &dead);
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    if (err) {
        if (m)
            mapping_abandon(m);
        region_free(r);
    }
    return err;
}

err_t addrspace_unmap(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    uintptr_t end = vmrange_end(addr, bytes);
    if (!end)
        return -EINVAL;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    err_t err = vmrange_isolate(as, addr, end);
    if (!err)
        vmrange_remove(as, addr, end, &dead);
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    return err;
}

err_t addrspace_unmap_mapping(struct addrspace *as, struct memstore *store, uintptr_t addr)
{
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    struct memregion *r = region_at_or_above(as, addr);
    struct mapping *m = r && r->beg <= addr ? r->mapping : NULL;
    if (!m || m->store != store) {
        rwlock_write_done(&as->lock);
        return -ENOENT;
    }
    /* Its pieces may have anything between them: visit the whole set only if some are elsewhere. */
    unsigned left = ref_read(&m->pieces);
    for (r = region_at_or_above(as, 0); left && r;) {
        struct memregion *next = region_next(r);
        if (r->mapping == m) {
            vmrange_remove(as, r->beg, r->end, &dead);
            left--;
        }
        r = next;
    }
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    return 0;
}

void addrspace_unmap_store(struct addrspace *as, const struct memstore *store)
{
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    for (struct memregion *next, *r = region_at_or_above(as, 0); r; r = next) {
        next = region_next(r);
        if (r->mapping && r->mapping->store == store)
            vmrange_remove(as, r->beg, r->end, &dead);
    }
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
}

/* Is every page of the range mapped by regions whose max_prot allows `prot`?  A held. */
static err_t check_protect(struct addrspace *as, uintptr_t beg, uintptr_t end, unsigned prot)
    REQUIRES_READ(as->lock)
{
    struct memregion *r = region_at_or_above(as, beg);
    for (uintptr_t at = beg;; at = r->end, r = region_next(r)) {
        if (!r || r->beg > at)
            return -ENOMEM;
        if (prot & ~r->max_prot)
            return -EACCES;
        if (r->end >= end)
            return 0;
    }
}

err_t addrspace_protect(struct addrspace *as, uintptr_t addr, size_t bytes, unsigned prot)
{
    uintptr_t end = vmrange_end(addr, bytes);
    if (!end)
        return -ENOMEM;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    err_t err = check_protect(as, addr, end, prot);
    if (!err)
        err = vmrange_isolate(as, addr, end);
    if (!err) {
        for (struct memregion *r = region_at_or_above(as, addr); r && r->beg < end;
             r = region_next(r))
            r->prot = prot;
        pt_restrict(as, addr, end, prot); /* wider rights come by faults */
        for (struct memregion *r = region_at_or_above(as, addr), *next; r && r->beg <= end;
             r = next) {
            next = region_next(r);
            region_merge(r, &dead);
        }
    }
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    return err;
}

err_t addrspace_discard(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    uintptr_t end = vmrange_end(addr, bytes);
    if (!end)
        return -ENOMEM;
    rwlock_read(&as->lock);
    err_t err = check_protect(as, addr, end, 0);
    if (!err)
        pt_clear(as, addr, end);
    rwlock_read_done(&as->lock);
    return err;
}

void addrspace_populate(struct addrspace *as, uintptr_t addr, size_t bytes, unsigned prot)
{
    unsigned access = prot & VP_WRITE ? VP_WRITE : prot ? VP_READ : 0;
    for (uintptr_t va = addr; access && va < addr + bytes; va += PAGE_BYTES)
        if (vm_fault(as, va, access) != FAULT_DONE || thread_interrupted(SLEEP_KILLABLE))
            return;
}
