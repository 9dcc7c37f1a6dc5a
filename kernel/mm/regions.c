/* The memregions of an address space: a tree by address, disjoint.
 *
 * Model: tests/spin/names.pml
 * Model: tests/spin/tlb.pml
 */
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

#include "mm.h"

static struct kmem_cache region_cache = KMEM_CACHE("memregion", struct memregion);
static struct kmem_cache mapping_cache = KMEM_CACHE("mapping", struct mapping);

static struct memregion *entry_or_null(struct rbnode *node)
{
    return node ? rb_entry(node, struct memregion, node) : NULL;
}

struct memregion *region_at_or_above(struct addrspace *as, uintptr_t addr)
{
    struct memregion *best = NULL;
    struct rbnode *node = as->regions.root;
    while (node) {
        struct memregion *r = rb_entry(node, struct memregion, node);
        if (addr < r->end) {
            best = r;
            if (addr >= r->beg)
                break;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

struct memregion *region_next(struct memregion *r)
{
    return entry_or_null(rb_next(&r->node));
}

static struct memregion *region_prev(struct memregion *r)
{
    return entry_or_null(rb_prev(&r->node));
}

struct memregion *region_new(void)
{
    struct memregion *r = kmem_alloc(&region_cache);
    if (r)
        list_init(&r->rmap_node);
    return r;
}

struct mapping *mapping_new(struct addrspace *as, struct memstore *store)
{
    struct mapping *m = kmem_alloc(&mapping_cache);
    if (!m)
        return NULL;
    memstore_get(store);
    m->store = store;
    ref_init(&m->pieces, 1);
    m->id = __atomic_fetch_add(&as->next_mapping_id, 1, __ATOMIC_RELAXED);
    return m;
}

void region_free(struct memregion *r)
{
    kmem_free(&region_cache, r);
}

void mapping_abandon(struct mapping *m)
{
    struct memstore *store = m->store;
    kmem_free(&mapping_cache, m);
    memstore_put(store);
}

static void tree_insert(struct addrspace *as, struct memregion *r) REQUIRES(as->lock)
{
    struct rbnode *parent = NULL, **link = &as->regions.root;
    while (*link) {
        parent = *link;
        struct memregion *other = rb_entry(parent, struct memregion, node);
        ASSERT(r->end <= other->beg || r->beg >= other->end);
        link = r->beg < other->beg ? &parent->left : &parent->right;
    }
    rb_insert(&as->regions, &r->node, parent, link);
}

/* These two are not analysed: there is nothing to lock without a store. */
static void rmap_lock(struct memregion *r) NO_THREAD_SAFETY_ANALYSIS
{
    if (r->mapping)
        mutex_lock(&r->mapping->store->rmap_lock);
}

static void rmap_unlock(struct memregion *r) NO_THREAD_SAFETY_ANALYSIS
{
    if (r->mapping)
        mutex_unlock(&r->mapping->store->rmap_lock);
}

/* What /proc says without the lock. */
static void count_mapped(struct addrspace *as, size_t more_pages)
{
    __atomic_store_n(&as->mapped_pages, as->mapped_pages + more_pages, __ATOMIC_RELAXED);
}

void region_link(struct addrspace *as, struct memregion *r)
{
    r->as = as;
    tree_insert(as, r);
    count_mapped(as, (r->end - r->beg) >> PAGE_SHIFT);
    rmap_lock(r);
    if (r->mapping)
        list_push_back(&r->mapping->store->regions, &r->rmap_node);
    rmap_unlock(r);
}

void region_unlink(struct memregion *r, struct list *dead)
{
    struct addrspace *as = r->as;
    rwlock_assert_write(&as->lock);
    rb_remove(&as->regions, &r->node);
    count_mapped(as, -((r->end - r->beg) >> PAGE_SHIFT));
    as->search_top = MAX(as->search_top, MIN(r->end, (uintptr_t)MMAP_TOP));
    rmap_lock(r);
    list_remove(&r->rmap_node);
    rmap_unlock(r);
    list_push_back(dead, &r->rmap_node);
}

void region_copy_rights(struct memregion *to, const struct memregion *from)
{
    to->prot = from->prot;
    to->max_prot = from->max_prot;
    to->shared = from->shared;
    to->stack = from->stack;
    to->no_fork = from->no_fork;
}

void region_split(struct memregion *r, uintptr_t addr, struct memregion *upper)
{
    rwlock_assert_write(&r->as->lock);
    ASSERT(addr > r->beg && addr < r->end && IS_ALIGNED(addr, PAGE_BYTES));
    upper->as = r->as;
    upper->beg = addr;
    upper->end = r->end;
    region_copy_rights(upper, r);
    upper->mapping = r->mapping;
    upper->store_page = region_page_idx(r, addr);
    if (r->mapping)
        ref_get(&r->mapping->pieces);
    /* Whoever walks the store's list sees the one piece or the two, never a gap. */
    rmap_lock(r);
    r->end = addr;
    if (r->mapping)
        list_push_back(&r->mapping->store->regions, &upper->rmap_node);
    rmap_unlock(r);
    tree_insert(r->as, upper);
}

void region_set_end(struct memregion *r, uintptr_t end)
{
    rwlock_assert_write(&r->as->lock);
    count_mapped(r->as, (end >> PAGE_SHIFT) - (r->end >> PAGE_SHIFT));
    rmap_lock(r);
    r->end = end;
    rmap_unlock(r);
}

void region_move(struct memregion *r, uintptr_t beg, uintptr_t end)
{
    struct addrspace *as = r->as;
    uintptr_t old_beg = r->beg, old_end = r->end;
    rwlock_assert_write(&as->lock);
    rb_remove(&as->regions, &r->node);
    count_mapped(as, ((end - beg) >> PAGE_SHIFT) - ((old_end - old_beg) >> PAGE_SHIFT));
    as->search_top = MAX(as->search_top, MIN(old_end, (uintptr_t)MMAP_TOP));
    rmap_lock(r);
    r->beg = beg;
    r->end = end;
    pt_move(as, old_beg, old_end, beg);
    rmap_unlock(r);
    tree_insert(as, r);
}

static bool mergeable(const struct memregion *low, const struct memregion *high)
{
    return low->end == high->beg && low->prot == high->prot && low->max_prot == high->max_prot &&
           low->shared == high->shared && low->stack == high->stack &&
           low->no_fork == high->no_fork && low->mapping == high->mapping &&
           (!low->mapping || region_page_idx(low, low->end) == high->store_page);
}

void region_merge(struct memregion *r, struct list *dead)
{
    struct memregion *low = region_prev(r);
    rwlock_assert_write(&r->as->lock);
    if (!low || !mergeable(low, r))
        return;
    rb_remove(&r->as->regions, &r->node);
    rmap_lock(r);
    low->end = r->end;
    list_remove(&r->rmap_node);
    rmap_unlock(r);
    list_push_back(dead, &r->rmap_node);
}

uintptr_t region_floor(struct addrspace *as, uintptr_t addr)
{
    struct memregion *above = region_at_or_above(as, addr);
    struct memregion *below = above ? region_prev(above) : entry_or_null(rb_last(&as->regions));
    return below ? below->end : 0;
}

uintptr_t region_ceiling(struct addrspace *as, uintptr_t addr)
{
    struct memregion *above = region_at_or_above(as, addr);
    return above ? above->beg : USER_END;
}

bool region_is_free(struct addrspace *as, uintptr_t beg, uintptr_t end)
{
    struct memregion *r = region_at_or_above(as, beg);
    return !r || r->beg >= end;
}

/* The highest room of `bytes` that ends at or below `top`. */
static uintptr_t find_room_below(struct addrspace *as, uintptr_t top, size_t bytes)
    REQUIRES_READ(as->lock)
{
    uintptr_t limit = top;
    struct memregion *r = region_at_or_above(as, top - 1);
    if (!r)
        r = entry_or_null(rb_last(&as->regions));
    for (; r; r = region_prev(r)) {
        if (r->end <= limit && limit - r->end >= bytes)
            return limit - bytes;
        limit = MIN(limit, r->beg);
    }
    return limit > USER_BEG && limit - USER_BEG >= bytes ? limit - bytes : 0;
}

/* Next fit: everything above search_top was in use when it was set, and unmapping raises it again.
 */
uintptr_t region_find_room(struct addrspace *as, size_t bytes)
{
    uintptr_t addr = find_room_below(as, as->search_top, bytes);
    if (!addr)
        addr = find_room_below(as, MMAP_TOP, bytes);
    if (addr)
        as->search_top = addr;
    return addr;
}

/* One piece less of a mapping; the last ends it. */
static void mapping_put(struct addrspace *as, struct mapping *m) EXCLUDES(as->lock)
{
    if (!ref_put(&m->pieces))
        return;
    if (m->store->ops->unmapped)
        m->store->ops->unmapped(m->store, as);
    mapping_abandon(m);
}

void regions_dispose(struct addrspace *as, struct list *dead)
{
    struct list *node;
    while ((node = list_pop_front(dead))) {
        struct memregion *r = list_entry(node, struct memregion, rmap_node);
        if (r->mapping)
            mapping_put(as, r->mapping);
        region_free(r);
    }
}
