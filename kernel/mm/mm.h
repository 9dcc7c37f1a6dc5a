/* Inside of kernel/mm: the set of memregions, the page table, and what ends a region's life. */
#pragma once

#include <kernel/mm/addrspace.h>

/* ---- regions.c: the set.  A held exclusive unless said otherwise. */

/* The region that holds `addr`, or the first above it, or NULL.  A held shared is enough. */
struct memregion *region_at_or_above(struct addrspace *as, uintptr_t addr) REQUIRES_READ(as->lock);
struct memregion *region_next(struct memregion *r);

/* An unlinked region or mapping; NULL when out of memory.  mapping_new takes its own reference to
 * the store. */
struct memregion *region_new(void);
void region_free(struct memregion *r);
struct mapping *mapping_new(struct addrspace *as, struct memstore *store);

/* Gives back a mapping that no region uses and no backend has heard of.  No lock held, or a
 * reference to the store kept elsewhere. */
void mapping_abandon(struct mapping *m);

/* Links a filled-in region into the set and into its store's list. */
void region_link(struct addrspace *as, struct memregion *r) REQUIRES(as->lock);

/* Takes it out of both and appends it to `dead` (by rmap_node). */
void region_unlink(struct memregion *r, struct list *dead);

/* Gives `to` what `from` allows and how it is inherited: all but place, mapping and store. */
void region_copy_rights(struct memregion *to, const struct memregion *from);

/* Cuts `r` at `addr` (inside it, page aligned): r keeps the lower part, `upper` (from region_new)
 * becomes the rest. */
void region_split(struct memregion *r, uintptr_t addr, struct memregion *upper);

/* Moves `r` with its pages to [beg, end), which is free and has tables for them (pt_reserve); or
 * lets it end elsewhere.  Whoever walks the store's list sees the old place or the new. */
void region_move(struct memregion *r, uintptr_t beg, uintptr_t end);
void region_set_end(struct memregion *r, uintptr_t end);

/* Joins `r` with its lower neighbour when the two are one in all but name; the freed one goes to
 * `dead`. */
void region_merge(struct memregion *r, struct list *dead);

/* The end of the mapping below `addr`, and the beginning of the one at or above it: how far tables
 * may be freed. */
uintptr_t region_floor(struct addrspace *as, uintptr_t addr) REQUIRES_READ(as->lock);
uintptr_t region_ceiling(struct addrspace *as, uintptr_t addr) REQUIRES_READ(as->lock);

/* Room for `bytes`, searching downward; 0 when there is none. */
uintptr_t region_find_room(struct addrspace *as, size_t bytes) REQUIRES(as->lock);
bool region_is_free(struct addrspace *as, uintptr_t beg, uintptr_t end) REQUIRES_READ(as->lock);

/* Frees unlinked regions: tells backends of mappings that are gone, drops stores.  No lock held;
 * may sleep. */
void regions_dispose(struct addrspace *as, struct list *dead) EXCLUDES(as->lock);

/* The store's page that `addr` of `r` shows. */
static inline size_t region_page_idx(const struct memregion *r, uintptr_t addr)
{
    return r->store_page + ((addr - r->beg) >> PAGE_SHIFT);
}

/* ---- memstore.c, for populate.c */

/* As memstore_page; a page that was absent takes one of the *frames that are promised to the caller
 * (none is left: any), and is fresh. */
err_t memstore_page_fresh(struct memstore *store, size_t idx, size_t *frames, struct page **page)
    EXCLUDES(store->lock);

/* The page at `idx`, if there is one, is not fresh any more; or if it was and does not stay, it is
 * not there any more, and the cache's pin passes to the caller. */
struct page *memstore_settle_page(struct memstore *store, size_t idx, bool stays)
    EXCLUDES(store->lock);

/* What may be done where `prot` is given, as on Linux: whatever is allowed, reading is, whether or
 * not the machine could refuse it. */
static inline unsigned prot_allows(unsigned prot)
{
    return prot ? prot | VP_READ : 0;
}

/* One hold of pt_lock changes no more entries than PT_BATCH, and looks at no more than PT_LOOKS:
 * tables may be many and empty. */
#define PT_BATCH 64
#define PT_LOOKS 4096

/* ---- ptes.c: page table entries of [beg, end).  pt_lock not held; interrupts on. */

/* Removes entries, and frees pages after every CPU has forgotten them.  A held, or rmap_lock of the
 * store of the region that lies there. */
void pt_clear(struct addrspace *as, uintptr_t beg, uintptr_t end);

/* Frees tables that only [beg, end) needed, of which nothing is mapped any more; `floor` and
 * `ceiling`: where the next mappings below and above end and begin.  A held exclusive. */
void pt_free_tables(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t floor,
                    uintptr_t ceiling) REQUIRES(as->lock);

/* Makes tables for what [beg, end) has mapped to be at `to` (-ENOMEM: some may be made), and moves
 * it there.  A held exclusive; for a move also rmap_lock of the store, if there is one. */
err_t pt_reserve(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t to)
    REQUIRES(as->lock);
void pt_move(struct addrspace *as, uintptr_t beg, uintptr_t end, uintptr_t to) REQUIRES(as->lock);

/* Takes rights away from present entries that `prot` does not allow. */
void pt_restrict(struct addrspace *as, uintptr_t beg, uintptr_t end, unsigned prot);

/* What an entry for `page` in `r` may allow now: pt_lock held. */
unsigned pt_rights(const struct memregion *r, const struct page *page);

/* ---- unmap.c: the steps of a change to [beg, end).  A held exclusive. */

/* Makes sure that regions begin and end at beg and end; may need up to two regions: -ENOMEM with
 * nothing changed. */
err_t vmrange_isolate(struct addrspace *as, uintptr_t beg, uintptr_t end) REQUIRES(as->lock);

/* Removes every region and page of an isolated range; regions go to `dead`. */
void vmrange_remove(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
    REQUIRES(as->lock);

/* The same, but leaves the page tables for what comes there next. */
void vmrange_clear(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
    REQUIRES(as->lock);

/* Joins what begins at beg, and at end, with what lies below it, where the two are one in all but
 * name. */
void vmrange_merge(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
    REQUIRES(as->lock);

/* The page-rounded end of [addr, addr + bytes) when it is a range of user space, else 0. */
uintptr_t vmrange_end(uintptr_t addr, size_t bytes);
