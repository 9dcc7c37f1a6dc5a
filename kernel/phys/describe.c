/* What is at an address that must not be accessed: for reports. */
#include "slab.h"
#include <kernel/base/symtab.h>
#include <kernel/phys/pmem.h>
#include <lib/fmt.h>

static void describe_slot(const struct kmem_cache *cache, void *slot, size_t offset, char *text,
                          size_t text_bytes)
{
    bool live = KERNEL_DEBUG && slot_is(cache, slot, CANARY_LIVE);
    uintptr_t past = 0;
    const char *site = live ? symtab_lookup(tail_read(cache, slot).site, &past) : NULL;
    fmt_snprint(text, text_bytes, "%s: byte %zu of an object of %zu, cache %s%s%s",
                live ? "redzone" : "use after free", offset, cache->object_bytes, cache->name,
                site ? ", allocated by " : "", site ? site : "");
}

static void describe_slab(struct kmem_slab *slab, size_t offset, char *text, size_t text_bytes)
{
    const struct kmem_cache *cache = slab->cache;
    size_t i = offset < SLOTS_OFFSET ? SIZE_MAX : (offset - SLOTS_OFFSET) / cache->slot_bytes;
    if (i < cache->per_slab)
        describe_slot(cache, slot_at(cache, slab, (unsigned)i),
                      (offset - SLOTS_OFFSET) % cache->slot_bytes, text, text_bytes);
    else
        fmt_snprint(text, text_bytes, "redzone: beside the objects of a slab, cache %s",
                    cache->name);
}

void kmem_describe(const void *p, char *text, size_t text_bytes)
{
    const struct page *page = ptr_to_page(p);
    if (!page)
        fmt_snprint(text, text_bytes, "not in the RAM");
    else if (page->use == PAGE_FREE)
        fmt_snprint(text, text_bytes, "a free frame");
    else if (page->use == PAGE_SLAB)
        describe_slab(page->slab, (size_t)((uintptr_t)p - (uintptr_t)page->slab), text, text_bytes);
    else
        fmt_snprint(text, text_bytes, "redzone: a part of its frames that nobody asked for");
}
