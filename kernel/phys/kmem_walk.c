#include "sites.h"
#include "slab.h"
#include <kernel/base/audit.h>

void kmem_audit(struct audit *audit)
{
    for (struct kmem_cache *cache = kmem_caches(); cache; cache = cache->next_cache) {
        spin_lock(&cache->lock);
        size_t live = cache->live;
        spin_unlock(&cache->lock);
        audit_add(audit, cache->audit_name, live);
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
                sites_add(table, tail_of(cache, slot)->site, 1);
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
