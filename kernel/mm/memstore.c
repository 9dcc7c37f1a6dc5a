/* The pgcache of a memstore: absent, busy (being filled), ready.  The protocol:
 *
 *   absent -> busy:   memstore_page, under s, by the first who asks; everybody else waits on
 *                     store->filled
 *   busy   -> ready:  the same thread, when ops->fill has succeeded
 *   busy   -> absent: the same thread, when it has failed
 *   ready  -> absent: memstore_resize and the last memstore_put, which wait for busy pages first;
 *                     memstore_populate that fails, if nobody else has asked for the page
 *
 * Model: tests/spin/pagefill.pml
 * Model: tests/spin/tlb.pml
 */
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/mm/memstore.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#include "mm.h"

uint64_t memory_id_new(void)
{
    static uint64_t last_id;
    return __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
}

void memstore_init(struct memstore *store, const struct memstore_ops *ops, size_t npages)
{
    ASSERT(ops->fill && ops->release);
    store->ops = ops;
    store->id = memory_id_new();
    ref_init(&store->refs, 1);
    spin_init(&store->lock, "memstore", RANK_MEMSTORE);
    store->npages = npages;
    store->pages = (struct radix){0};
    waitq_init(&store->filled);
    mutex_init(&store->rmap_lock, "rmap", RANK_RMAP);
    list_init(&store->regions);
    store->promised = 0;
    store->promises = false;
    store->cuts = 0;
    store->nfills = 0;
}

err_t memstore_promise(struct memstore *store)
{
    ASSERT(store->pages.count == 0 && store->promised == 0);
    if (!pmem_promise(store->npages))
        return -ENOMEM;
    store->promised = store->npages;
    store->promises = true;
    return 0;
}

void memstore_unpromise(struct memstore *store)
{
    pmem_unpromise(store->promised);
    store->promised = 0;
    store->promises = false;
}

void memstore_get(struct memstore *store)
{
    ref_get(&store->refs);
}

/* Puts a new busy page in the cache, of the caller's frames if there are any (NULL: a fault's).  s
 * held. */
static err_t begin_fill(struct memstore *store, size_t idx, size_t *frames, struct page **page)
    REQUIRES(store->lock)
{
    bool of_frames = frames && *frames;
    bool promised = store->promises || of_frames;
    struct page *p = page_alloc(PAGE_CACHE, 0, promised ? PMEM_PROMISED : 0);
    if (!p)
        return -ENOMEM;
    err_t err = radix_insert(&store->pages, &kmem_radix_ops, idx, p);
    if (err) {
        if (promised)
            pmem_promise_again();
        page_free(p);
        return err;
    }
    p->busy = 1;
    p->promised = store->promises;
    p->fresh = frames != NULL;
    store->promised -= p->promised;
    if (of_frames)
        --*frames;
    *page = p;
    return 0;
}

/* Takes back a page that could not be filled.  All at once under s: the next who asks is promised a
 * frame, and this one must be there again.  s held. */
static void undo_fill(struct memstore *store, size_t idx, struct page *page) REQUIRES(store->lock)
{
    radix_remove(&store->pages, &kmem_radix_ops, idx);
    if (page->promised) {
        store->promised++;
        pmem_promise_again();
    }
    page_unpin(page);
}

/* Fills a busy page and settles its state; on success the caller gets a pin.  No lock held. */
static err_t fill_page(struct memstore *store, size_t idx, struct page *page)
{
    err_t err = store->ops->fill(store, idx, page);
    spin_lock(&store->lock);
    page->busy = 0;
    if (err) {
        undo_fill(store, idx, page);
    } else {
        store->nfills++;
        page_pin(page);
    }
    waitq_wake_all(&store->filled);
    spin_unlock(&store->lock);
    return err;
}

/* A pin for somebody who will use the page: it is nobody's to take back from here on.  s held. */
static void pin_known(struct page *page)
{
    page->fresh = 0;
    page_pin(page);
}

/* The page at `idx`; `frames` as of begin_fill. */
static err_t get_page(struct memstore *store, size_t idx, size_t *frames, struct page **page)
{
    assert_may_sleep("memstore_page");
    struct page *p;
    spin_lock(&store->lock);
    for (;;) {
        if (idx >= store->npages) {
            spin_unlock(&store->lock);
            return -ENXIO;
        }
        p = radix_get(&store->pages, idx);
        if (!p || !p->busy)
            break;
        (void)waitq_sleep(&store->filled, &store->lock, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    }
    err_t err = 0;
    bool fill = !p;
    if (fill)
        err = begin_fill(store, idx, frames, &p);
    else
        pin_known(p);
    spin_unlock(&store->lock);
    if (!err && fill)
        err = fill_page(store, idx, p);
    if (!err)
        *page = p;
    return err;
}

err_t memstore_page(struct memstore *store, size_t idx, struct page **page)
{
    return get_page(store, idx, NULL, page);
}

err_t memstore_page_fresh(struct memstore *store, size_t idx, size_t *frames, struct page **page)
{
    return get_page(store, idx, frames, page);
}

struct page *memstore_settle_page(struct memstore *store, size_t idx, bool stays)
{
    spin_lock(&store->lock);
    struct page *p = radix_get(&store->pages, idx);
    bool goes = p && p->fresh && !stays;
    if (p)
        p->fresh = 0;
    if (goes)
        radix_remove(&store->pages, &kmem_radix_ops, idx);
    spin_unlock(&store->lock);
    return goes ? p : NULL;
}

struct page *memstore_page_cached(struct memstore *store, size_t idx)
{
    spin_lock(&store->lock);
    struct page *p = radix_get(&store->pages, idx);
    if (p && p->busy)
        p = NULL;
    if (p)
        pin_known(p);
    spin_unlock(&store->lock);
    return p;
}

/* Takes the first page at or after `idx` out of the cache, waiting for it if it is busy; NULL when
 * there is none. The cache's pin passes to the caller. */
static struct page *take_page(struct memstore *store, size_t *idx)
{
    struct page *p;
    spin_lock(&store->lock);
    while ((p = radix_next(&store->pages, idx)) && p->busy)
        (void)waitq_sleep(&store->filled, &store->lock, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    if (p)
        radix_remove(&store->pages, &kmem_radix_ops, *idx);
    spin_unlock(&store->lock);
    return p;
}

void memstore_put(struct memstore *store)
{
    if (!ref_put(&store->refs))
        return;
    assert_may_sleep("memstore_put");
    ASSERT(list_empty(&store->regions));
    if (store->ops->writeback)
        (void)memstore_sync(store); /* nobody is left to hear of an error */
    size_t idx = 0;
    struct page *p;
    while ((p = take_page(store, &idx)))
        page_unpin(p);
    memstore_unpromise(store);
    store->ops->release(store);
}

/* Removes the pages of store page `first` and after from every mapping.  rmap_lock held. */
static void unmap_tail(struct memstore *store, size_t first) REQUIRES(store->rmap_lock)
{
    list_for_each (node, &store->regions) {
        struct memregion *r = list_entry(node, struct memregion, rmap_node);
        size_t pages = (r->end - r->beg) >> PAGE_SHIFT;
        if (r->store_page + pages <= first)
            continue;
        size_t skip = first > r->store_page ? first - r->store_page : 0;
        pt_clear(r->as, r->beg + (skip << PAGE_SHIFT), r->end);
    }
}

/* Removes the pages of `npages` and after, which are beyond the end by now.  rmap_lock held. */
static void cut_tail(struct memstore *store, size_t npages, size_t old_npages)
    REQUIRES(store->rmap_lock)
{
    size_t absent = old_npages - npages;
    size_t idx = npages;
    struct page *p;
    while ((p = take_page(store, &idx))) {
        absent -= p->promised;
        page_unpin(p);
    }
    if (store->promises) {
        spin_lock(&store->lock);
        store->promised -= absent;
        spin_unlock(&store->lock);
        pmem_unpromise(absent);
    }
    unmap_tail(store, npages);
}

/* The order matters: first no page beyond the end can be found or filled, then cuts says so, then
 * those mapped go.  A fault that found its page before installs it under pt_lock only if cuts is
 * what it was, and pt_clear takes pt_lock after.  (Not if npages allows it: the file may have grown
 * again meanwhile, with another page in that place.) */
err_t memstore_resize(struct memstore *store, size_t npages)
{
    err_t err = 0;
    mutex_lock(&store->rmap_lock);
    size_t old_npages = store->npages;
    size_t growth = npages > old_npages ? npages - old_npages : 0;
    if (store->promises && growth && !pmem_promise(growth))
        err = -ENOMEM;
    if (!err) {
        spin_lock(&store->lock);
        store->promised += store->promises ? growth : 0;
        __atomic_store_n(&store->npages, npages, __ATOMIC_RELEASE);
        if (npages < old_npages)
            __atomic_store_n(&store->cuts, store->cuts + 1, __ATOMIC_RELEASE);
        spin_unlock(&store->lock);
        if (npages < old_npages)
            cut_tail(store, npages, old_npages);
    }
    mutex_unlock(&store->rmap_lock);
    return err;
}

/* The first dirty page at or after *idx, clean from now on, with a pin; NULL when there is none. */
static struct page *next_dirty(struct memstore *store, size_t *idx)
{
    struct page *p;
    spin_lock(&store->lock);
    while ((p = radix_next(&store->pages, idx))) {
        if (!p->busy && __atomic_exchange_n(&p->dirty, 0, __ATOMIC_ACQ_REL)) {
            page_pin(p);
            break;
        }
        if ((*idx)++ == SIZE_MAX) {
            p = NULL;
            break;
        }
    }
    spin_unlock(&store->lock);
    return p;
}

/* Makes every mapping of page `idx` say when it is written next.  rmap_lock held. */
static void write_protect(struct memstore *store, size_t idx) REQUIRES(store->rmap_lock)
{
    list_for_each (node, &store->regions) {
        struct memregion *r = list_entry(node, struct memregion, rmap_node);
        size_t pages = (r->end - r->beg) >> PAGE_SHIFT;
        if (!r->shared || idx < r->store_page || idx - r->store_page >= pages)
            continue;
        uintptr_t va = r->beg + ((idx - r->store_page) << PAGE_SHIFT);
        pt_restrict(r->as, va, va + PAGE_BYTES, VP_READ | VP_EXEC);
    }
}

err_t memstore_sync(struct memstore *store)
{
    if (!store->ops->writeback)
        return 0;
    err_t first_err = 0;
    struct page *p;
    for (size_t idx = 0; (p = next_dirty(store, &idx)); idx++) {
        mutex_lock(&store->rmap_lock);
        write_protect(store, idx);
        mutex_unlock(&store->rmap_lock);
        err_t err = store->ops->writeback(store, idx, p);
        if (err) {
            __atomic_store_n(&p->dirty, 1, __ATOMIC_RELEASE);
            first_err = first_err ? first_err : err;
        }
        page_unpin(p);
    }
    return first_err;
}

size_t memstore_resident(struct memstore *store)
{
    spin_lock(&store->lock);
    size_t n = store->pages.count;
    spin_unlock(&store->lock);
    return n;
}

err_t memstore_fill_zero(struct memstore *store, size_t idx, struct page *page)
{
    memset(page_to_ptr(page), 0, PAGE_BYTES);
    return 0;
}
