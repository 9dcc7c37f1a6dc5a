#include "buddy.h"
#include <arch/cpu.h>
#include <arch/poison.h>
#include <kernel/base/audit.h>
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/phys/failpoint.h>
#include <lib/string.h>

#define CACHE_FRAMES 64
#define CACHE_BATCH  32
/* When somebody watches: how many freed frames wait in a cache before the first is reused. */
#define CACHE_HELD (ARCH_REDZONE_BYTES ? 16u : 0u)

#define JUNK_ALLOC 0xa5
#define JUNK_FREE  0x5a

/* Free single frames of one CPU.  Its owner comes with interrupts off; another CPU comes only when
 * all else is empty. `busy` settles between them: held for a few instructions, so it is no lock of
 * the rank table, but it may be held while the pmem lock is taken. */
struct frame_cache {
    bool busy;
    unsigned n;
    struct page *frames[CACHE_FRAMES];
};

static struct frame_cache caches[CPUS_MAX];
static size_t total_pages;
static size_t use_pages[PAGE_USES]; /* atomic; a cached frame is PAGE_FREE */

/* Free frames that are not promised to anybody.  Atomic; below zero only while a promise is renewed
 * before its frame is back. */
static int64_t available_pages;
static int64_t reserve_pages; /* constant: what user memory leaves to the kernel */

static void cache_enter(struct frame_cache *cache)
{
    while (__atomic_exchange_n(&cache->busy, true, __ATOMIC_ACQUIRE))
        arch_cpu_relax();
}

static void cache_leave(struct frame_cache *cache)
{
    __atomic_store_n(&cache->busy, false, __ATOMIC_RELEASE);
}

static void count_move(enum page_use from, enum page_use to, size_t n)
{
    __atomic_fetch_sub(&use_pages[from], n, __ATOMIC_RELAXED);
    __atomic_fetch_add(&use_pages[to], n, __ATOMIC_RELAXED);
}

static size_t count_read(enum page_use use)
{
    return __atomic_load_n(&use_pages[use], __ATOMIC_RELAXED);
}

void pmem_init(const struct bootinfo *info)
{
    total_pages = buddy_init(info);
    use_pages[PAGE_FREE] = total_pages;
    available_pages = (int64_t)total_pages;
    reserve_pages = MAX((int64_t)total_pages / 32, 64);
}

size_t pmem_total_pages(void)
{
    return total_pages;
}

size_t pmem_free_pages(void)
{
    return count_read(PAGE_FREE);
}

/* Takes n of what is available if `floor` is left.  A claim that is refused must not show for a
 * moment: others would be refused because of it. */
static bool claim(size_t n, int64_t floor)
{
    int64_t have = __atomic_load_n(&available_pages, __ATOMIC_RELAXED);
    do {
        if (have - (int64_t)n < floor)
            return false;
    } while (!__atomic_compare_exchange_n(&available_pages, &have, have - (int64_t)n, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static void unclaim(size_t n)
{
    __atomic_fetch_add(&available_pages, (int64_t)n, __ATOMIC_RELAXED);
}

bool pmem_promise(size_t npages)
{
    if (npages == 0) /* even when the kernel has gone into the reserve */
        return true;
    return npages <= total_pages && !failpoint_hit(FAIL_ALLOC) && claim(npages, reserve_pages);
}

void pmem_unpromise(size_t npages)
{
    unclaim(npages);
}

void pmem_promise_again(void)
{
    __atomic_fetch_sub(&available_pages, 1, __ATOMIC_RELAXED);
}

static bool is_user_memory(enum page_use use)
{
    return use == PAGE_ANON || use == PAGE_CACHE;
}

void pmem_drain(void)
{
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        struct frame_cache *cache = &caches[cpu];
        bool irq = irq_save();
        cache_enter(cache);
        if (cache->n)
            buddy_give_frames(cache->frames, cache->n);
        cache->n = 0;
        cache_leave(cache);
        irq_restore(irq);
    }
}

/* The frame freed last, or first when somebody watches; the cache is not empty. */
static struct page *pop_cached(struct frame_cache *cache)
{
    if (ARCH_REDZONE_BYTES == 0)
        return cache->frames[--cache->n];
    struct page *oldest = cache->frames[0];
    cache->n--;
    memmove(cache->frames, cache->frames + 1, cache->n * sizeof(cache->frames[0]));
    return oldest;
}

/* Interrupts off. */
static struct page *take_cached(void)
{
    struct frame_cache *cache = &caches[arch_cpu_id()];
    cache_enter(cache);
    if (cache->n <= CACHE_HELD)
        cache->n += buddy_take_frames(cache->frames + cache->n, CACHE_BATCH);
    struct page *page = cache->n ? pop_cached(cache) : NULL;
    cache_leave(cache);
    return page;
}

/* Interrupts off. */
static void give_cached(struct page *page)
{
    struct frame_cache *cache = &caches[arch_cpu_id()];
    cache_enter(cache);
    if (cache->n == CACHE_FRAMES) {
        cache->n -= CACHE_BATCH;
        buddy_give_frames(cache->frames + cache->n, CACHE_BATCH);
    }
    cache->frames[cache->n++] = page;
    cache_leave(cache);
}

static struct page *take_once(enum page_use use, unsigned order)
{
    bool irq = irq_save();
    struct page *page = order == 0 ? take_cached() : buddy_take(order);
    if (page)
        count_move(PAGE_FREE, use, (size_t)1 << order);
    irq_restore(irq);
    return page;
}

/* A single frame is refused only when none is free: memory that was promised can be had, even when
 * it rests in the caches of other CPUs.  A frame that is counted as free may be on its way between
 * lists, but only within another CPU's few instructions with interrupts off: hence the loop. */
static struct page *take_block(enum page_use use, unsigned order)
{
    struct page *page = take_once(use, order);
    if (page)
        return page;
    do {
        pmem_drain();
        page = take_once(use, order);
    } while (!page && order == 0 && pmem_free_pages() > 0);
    return page;
}

struct page *page_alloc_at(enum page_use use, unsigned order, unsigned flags, uintptr_t site)
{
    assert_not_interrupt("page_alloc");
    ASSERTF(use > PAGE_FREE && use < PAGE_USES && order <= PMEM_ORDER_MAX, "use=%d order=%u", use,
            order);
    size_t n = (size_t)1 << order;
    bool promised = flags & PMEM_PROMISED;
    if (!promised && !claim(n, is_user_memory(use) ? reserve_pages : 0))
        return NULL;
    struct page *page = take_block(use, order);
    if (!page) {
        if (!promised)
            unclaim(n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        ASSERTF(page[i].use == PAGE_FREE && page[i].pins == 0, "frame %#llx: use=%d pins=%u",
                (unsigned long long)page_to_paddr(&page[i]), page[i].use, page[i].pins);
        page[i].use = (uint8_t)use;
    }
    __atomic_store_n(&page->order, (uint8_t)order, __ATOMIC_RELAXED); /* a buddy may look */
    page->busy = page->dirty = page->promised = page->fresh = 0;
    page->site = (uint32_t)site;
    list_init(&page->node);
    __atomic_store_n(&page->pins, 1, __ATOMIC_RELAXED);

    if (ARCH_REDZONE_BYTES)
        arch_unpoison(page_to_ptr(page), n * PAGE_BYTES);
    if (flags & PMEM_ZERO)
        memset(page_to_ptr(page), 0, n * PAGE_BYTES);
    else if (KERNEL_DEBUG)
        memset(page_to_ptr(page), JUNK_ALLOC, n * PAGE_BYTES);
    return page;
}

struct page *page_alloc(enum page_use use, unsigned order, unsigned flags)
{
    if (failpoint_hit(FAIL_ALLOC))
        return NULL;
    return page_alloc_at(use, order, flags, (uintptr_t)__builtin_return_address(0));
}

/* The last pin is gone. */
static void free_block(struct page *page)
{
    enum page_use use = page->use;
    unsigned order = page->order;
    size_t n = (size_t)1 << order;
    ASSERTF(use > PAGE_FREE && use < PAGE_USES && order <= PMEM_ORDER_MAX,
            "frame %#llx: use=%d order=%u", (unsigned long long)page_to_paddr(page), use, order);
    if (ARCH_REDZONE_BYTES)
        arch_unpoison(page_to_ptr(page), n * PAGE_BYTES); /* its owner may have poisoned parts */
    if (KERNEL_DEBUG)
        memset(page_to_ptr(page), JUNK_FREE, n * PAGE_BYTES);
    if (ARCH_REDZONE_BYTES)
        arch_poison(page_to_ptr(page), n * PAGE_BYTES);
    for (size_t i = 0; i < n; i++)
        page[i].use = PAGE_FREE;
    __atomic_store_n(&page->order, 0, __ATOMIC_RELAXED);

    bool irq = irq_save();
    count_move(use, PAGE_FREE,
               n); /* first: a frame that others can take must not be missing from the count */
    if (order == 0)
        give_cached(page);
    else
        buddy_give(page, order);
    irq_restore(irq);
    unclaim(n);
}

void page_free(struct page *page)
{
    uint32_t pins = 1;
    bool sole = __atomic_compare_exchange_n(&page->pins, &pins, 0, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED);
    ASSERTF(sole, "frame %#llx is freed with %u pins, use=%d",
            (unsigned long long)page_to_paddr(page), pins, page->use);
    free_block(page);
}

void page_pin(struct page *page)
{
    uint32_t old = __atomic_fetch_add(&page->pins, 1, __ATOMIC_RELAXED);
    ASSERTF(old != 0 && old < UINT32_MAX / 2 && page->order == 0,
            "frame %#llx: pins=%u use=%d order=%u", (unsigned long long)page_to_paddr(page), old,
            page->use, page->order);
}

bool page_unpin(struct page *page)
{
    uint32_t old = __atomic_fetch_sub(&page->pins, 1, __ATOMIC_ACQ_REL);
    ASSERTF(old != 0, "frame %#llx: unpinned while free, use=%d",
            (unsigned long long)page_to_paddr(page), page->use);
    if (old != 1)
        return false;
    free_block(page);
    return true;
}

uint32_t page_pins(const struct page *page)
{
    return __atomic_load_n(&page->pins, __ATOMIC_ACQUIRE);
}

void pmem_audit(struct audit *audit)
{
    static const char *const names[PAGE_USES] = {
        [PAGE_FREE] = "frames free",      [PAGE_KERNEL] = "frames kernel",
        [PAGE_SLAB] = "frames slab",      [PAGE_TABLE] = "frames table",
        [PAGE_ANON] = "frames anonymous", [PAGE_CACHE] = "frames cache",
    };
    for (enum page_use use = PAGE_FREE; use < PAGE_USES; use++)
        audit_add(audit, names[use], count_read(use));
    int64_t available = __atomic_load_n(&available_pages, __ATOMIC_RELAXED);
    audit_add(audit, "frames promised", count_read(PAGE_FREE) - (size_t)available);
}
