#include "sites.h"
#include "slab.h"
#include <kernel/base/audit.h>
#include <kernel/base/panic.h>
#include <kernel/phys/pmem.h>

void kmem_audit(struct audit *audit)
{
    for (struct kmem_cache *cache = kmem_caches(); cache; cache = cache->next_cache) {
        spin_lock(&cache->lock);
        size_t live = cache->live;
        spin_unlock(&cache->lock);
        audit_add(audit, cache->audit_name, live);
    }
}

/* Freed objects that wait for their reuse: of `slab`, or of all when NULL. */
static unsigned held_count(const struct kmem_cache *cache, const struct kmem_slab *slab)
{
    unsigned n = 0;
    for (unsigned i = 0; i < cache->held_max; i++)
        n += cache->held[i] && (!slab || ptr_to_page(cache->held[i])->slab == slab);
    return n;
}

/* The cache's lock is held. */
static void check_slab(const struct kmem_cache *cache, struct kmem_slab *slab) REQUIRES(cache->lock)
{
    unsigned free = 0;
    ASSERTF(slab->cache == cache, "cache %s: a slab of another", cache->name);
    for (void **slot = slab->free; slot; slot = slot_next(slot)) {
        ASSERTF(!KERNEL_DEBUG || slot_is(cache, slot, CANARY_FREE),
                "cache %s: free slot %p was written to", cache->name, (void *)slot);
        ASSERTF(++free <= cache->per_slab, "cache %s: the free slots are a ring", cache->name);
    }
    ASSERTF(free + slab->used == cache->per_slab, "cache %s: %u free, %u used of %u", cache->name,
            free, slab->used, cache->per_slab);
    unsigned live = 0;
    for (unsigned i = 0; KERNEL_DEBUG && i < cache->per_slab; i++)
        live += slot_is(cache, slot_at(cache, slab, i), CANARY_LIVE);
    live += held_count(cache, slab);
    ASSERTF(!KERNEL_DEBUG || live == slab->used, "cache %s: %u of %u used objects are whole",
            cache->name, live, slab->used);
}

/* Adds to what was found.  The cache's lock is held. */
static void check_slabs(const struct kmem_cache *cache, const struct list *head, size_t *slabs,
                        size_t *used) REQUIRES(cache->lock)
{
    list_for_each (node, head) {
        struct kmem_slab *slab = list_entry(node, struct kmem_slab, node);
        check_slab(cache, slab);
        ASSERT(slab->used > 0 && (slab->used == cache->per_slab) == (head == &cache->full));
        *slabs += 1;
        *used += slab->used;
    }
}

void kmem_check(void)
{
    for (struct kmem_cache *cache = kmem_caches(); cache; cache = cache->next_cache) {
        size_t slabs = 0, used = 0;
        spin_lock(&cache->lock);
        check_slabs(cache, &cache->partial, &slabs, &used);
        check_slabs(cache, &cache->full, &slabs, &used);
        if (cache->empty) {
            check_slab(cache, cache->empty);
            ASSERT(cache->empty->used == 0);
            slabs++;
        }
        used -= held_count(cache, NULL);
        ASSERTF(slabs == cache->slabs && used == cache->live,
                "cache %s: %zu slabs and %zu objects found, %zu and %zu counted", cache->name,
                slabs, used, (size_t)cache->slabs, (size_t)cache->live);
        spin_unlock(&cache->lock);
    }
}

static void sites_of_list(const struct kmem_cache *cache, const struct list *head,
                          struct site_table *table)
{
    list_for_each (node, head) {
        struct kmem_slab *slab = list_entry(node, struct kmem_slab, node);
        for (unsigned i = 0; i < cache->per_slab; i++) {
            void *slot = slot_at(cache, slab, i);
            if (slot_is(cache, slot, CANARY_LIVE))
                sites_add(table, tail_read(cache, slot).site, 1);
        }
    }
}

void kmem_print_sites(void)
{
    if (!KERNEL_DEBUG)
        return;
    for (struct kmem_cache *cache = kmem_caches(); cache; cache = cache->next_cache) {
        struct site_table table = {.title = cache->audit_name};
        spin_lock(&cache->lock);
        sites_of_list(cache, &cache->partial, &table);
        sites_of_list(cache, &cache->full, &table);
        spin_unlock(&cache->lock);
        sites_print(&table);
    }
}
