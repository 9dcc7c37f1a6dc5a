/* Memory in advance: every page of a range, or none of it.
 *
 * A page that this brings in is `fresh` until somebody else asks for it, or all is well.  Nobody
 * knows of a fresh page: it can be taken back as if it had never been there. */
#include <kernel/base/panic.h>
#include <kernel/mm/memstore.h>
#include <kernel/sched/thread.h>

#include "mm.h"

/* Pages that are looked at under s at a time. */
#define PIECE_PAGES 64u

/* Pages of [first, end) in the cache, busy ones too. */
static size_t count_cached(struct memstore *store, size_t first, size_t end)
{
    size_t n = 0;
    while (first < end) {
        spin_lock(&store->lock);
        for (unsigned i = 0; i < PIECE_PAGES && first < end; i++) {
            if (!radix_next(&store->pages, &first))
                first = end;
            n += first < end;
            first++;
        }
        spin_unlock(&store->lock);
    }
    return n;
}

/* What is fresh in [first, end) stays, or goes. */
static void settle_fresh(struct memstore *store, size_t first, size_t end, bool stays)
{
    for (size_t idx = first; idx < end; idx++) {
        struct page *page = memstore_settle_page(store, idx, stays);
        if (page)
            page_unpin(page);
    }
}

/* The frames are set aside before the first page is touched: others do not miss for a moment what
 * cannot be had after all. */
err_t memstore_populate(struct memstore *store, size_t first, size_t end)
{
    ASSERT(!store->promises);
    size_t absent = end - first - count_cached(store, first, end);
    if (!pmem_promise(absent))
        return -ENOMEM;
    err_t err = 0;
    size_t idx = first;
    while (!err && idx < end) {
        struct page *page;
        err = thread_interrupted(SLEEP_KILLABLE) ? -EINTR
                                                 : memstore_page_fresh(store, idx, &absent, &page);
        if (!err) {
            page_unpin(page);
            idx++;
        }
    }
    pmem_unpromise(absent);
    settle_fresh(store, first, idx, !err);
    return err;
}
