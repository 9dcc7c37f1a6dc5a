/* Inside of kernel/phys: what a slab looks like. */
#pragma once

#include <arch/mmu.h>
#include <arch/poison.h>
#include <kernel/phys/kmem.h>

#define SLOT_ALIGN 16

/* At the start of its block; the slots follow. */
struct kmem_slab {
    struct kmem_cache *cache;
    struct list node; /* in cache->partial or cache->full */
    void **free;      /* first free slot; each holds the pointer to the next */
    unsigned used;
};

#define SLOTS_OFFSET ALIGN_UP(sizeof(struct kmem_slab) + ARCH_REDZONE_BYTES, SLOT_ALIGN)

/* At the end of each slot in debug builds, always poisoned.  The canary also depends on the
 * address: a copy of a slot is no slot. */
struct slot_tail {
    uintptr_t canary;
    uintptr_t site;
};

#define CANARY_LIVE ((uintptr_t)0x11feb10c11feb10cull)
#define CANARY_FREE ((uintptr_t)0xf4eeb10cf4eeb10cull)

static inline struct slot_tail *tail_of(const struct kmem_cache *cache, void *slot)
{
    return (struct slot_tail *)((char *)slot + cache->slot_bytes - sizeof(struct slot_tail));
}

/* Debug builds only. */
static inline struct slot_tail tail_read(const struct kmem_cache *cache, void *slot)
{
    struct slot_tail *at = tail_of(cache, slot);
    arch_unpoison(at, sizeof(*at));
    struct slot_tail tail = *at;
    arch_poison(at, sizeof(*at));
    return tail;
}

static inline bool slot_is(const struct kmem_cache *cache, void *slot, uintptr_t canary)
{
    return tail_read(cache, slot).canary == (canary ^ (uintptr_t)slot);
}

/* The next free slot after one that is in its slab's list.  The cache's lock is held. */
static inline void *slot_next(void **slot)
{
    arch_unpoison(slot, sizeof(*slot));
    void *next = *slot;
    arch_poison(slot, sizeof(*slot));
    return next;
}

static inline void *slot_at(const struct kmem_cache *cache, struct kmem_slab *slab, unsigned i)
{
    return (char *)slab + SLOTS_OFFSET + i * cache->slot_bytes;
}

/* kmem_alloc() for a caller that gives its own caller's address as the site. */
void *kmem_alloc_at(struct kmem_cache *cache, uintptr_t site);

/* The caches that were ever used, linked by next_cache; NULL-terminated. */
struct kmem_cache *kmem_caches(void);
