#include "buddy.h"
#include <arch/poison.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/spinlock.h>
#include <lib/string.h>

static struct page *pages; /* one a frame, from the lowest to the highest of the RAM */
static size_t base_pfn;    /* frame number of pages[0] */
static size_t npages;

static struct spinlock pmem_lock = SPINLOCK_INIT("pmem", RANK_PMEM);
static struct list free_lists[PMEM_ORDER_MAX + 1] GUARDED_BY(pmem_lock);

paddr_t page_to_paddr(const struct page *page)
{
    return (paddr_t)(base_pfn + (size_t)(page - pages)) << PAGE_SHIFT;
}

void *page_to_ptr(const struct page *page)
{
    return arch_paddr_to_ptr(page_to_paddr(page));
}

struct page *paddr_to_page(paddr_t paddr)
{
    size_t pfn = paddr >> PAGE_SHIFT;
    return pfn >= base_pfn && pfn - base_pfn < npages ? &pages[pfn - base_pfn] : NULL;
}

struct page *ptr_to_page(const void *ptr)
{
    return paddr_to_page(arch_ptr_to_paddr(ptr));
}

struct page *buddy_pages(size_t *n)
{
    *n = npages;
    return pages;
}

/* The pmem lock is held for these two. */
static void list_block(struct page *page, unsigned order) REQUIRES(pmem_lock)
{
    __atomic_store_n(&page->order, (uint8_t)(ORDER_LISTED | order), __ATOMIC_RELAXED);
    /* When somebody watches, what was freed last is used last. */
    if (ARCH_REDZONE_BYTES)
        list_push_back(&free_lists[order], &page->node);
    else
        list_push_front(&free_lists[order], &page->node);
}

static void unlist_block(struct page *page)
{
    __atomic_store_n(&page->order, 0, __ATOMIC_RELAXED);
    list_remove(&page->node);
}

static struct page *take_locked(unsigned order) REQUIRES(pmem_lock)
{
    unsigned from = order;
    while (from <= PMEM_ORDER_MAX && list_empty(&free_lists[from]))
        from++;
    if (from > PMEM_ORDER_MAX)
        return NULL;
    struct page *page = list_first(&free_lists[from], struct page, node);
    unlist_block(page);
    while (from > order) {
        from--;
        list_block(page + ((size_t)1 << from), from);
    }
    return page;
}

static void give_locked(struct page *page, unsigned order) REQUIRES(pmem_lock)
{
    while (order < PMEM_ORDER_MAX) {
        paddr_t block_bytes = (paddr_t)PAGE_BYTES << order;
        struct page *buddy = paddr_to_page(page_to_paddr(page) ^ block_bytes);
        if (!buddy || __atomic_load_n(&buddy->order, __ATOMIC_RELAXED) != (ORDER_LISTED | order))
            break;
        unlist_block(buddy);
        page = MIN(page, buddy);
        order++;
    }
    list_block(page, order);
}

struct page *buddy_take(unsigned order)
{
    spin_lock(&pmem_lock);
    struct page *page = take_locked(order);
    spin_unlock(&pmem_lock);
    return page;
}

unsigned buddy_take_frames(struct page **frames, unsigned max)
{
    unsigned n = 0;
    spin_lock(&pmem_lock);
    while (n < max && (frames[n] = take_locked(0)))
        n++;
    spin_unlock(&pmem_lock);
    return n;
}

void buddy_give(struct page *page, unsigned order)
{
    spin_lock(&pmem_lock);
    give_locked(page, order);
    spin_unlock(&pmem_lock);
}

void buddy_give_frames(struct page **frames, unsigned n)
{
    spin_lock(&pmem_lock);
    for (unsigned i = 0; i < n; i++)
        give_locked(frames[i], 0);
    spin_unlock(&pmem_lock);
}

/* The pmem lock is held. */
static size_t check_list(unsigned order) REQUIRES(pmem_lock)
{
    size_t frames = 0;
    list_for_each (node, &free_lists[order]) {
        struct page *page = list_entry(node, struct page, node);
        ASSERTF(page->order == (ORDER_LISTED | order), "frame %#llx: order %#x on list %u",
                (unsigned long long)page_to_paddr(page), page->order, order);
        ASSERT(IS_ALIGNED(page_to_paddr(page), (paddr_t)PAGE_BYTES << order));
        for (size_t i = 0; i < (size_t)1 << order; i++)
            ASSERTF(page[i].use == PAGE_FREE && page_pins(&page[i]) == 0,
                    "frame %#llx is on list %u: use=%d pins=%u",
                    (unsigned long long)page_to_paddr(&page[i]), order, page[i].use,
                    page_pins(&page[i]));
        frames += (size_t)1 << order;
        ASSERTF(frames <= npages, "list %u is a ring", order);
    }
    return frames;
}

void pmem_check(void)
{
    size_t frames = 0;
    spin_lock(&pmem_lock);
    for (unsigned order = 0; order <= PMEM_ORDER_MAX; order++)
        frames += check_list(order);
    ASSERTF(frames <= npages, "%zu frames on the lists of %zu", frames, npages);
    spin_unlock(&pmem_lock);
}

/* What must not be given out: the boot's reserved ranges rounded out to pages, and the database
 * itself. */
struct holes {
    unsigned n;
    struct prange ranges[BOOT_RANGES_MAX + 1];
};

/* The end of a hole that holds `addr`, or 0. */
static paddr_t hole_end_at(const struct holes *holes, paddr_t addr)
{
    for (unsigned i = 0; i < holes->n; i++)
        if (addr >= holes->ranges[i].beg && addr < holes->ranges[i].end)
            return holes->ranges[i].end;
    return 0;
}

/* The next gap of `ram` between holes at or after *from, in whole pages; *from moves behind it. */
static bool gap_next(const struct prange *ram, const struct holes *holes, paddr_t *from,
                     struct prange *gap)
{
    paddr_t beg = *from, end = ram->end;
    for (paddr_t hole_end; beg < end && (hole_end = hole_end_at(holes, beg));)
        beg = hole_end;
    if (beg >= end)
        return false;
    for (unsigned i = 0; i < holes->n; i++)
        if (holes->ranges[i].beg > beg && holes->ranges[i].beg < holes->ranges[i].end)
            end = MIN(end, holes->ranges[i].beg);
    *gap = (struct prange){.beg = beg, .end = end};
    *from = end;
    return true;
}

/* Largest aligned blocks first. */
static size_t give_gap(const struct prange *gap)
{
    paddr_t beg = gap->beg;
    while (beg < gap->end) {
        unsigned order = PMEM_ORDER_MAX;
        while (!IS_ALIGNED(beg, PAGE_BYTES << order) || (PAGE_BYTES << order) > gap->end - beg)
            order--;
        struct page *page = paddr_to_page(beg);
        for (size_t i = 0; i < (size_t)1 << order; i++)
            page[i].use = PAGE_FREE;
        arch_poison(page_to_ptr(page), PAGE_BYTES << order);
        buddy_give(page, order);
        beg += PAGE_BYTES << order;
    }
    return (size_t)(gap->end - gap->beg) >> PAGE_SHIFT;
}

/* Puts the database in the first gap that has room for it, and adds it to the holes. */
static void place_database(const struct bootinfo *info, struct holes *holes)
{
    paddr_t bytes = ALIGN_UP((paddr_t)npages * sizeof(struct page), PAGE_BYTES);
    for (unsigned i = 0; i < info->nram; i++) {
        paddr_t from = info->ram[i].beg;
        for (struct prange gap; gap_next(&info->ram[i], holes, &from, &gap);) {
            if (gap.end - gap.beg < bytes)
                continue;
            pages = arch_paddr_to_ptr(gap.beg);
            memset(pages, 0, bytes); /* every use is PAGE_RESERVED */
            holes->ranges[holes->n++] = (struct prange){.beg = gap.beg, .end = gap.beg + bytes};
            return;
        }
    }
    panic("no room for the frame database of %zu frames", npages);
}

size_t buddy_init(const struct bootinfo *info)
{
    struct holes holes = {.n = info->nreserved};
    for (unsigned i = 0; i < info->nreserved; i++)
        holes.ranges[i] = (struct prange){.beg = ALIGN_DOWN(info->reserved[i].beg, PAGE_BYTES),
                                          .end = ALIGN_UP(info->reserved[i].end, PAGE_BYTES)};
    for (unsigned order = 0; order <= PMEM_ORDER_MAX; order++)
        list_init(&free_lists[order]);

    ASSERT(info->nram > 0);
    base_pfn = info->ram[0].beg >> PAGE_SHIFT;
    npages = (size_t)(info->ram[info->nram - 1].end >> PAGE_SHIFT) - base_pfn;
    place_database(info, &holes);

    size_t free_pages = 0;
    for (unsigned i = 0; i < info->nram; i++) {
        paddr_t from = info->ram[i].beg;
        for (struct prange gap; gap_next(&info->ram[i], &holes, &from, &gap);)
            free_pages += give_gap(&gap);
    }
    return free_pages;
}
