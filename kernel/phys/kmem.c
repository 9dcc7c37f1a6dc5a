#include "buddy.h"
#include "slab.h"
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/phys/failpoint.h>
#include <lib/string.h>

#define SLAB_ORDER_MAX 3
#define SLAB_OBJECTS   8 /* wanted in a slab, if the order allows */
#define JUNK_FREE      0x5a
#define HELD_BYTES     ((size_t)32768) /* of freed objects that are not reused yet, a cache */

static struct kmem_cache *all_caches; /* pushed by compare-and-set, never removed */

static void tail_set(const struct kmem_cache *cache, void *slot, uintptr_t canary, uintptr_t site)
{
    struct slot_tail *tail = tail_of(cache, slot);
    if (!KERNEL_DEBUG)
        return;
    arch_unpoison(tail, sizeof(*tail));
    *tail = (struct slot_tail){.canary = canary ^ (uintptr_t)slot, .site = site};
    arch_poison(tail, sizeof(*tail));
}

/* First use of a cache; its lock is held. */
static void cache_setup(struct kmem_cache *cache) REQUIRES(cache->lock)
{
    size_t bytes = MAX(cache->object_bytes, sizeof(void *));
    if (KERNEL_DEBUG)
        bytes = ALIGN_UP(bytes, _Alignof(struct slot_tail)) + sizeof(struct slot_tail);
    bytes = MAX(bytes, cache->object_bytes + ARCH_REDZONE_BYTES);
    cache->slot_bytes = ALIGN_UP(bytes, SLOT_ALIGN);
    cache->slab_order = 0;
    do {
        size_t room = (PAGE_BYTES << cache->slab_order) - SLOTS_OFFSET;
        cache->per_slab = (unsigned)(room / cache->slot_bytes);
    } while (cache->per_slab < SLAB_OBJECTS && cache->slab_order++ < SLAB_ORDER_MAX);
    cache->slab_order = MIN(cache->slab_order, (unsigned)SLAB_ORDER_MAX);
    ASSERTF(cache->per_slab > 0, "cache %s: %zu bytes", cache->name, cache->object_bytes);
    list_init(&cache->partial);
    list_init(&cache->full);
    if (ARCH_REDZONE_BYTES)
        cache->held_max = (unsigned)MAX(MIN(HELD_BYTES / cache->slot_bytes, KMEM_HELD_MAX), 1);

    struct kmem_cache *first = __atomic_load_n(&all_caches, __ATOMIC_RELAXED);
    do {
        cache->next_cache = first;
    } while (!__atomic_compare_exchange_n(&all_caches, &first, cache, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

struct kmem_cache *kmem_caches(void)
{
    return __atomic_load_n(&all_caches, __ATOMIC_ACQUIRE);
}

/* A new slab on no list, or NULL.  The cache's lock is held. */
static struct kmem_slab *slab_new(struct kmem_cache *cache, uintptr_t site) REQUIRES(cache->lock)
{
    struct page *page = page_alloc_at(PAGE_SLAB, cache->slab_order, 0, site);
    if (!page)
        return NULL;
    struct kmem_slab *slab = page_to_ptr(page);
    *slab = (struct kmem_slab){.cache = cache};
    for (size_t i = 0; i < (size_t)1 << cache->slab_order; i++)
        page[i].slab = slab;
    for (unsigned i = cache->per_slab; i > 0; i--) {
        void **slot = slot_at(cache, slab, i - 1);
        *slot = slab->free;
        slab->free = slot;
        tail_set(cache, slot, CANARY_FREE, 0);
    }
    /* From here only a live object's own bytes can be accessed. */
    arch_poison(slab + 1, (PAGE_BYTES << cache->slab_order) - sizeof(*slab));
    cache->slabs++;
    return slab;
}

/* The slab has no objects and is on no list.  The cache's lock is held. */
static void slab_delete(struct kmem_cache *cache, struct kmem_slab *slab) REQUIRES(cache->lock)
{
    cache->slabs--;
    page_free(ptr_to_page(slab));
}

/* A slab of the cache with a free slot, on the partial list, or NULL.  Its lock is held. */
static struct kmem_slab *slab_with_room(struct kmem_cache *cache) REQUIRES(cache->lock)
{
    if (!list_empty(&cache->partial))
        return list_first(&cache->partial, struct kmem_slab, node);
    struct kmem_slab *slab = cache->empty;
    cache->empty = NULL;
    if (slab)
        list_push_front(&cache->partial, &slab->node);
    return slab;
}

/* Puts a free slot back into its slab.  The cache's lock is held. */
static void slot_give(struct kmem_cache *cache, struct kmem_slab *slab, void **slot)
    REQUIRES(cache->lock)
{
    arch_unpoison(slot, sizeof(*slot));
    *slot = slab->free;
    arch_poison(slot, sizeof(*slot));
    slab->free = slot;
    slab->used--;
    list_remove(&slab->node);
    if (slab->used > 0)
        list_push_front(&cache->partial, &slab->node);
    else if (!cache->empty)
        cache->empty = slab;
    else
        slab_delete(cache, slab);
}

/* Gives the slot back that was held longest, and holds this one.  The cache's lock is held. */
static void slot_hold(struct kmem_cache *cache, void *slot) REQUIRES(cache->lock)
{
    void *oldest = cache->held[cache->held_next];
    cache->held[cache->held_next] = slot;
    cache->held_next = (cache->held_next + 1) % cache->held_max;
    if (oldest)
        slot_give(cache, ptr_to_page(oldest)->slab, oldest);
}

/* Gives all slots back that were held.  The cache's lock is held. */
static void held_give(struct kmem_cache *cache) REQUIRES(cache->lock)
{
    for (unsigned i = 0; ARCH_REDZONE_BYTES && i < cache->held_max; i++) {
        if (cache->held[i])
            slot_give(cache, ptr_to_page(cache->held[i])->slab, cache->held[i]);
        cache->held[i] = NULL;
    }
}

/* A slab with a free slot as above, a new one if need be; or NULL. */
static struct kmem_slab *slab_get(struct kmem_cache *cache, uintptr_t site) REQUIRES(cache->lock)
{
    struct kmem_slab *slab = slab_with_room(cache);
    if (slab)
        return slab;
    slab = slab_new(cache, site);
    if (slab) {
        list_push_front(&cache->partial, &slab->node);
        return slab;
    }
    held_give(cache);
    return slab_with_room(cache);
}

void *kmem_alloc_at(struct kmem_cache *cache, uintptr_t site)
{
    assert_not_interrupt("kmem_alloc");
    if (failpoint_hit(FAIL_ALLOC))
        return NULL;
    spin_lock(&cache->lock);
    if (cache->per_slab == 0)
        cache_setup(cache);
    void **slot = NULL;
    struct kmem_slab *slab = slab_get(cache, site);
    if (slab) {
        slot = slab->free;
        ASSERTF(!KERNEL_DEBUG || slot_is(cache, slot, CANARY_FREE),
                "cache %s: free slot %p was written to", cache->name, (void *)slot);
        slab->free = slot_next(slot);
        if (++slab->used == cache->per_slab) {
            list_remove(&slab->node);
            list_push_back(&cache->full, &slab->node);
        }
        cache->live++;
        tail_set(cache, slot, CANARY_LIVE, site);
        arch_unpoison(slot, cache->object_bytes);
    }
    spin_unlock(&cache->lock);
    return slot ? memset(slot, 0, cache->object_bytes) : NULL;
}

void *kmem_alloc(struct kmem_cache *cache)
{
    return kmem_alloc_at(cache, (uintptr_t)__builtin_return_address(0));
}

/* The slab of an object of this cache; anything else is a panic. */
static struct kmem_slab *slab_of(const struct kmem_cache *cache, void *object)
{
    const struct page *page = ptr_to_page(object);
    if (!page || page->use != PAGE_SLAB || page->slab->cache != cache)
        panic("cache %s: %p is no object of it", cache->name, object);
    struct kmem_slab *slab = page->slab;
    size_t offset = (size_t)((uintptr_t)object - (uintptr_t)slab);
    if (offset < SLOTS_OFFSET || (offset - SLOTS_OFFSET) % cache->slot_bytes != 0)
        panic("cache %s: %p is not the start of an object", cache->name, object);
    return slab;
}

/* The cache's lock is held. */
static void slot_check_live(const struct kmem_cache *cache, void *slot) REQUIRES(cache->lock)
{
    if (!KERNEL_DEBUG || slot_is(cache, slot, CANARY_LIVE))
        return;
    if (slot_is(cache, slot, CANARY_FREE))
        panic("cache %s: %p is freed twice", cache->name, slot);
    panic("cache %s: %p was written beyond its end (canary %#lx, allocated at %#lx)", cache->name,
          slot, (unsigned long)tail_read(cache, slot).canary,
          (unsigned long)tail_read(cache, slot).site);
}

void kmem_free(struct kmem_cache *cache, void *object)
{
    struct kmem_slab *slab = slab_of(cache, object);
    void *slot = object;
    spin_lock(&cache->lock);
    slot_check_live(cache, slot);
    ASSERT(slab->used > 0);
    arch_unpoison(slot, cache->object_bytes); /* kmem_alloc_bytes() may have poisoned a part */
    if (KERNEL_DEBUG)
        memset(slot, JUNK_FREE, cache->object_bytes);
    arch_poison(slot, cache->object_bytes);
    tail_set(cache, slot, CANARY_FREE, 0);
    cache->live--;
    if (ARCH_REDZONE_BYTES)
        slot_hold(cache, slot);
    else
        slot_give(cache, slab, slot);
    spin_unlock(&cache->lock);
}

void kmem_shrink(void)
{
    for (struct kmem_cache *cache = kmem_caches(); cache; cache = cache->next_cache) {
        spin_lock(&cache->lock);
        held_give(cache);
        if (cache->empty)
            slab_delete(cache, cache->empty);
        cache->empty = NULL;
        spin_unlock(&cache->lock);
    }
}
