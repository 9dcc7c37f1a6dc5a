/* Typed object caches.  One static cache a type:
 *
 *     static struct kmem_cache thread_cache = KMEM_CACHE("thread", struct thread);
 *     struct thread *t = kmem_alloc(&thread_cache);   // zeroed; NULL when out of memory
 *     kmem_free(&thread_cache, t);
 */
#pragma once

#include <arch/poison.h>
#include <kernel/base/spinlock.h>
#include <lib/list.h>

/* How many freed objects a cache keeps from reuse when somebody watches for uses after free. */
#define KMEM_HELD_MAX (ARCH_REDZONE_BYTES ? 64 : 1)

/* c constant   l lock */
struct kmem_cache {
    const char *name;        /* c */
    const char *audit_name;  /* c  "objects " and the name */
    size_t object_bytes;     /* c  as asked for */
    struct spinlock lock;    /* rank KMEM */
    size_t slot_bytes;       /* c  after first use: object, its site in debug builds, rounded up */
    unsigned slab_order;     /* c */
    unsigned per_slab;       /* c */
    size_t live;             /* l  objects allocated */
    size_t slabs;            /* l */
    struct list partial;     /* l  slabs with a free slot */
    struct list full;        /* l */
    struct kmem_slab *empty; /* l  at most one slab without objects, on no list */
    unsigned held_max;       /* c  after first use; 0: a freed object may be the next allocated */
    unsigned held_next;      /* l  the oldest of held, or room */
    void *held[KMEM_HELD_MAX];     /* l  freed objects, each a used slot of its slab, or NULL */
    struct kmem_cache *next_cache; /* list of all caches in use, for the audit */
};

/* `cache_name` is a string literal. */
#define KMEM_CACHE(cache_name, type) KMEM_CACHE_BYTES(cache_name, sizeof(type))
#define KMEM_CACHE_BYTES(cache_name, bytes)                                                        \
    {                                                                                              \
        .name = (cache_name), .audit_name = "objects " cache_name, .object_bytes = (bytes),        \
        .lock = SPINLOCK_INIT(cache_name, RANK_KMEM)                                               \
    }

/* A zeroed object, 16-byte aligned; NULL when out of memory or a failpoint hits.  Never sleeps. */
void *kmem_alloc(struct kmem_cache *cache);
void kmem_free(struct kmem_cache *cache, void *object);

/* Objects without a type of their own (strings, arrays), up to KMEM_BYTES_MAX: power-of-two caches,
 * and whole frames (audited as frames kernel) for the large ones.  NULL as kmem_alloc, and for more
 * than KMEM_BYTES_MAX.  The caller gives the same size back. */
#define KMEM_BYTES_MAX ((size_t)65536)
void *kmem_alloc_bytes(size_t bytes);
void kmem_free_bytes(void *p, size_t bytes);

/* For radix trees (lib/radix.h): nodes of a cache that they share. */
extern const struct radix_ops kmem_radix_ops;

/* Gives empty slabs back.  Any time. */
void kmem_shrink(void);

/* For a report: what is at an address of the direct map that must not be accessed. */
void kmem_describe(const void *p, char *text, size_t text_bytes);

struct audit;
void kmem_audit(struct audit *audit);
/* Invariant walker: what the lists of every cache hold is what they count, and no free slot was
 * written to.  Panics on the first violation. */
void kmem_check(void);
void kmem_print_sites(void); /* live objects by allocation site, debug builds */
