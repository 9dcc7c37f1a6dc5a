/* The page fault.  The cases, one function each:
 *
 *                  | entry absent           | entry present, access refused
 *    anonymous     | new zero page          | reuse if sole pin, else copy
 *    store shared  | map the cached page    | note the write, allow
 *    store private | map cached page r/o,   | copy to an anonymous page
 *                  | or copy it at once     |
 *    the entry allows the access already: spurious; forget it on this CPU and go on
 *
 * vm_fault() is a loop: a pass takes A shared and tries to install an entry.  What is missing in a
 * store is fetched with no lock held, and the pass is tried again: the slow step makes the next
 * pass succeed.  Entries change only under pt_lock, and only if they are what the pass saw.
 *
 * Model: tests/spin/pagefill.pml
 */
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <lib/string.h>

#include "mm.h"

/* Not a result: the pass wants page `want_idx` of `want` in the cache (a reference is taken), then
 * another try. */
#define FAULT_RETRY ((enum fault_result)(FAULT_NO_MEMORY + 1))

struct fault {
    struct addrspace *as;
    struct memregion *r;
    uintptr_t va; /* of the page */
    unsigned access;
    uint32_t cuts; /* of the store at the beginning of the pass */
    pte_t seen;    /* the entry, after that */
    struct memstore *want;
    size_t want_idx;
};

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* The slot of the fault's entry if it is still what the pass saw; NULL otherwise.  pt_lock held.
 * The slot exists: its table was made by the pass and A is held. */
static pte_t *slot_unchanged(struct fault *f) REQUIRES(f->as->pt_lock)
{
    pte_t *slot = vpmap_slot(&f->as->vpmap, f->va, false);
    pte_t now = pte_load(slot);
    bool same = pte_present(now) == pte_present(f->seen) &&
                (!pte_present(now) ||
                 (pte_paddr(now) == pte_paddr(f->seen) && pte_prot(now) == pte_prot(f->seen)));
    return same ? slot : NULL;
}

/* Has the store, if there is one, still got the page?  pt_lock held: memstore_resize counts the cut
 * before it clears entries under pt_lock. */
static bool still_there(struct fault *f) REQUIRES(f->as->pt_lock)
{
    return !f->r->mapping || f->cuts == memstore_cuts(f->r->mapping->store);
}

/* A copy has been installed, read-only and busy: nobody writes it before every CPU has forgotten
 * the old page, or one thread would read there what another has overwritten here.  Who wants to
 * write it meanwhile does the same (present_refused).  Takes over a pin of the caller's. */
static void publish_copy(struct fault *f, struct page *copy) EXCLUDES(f->as->pt_lock)
{
    vpmap_flush(&f->as->vpmap, f->va, f->va + PAGE_BYTES);
    spin_lock(&f->as->pt_lock);
    pte_t *slot = vpmap_slot(&f->as->vpmap, f->va, false);
    pte_t now = pte_load(slot);
    if (pte_present(now) && pte_paddr(now) == page_to_paddr(copy)) {
        copy->busy = 0;
        pte_swap(slot, pte_make(page_to_paddr(copy), prot_allows(f->r->prot)));
    }
    spin_unlock(&f->as->pt_lock);
    page_unpin(copy);
}

/* Installs a private page that nobody else knows, and lets go of `old` (pinned by its entry) if
 * there was one.  If the entry has changed meanwhile, the new page is dropped: the next try sees
 * why. */
static enum fault_result install_private(struct fault *f, struct page *page, struct page *old)
{
    unsigned prot = prot_allows(f->r->prot) & ~(old ? VP_WRITE : 0);
    page->busy = old != NULL;
    spin_lock(&f->as->pt_lock);
    pte_t *slot = still_there(f) ? slot_unchanged(f) : NULL;
    if (slot)
        pte_swap(slot, pte_make(page_to_paddr(page), prot));
    if (slot && old)
        page_pin(page);
    spin_unlock(&f->as->pt_lock);
    if (!slot) {
        page_free(page);
    } else if (old) {
        publish_copy(f, page);
        page_unpin(old);
    }
    return FAULT_DONE;
}

static enum fault_result anon_absent(struct fault *f)
{
    struct page *page = page_alloc(PAGE_ANON, 0, PMEM_ZERO);
    if (!page)
        return FAULT_NO_MEMORY;
    return install_private(f, page, NULL);
}

/* Copies `from` (which the caller keeps alive) to a page of this address space's own. */
static enum fault_result copy_page(struct fault *f, struct page *from, struct page *old)
{
    struct page *page = page_alloc(PAGE_ANON, 0, 0);
    if (!page)
        return FAULT_NO_MEMORY;
    memcpy(page_to_ptr(page), page_to_ptr(from), PAGE_BYTES);
    count(&f->as->stats.faults_copied);
    return install_private(f, page, old);
}

/* The cached page for the fault, with a pin; or NULL and what to do instead in *result. */
static struct page *find_cached(struct fault *f, enum fault_result *result)
{
    struct memstore *store = f->r->mapping->store;
    size_t idx = region_page_idx(f->r, f->va);
    if (idx >= memstore_npages(store)) {
        *result = FAULT_BEYOND_END;
        return NULL;
    }
    struct page *page = memstore_page_cached(store, idx);
    if (!page) {
        memstore_get(store);
        f->want = store;
        f->want_idx = idx;
        *result = FAULT_RETRY;
    }
    return page;
}

/* Maps a cached page; the entry takes over the pin.  Shared, or private and only read. */
static enum fault_result install_cached(struct fault *f, struct page *page)
{
    if (f->r->shared && (f->access & VP_WRITE))
        __atomic_store_n(&page->dirty, 1, __ATOMIC_RELEASE);
    spin_lock(&f->as->pt_lock);
    pte_t *slot = still_there(f) ? slot_unchanged(f) : NULL;
    if (slot)
        pte_swap(slot, pte_make(page_to_paddr(page), pt_rights(f->r, page)));
    spin_unlock(&f->as->pt_lock);
    if (!slot)
        page_unpin(page);
    return FAULT_DONE;
}

static enum fault_result store_absent(struct fault *f)
{
    enum fault_result result;
    struct page *page = find_cached(f, &result);
    if (!page)
        return result;
    if (f->r->shared || !(f->access & VP_WRITE))
        return install_cached(f, page);
    result = copy_page(f, page, NULL);
    page_unpin(page);
    return result;
}

/* The entry allows less than the region does now: widen it, or copy the page that is not ours to
 * write. */
static enum fault_result present_refused(struct fault *f)
{
    spin_lock(&f->as->pt_lock);
    pte_t *slot = slot_unchanged(f);
    if (!slot) {
        spin_unlock(&f->as->pt_lock);
        return FAULT_DONE;
    }
    struct page *page = paddr_to_page(pte_paddr(f->seen));
    if (f->r->shared && (f->access & VP_WRITE))
        __atomic_store_n(&page->dirty, 1, __ATOMIC_RELEASE);
    unsigned rights = pt_rights(f->r, page);
    bool allowed = rights & f->access;
    bool unpublished = page->use == PAGE_ANON && page->busy;
    if (allowed)
        pte_swap(slot, pte_make(page_to_paddr(page), rights));
    else
        page_pin(page);
    spin_unlock(&f->as->pt_lock);
    if (allowed) {
        vpmap_flush_local(f->va); /* other CPUs find out by a spurious fault */
        return FAULT_DONE;
    }
    if (unpublished) {
        publish_copy(f, page);
        return FAULT_DONE;
    }
    enum fault_result result = copy_page(f, page, page);
    page_unpin(page);
    return result;
}

/* One try, A held shared. */
static enum fault_result fault_pass(struct fault *f) REQUIRES_READ(f->as->lock)
{
    f->r = region_at_or_above(f->as, f->va);
    if (!f->r || f->va < f->r->beg)
        return FAULT_NO_REGION;
    if (!(prot_allows(f->r->prot) & f->access))
        return FAULT_NO_RIGHT;
    if (f->r->mapping)
        f->cuts = memstore_cuts(f->r->mapping->store);
    spin_lock(&f->as->pt_lock);
    pte_t *slot = vpmap_slot(&f->as->vpmap, f->va, true);
    if (slot)
        f->seen = pte_load(slot);
    spin_unlock(&f->as->pt_lock);
    if (!slot)
        return FAULT_NO_MEMORY;
    if (pte_present(f->seen)) {
        if (!(pte_prot(f->seen) & f->access))
            return present_refused(f);
        count(&f->as->stats.faults_spurious);
        vpmap_flush_local(f->va);
        return FAULT_DONE;
    }
    return f->r->mapping ? store_absent(f) : anon_absent(f);
}

/* Brings the wanted page into its store's cache.  No lock held. */
static enum fault_result fetch_wanted(struct fault *f)
{
    struct page *page;
    err_t err = memstore_page(f->want, f->want_idx, &page);
    if (!err)
        page_unpin(page);
    memstore_put(f->want);
    count(&f->as->stats.faults_filled);
    if (!err)
        return FAULT_RETRY;
    return err == -ENOMEM ? FAULT_NO_MEMORY : FAULT_BEYOND_END;
}

enum fault_result vm_fault(struct addrspace *as, uintptr_t addr, unsigned access)
{
    assert_may_sleep("vm_fault");
    if (addr < USER_BEG || addr >= USER_END)
        return FAULT_NO_REGION;
    struct fault f = {.as = as, .va = ALIGN_DOWN(addr, PAGE_BYTES), .access = access};
    enum fault_result result;
    count(&as->stats.faults);
    do {
        rwlock_read(&f.as->lock);
        result = fault_pass(&f);
        rwlock_read_done(&f.as->lock);
        if (result == FAULT_RETRY)
            result = fetch_wanted(&f);
    } while (result == FAULT_RETRY);
    return result;
}

/* Makes the page at `va` writable and returns it with a pin; NULL when it cannot be. */
static struct page *pin_for_write(struct addrspace *as, uintptr_t va)
{
    for (;;) {
        if (vm_fault(as, va, VP_WRITE) != FAULT_DONE)
            return NULL;
        struct page *page = NULL;
        rwlock_read(&as->lock);
        spin_lock(&as->pt_lock);
        pte_t *slot = vpmap_slot(&as->vpmap, va, false);
        pte_t pte = slot ? pte_load(slot) : 0;
        if (pte_prot(pte) & VP_WRITE) {
            page = paddr_to_page(pte_paddr(pte));
            page_pin(page);
        }
        spin_unlock(&as->pt_lock);
        rwlock_read_done(&as->lock);
        if (page)
            return page;
    }
}

static err_t write_or_zero(struct addrspace *as, uintptr_t addr, const char *data, size_t bytes)
{
    while (bytes) {
        size_t offset = addr % PAGE_BYTES, n = MIN(bytes, PAGE_BYTES - offset);
        struct page *page = pin_for_write(as, addr - offset);
        if (!page)
            return -EFAULT;
        char *dst = (char *)page_to_ptr(page) + offset;
        if (data) {
            memcpy(dst, data, n);
            data += n;
        } else {
            memset(dst, 0, n);
        }
        page_unpin(page);
        addr += n;
        bytes -= n;
    }
    return 0;
}

err_t addrspace_write(struct addrspace *as, uintptr_t addr, const void *data, size_t bytes)
{
    return write_or_zero(as, addr, data, bytes);
}

err_t addrspace_zero(struct addrspace *as, uintptr_t addr, size_t bytes)
{
    return write_or_zero(as, addr, NULL, bytes);
}
