/* A memstore: an array of pages, each absent until first touched.  What a memregion maps and a page
 * fault fills. The virtual memory code knows no backend, only this.  How to write one:
 * kernel/mm/README.md. */
#pragma once

#include <kernel/base/refcount.h>
#include <kernel/phys/pmem.h>
#include <kernel/sched/mutex.h>
#include <lib/err.h>
#include <lib/radix.h>

struct addrspace;
struct memstore;

enum mapping_reason {
    MAPPING_NEW,     /* by whoever keeps the store's owner alive until the mapping is counted: an
                        open file, a door with a use of its own */
    MAPPING_BY_NAME, /* by a name that was looked up before and may have gone since */
    MAPPING_FORK,    /* a child inherits one that exists */
};

/* A mapping that is about to exist. */
struct mapping_event {
    enum mapping_reason reason;
    struct addrspace *as;
    struct addrspace *parent; /* of a fork, else NULL */
};

/* The backend embeds the memstore and finds itself with container_of.  No op may touch user memory.
 */
struct memstore_ops {
    const char *name; /* for traces and /proc */

    /* Writes all PAGE_BYTES of `page`, page `idx` of the store.  0 or a negative errno (the toucher
     * gets SIGBUS). Called once for each absent page, however many touch it; no lock held; may
     * sleep; nobody else sees the page until it returns 0.  Required. */
    err_t (*fill)(struct memstore *store, size_t idx, struct page *page);

    /* Saves a page that was written.  Absent: the pages are the only copy, and mappings start
     * writable. No spin lock held; may sleep. */
    err_t (*writeback)(struct memstore *store, size_t idx, struct page *page);

    /* A mapping of the store by `as` is about to exist.  The last step of a map that can fail: a
     * refusal (negative errno) undoes it all.  Holds A of `as`; may allocate, may take a spin lock,
     * may not sleep on A.  May be absent. */
    err_t (*mapped)(struct memstore *store, const struct mapping_event *event);

    /* A mapping that `mapped` agreed to is gone, whole.  No lock held.  May be absent. */
    void (*unmapped)(struct memstore *store, struct addrspace *as);

    /* The last reference is gone and the cache is empty: free the object.  No lock held; may sleep.
     * Required. */
    void (*release)(struct memstore *store);
};

/* c constant after init   a atomic   s lock   r rmap_lock
 * Order: A > rmap_lock > T and s (which never nest) > vpmap > kmem > pmem. */
struct memstore {
    const struct memstore_ops *ops; /* c */
    uint64_t id;                    /* c  of memory_id_new */
    refcount_t refs; /* a  one a mapping, one an owner (a name, an open file, a call in progress) */
    struct spinlock lock; /* s */
    size_t npages;        /* s to write, atomic to read: valid indexes are 0 .. npages-1 */
    struct radix pages;   /* s  the pgcache: idx -> struct page, one pin each */
    struct waitq filled;  /* s  threads waiting for a busy page of this store */
    struct mutex rmap_lock;
    struct list regions; /* r  memregions that map the store (memregion.rmap_node) */
    bool promises;       /* c after memstore_promise */
    uint32_t cuts;       /* s to write, atomic to read: how often npages became less */
    size_t promised;     /* s  frames set aside for absent pages; 0 in a store without a promise */
    uint64_t nfills;     /* s  pages filled so far */
};

/* A number for a store or an address space that no other ever has. */
uint64_t memory_id_new(void);

/* One reference, owned by the caller. */
void memstore_init(struct memstore *store, const struct memstore_ops *ops, size_t npages);

/* Sets aside a frame for every page of a store without pages: touching one cannot fail for want of
 * a frame (A7).  -ENOMEM. */
err_t memstore_promise(struct memstore *store);

/* Gives back what is still set aside, for a store that will not be used after all. */
void memstore_unpromise(struct memstore *store);

void memstore_get(struct memstore *store);

/* Drops a reference; the last drains the cache (writing back what is dirty) and calls ops->release.
 * May sleep: no spin lock, no A. */
void memstore_put(struct memstore *store) EXCLUDES(store->lock);

static inline size_t memstore_npages(const struct memstore *store)
{
    return __atomic_load_n(&store->npages, __ATOMIC_ACQUIRE);
}

/* Changes whenever pages were cut off: a page found before and entered in a page table after may
 * not be the store's any more, whatever its size is by then. */
static inline uint32_t memstore_cuts(const struct memstore *store)
{
    return __atomic_load_n(&store->cuts, __ATOMIC_ACQUIRE);
}

/* The page at `idx`, filled, with a pin for the caller (page_unpin).  May sleep.
 * -ENXIO beyond the end, -ENOMEM, or what fill says. */
err_t memstore_page(struct memstore *store, size_t idx, struct page **page) EXCLUDES(store->lock);

/* The same if it is in the cache and ready; NULL otherwise.  Never sleeps. */
struct page *memstore_page_cached(struct memstore *store, size_t idx) EXCLUDES(store->lock);

/* Brings in every page of [first, end): all, or on an error none that was absent and that nobody
 * else has asked for meanwhile.  -ENOMEM, -EINTR (killed), or what fill says.  For a store that
 * promises nothing; the caller sees to it that there is one at a time, and no resize meanwhile. May
 * sleep. */
err_t memstore_populate(struct memstore *store, size_t first, size_t end) EXCLUDES(store->lock);

/* Changes the size.  Shrinking removes pages beyond the end from the cache and from every mapping,
 * private copies included; touching them afterwards is SIGBUS.  Growing a store with a promise
 * promises more: -ENOMEM, and nothing has changed.  May sleep; takes rmap_lock. */
err_t memstore_resize(struct memstore *store, size_t npages)
    EXCLUDES(store->lock, store->rmap_lock);

/* Writes back every dirty page; the first error, or 0.  May sleep. */
err_t memstore_sync(struct memstore *store) EXCLUDES(store->lock);

/* Pages in the cache now. */
size_t memstore_resident(struct memstore *store) EXCLUDES(store->lock);

/* A fill for stores that begin as zeros. */
err_t memstore_fill_zero(struct memstore *store, size_t idx, struct page *page);
