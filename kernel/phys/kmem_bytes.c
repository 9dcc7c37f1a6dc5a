#include "buddy.h"
#include "slab.h"
#include <arch/poison.h>
#include <kernel/base/panic.h>
#include <kernel/phys/failpoint.h>

#define BYTES_CACHE(n) KMEM_CACHE_BYTES("bytes-" #n, n)

/* caches[i] holds objects of SMALLEST << i bytes.  A larger power of two beside a slab's header
 * would waste as much again: those come from the frames directly. */
#define SMALLEST ((size_t)16)
static struct kmem_cache caches[] = {
    BYTES_CACHE(16),  BYTES_CACHE(32),   BYTES_CACHE(64),   BYTES_CACHE(128),  BYTES_CACHE(256),
    BYTES_CACHE(512), BYTES_CACHE(1024), BYTES_CACHE(2048), BYTES_CACHE(4096), BYTES_CACHE(8192),
};

/* NULL when the size is for the frames. */
static struct kmem_cache *cache_for(size_t bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(caches); i++)
        if (bytes <= SMALLEST << i)
            return &caches[i];
    return NULL;
}

static unsigned order_for(size_t bytes)
{
    unsigned order = 0;
    while (PAGE_BYTES << order < bytes)
        order++;
    return order;
}

void *kmem_alloc_bytes(size_t bytes)
{
    uintptr_t site = (uintptr_t)__builtin_return_address(0);
    struct kmem_cache *cache = cache_for(bytes);
    if (cache) {
        char *object = kmem_alloc_at(cache, site);
        if (object)
            arch_poison(object + bytes, cache->object_bytes - bytes);
        return object;
    }
    if (bytes > KMEM_BYTES_MAX || failpoint_hit(FAIL_ALLOC))
        return NULL;
    struct page *page = page_alloc_at(PAGE_KERNEL, order_for(bytes), PMEM_ZERO, site);
    if (!page)
        return NULL;
    char *block = page_to_ptr(page);
    arch_poison(block + bytes, (PAGE_BYTES << order_for(bytes)) - bytes);
    return block;
}

void kmem_free_bytes(void *p, size_t bytes)
{
    struct kmem_cache *cache = cache_for(bytes);
    if (cache) {
        kmem_free(cache, p);
        return;
    }
    struct page *page = ptr_to_page(p);
    if (!page || page->use != PAGE_KERNEL || page->order != order_for(bytes) ||
        page_to_ptr(page) != p)
        panic("%p is no allocation of %zu bytes", p, bytes);
    page_free(page);
}
