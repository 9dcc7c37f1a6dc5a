/* Physical memory: one struct page per frame, a buddy allocator, per-CPU caches of single frames.
 */
#pragma once

#include <arch/mmu.h>
#include <lib/list.h>

enum page_use {
    PAGE_RESERVED, /* never allocated: firmware, kernel image, initramfs, the frame database */
    PAGE_FREE,
    PAGE_KERNEL, /* stacks, tables of the kernel */
    PAGE_SLAB,   /* kmem */
    PAGE_TABLE,  /* page tables */
    PAGE_ANON,   /* private memory of processes */
    PAGE_CACHE,  /* a memstore's page */
    PAGE_USES
};

/* c set while allocating, then constant   a atomic   o the owner's lock (by use)   z pmem lock */
struct page {
    uint32_t
        pins;    /* a  one a pte, one for the indexing cache, one a borrower; the last drop frees */
    uint8_t use; /* c  enum page_use */
    uint8_t order; /* c  of the block this page heads */
    uint8_t busy;  /* o  cache: being filled, contents not valid.  Private: a copy that a CPU may
                      not know yet, not writable */
    uint8_t dirty; /* a  cache: written since last writeback */
    union {
        struct list node; /* z when free; o otherwise */
        struct {
            struct kmem_slab *slab; /* slab pages */
        };
    };
    uint32_t site;    /* c  low half of the return address of the allocation, for the audit */
    uint8_t promised; /* o  cache: its frame was set aside for it */
    uint8_t fresh;    /* o  cache: memstore_populate brought it in, and nobody has asked for it */
    uint8_t level;    /* o  table: its level, while it waits to be freed */
    uint8_t unused[1];
};
_Static_assert(sizeof(struct page) == 32, "one struct page per frame: keep it small");

#define PMEM_ORDER_MAX 10 /* largest block: 2^10 frames, 4 MiB */

/* Page contents on allocation: zeroed, or junk in debug builds. */
#define PMEM_ZERO     1u
#define PMEM_PROMISED 2u /* a frame of an earlier pmem_promise(): only a failpoint refuses it */

/* Builds the frame database from the boot memory map.  Boot CPU, before any allocation. */
void pmem_init(const struct bootinfo *info);

/* A block of 2^order frames with one pin, aligned to its size; NULL when there is none or a
 * failpoint hits. Never sleeps; any context but under pmem's lock. */
struct page *page_alloc(enum page_use use, unsigned order, unsigned flags);

/* Frees a block of pins == 1 (or drops the only pin). */
void page_free(struct page *page);

/* Promises: n frames set aside, to be taken one by one with PMEM_PROMISED, or given back.  False
 * when there are not enough (A7).  Promises and user memory leave a reserve to the kernel's own
 * needs, 1/32 of memory. */
bool pmem_promise(size_t npages);
void pmem_unpromise(size_t npages);

/* A frame taken with PMEM_PROMISED is about to be freed, and to be promised to its owner as before.
 * Before, so that nobody else can claim it in between. */
void pmem_promise_again(void);

/* Pins of order-0 pages.  page_unpin frees the page on the last drop; true when it did. */
void page_pin(struct page *page);
bool page_unpin(struct page *page);
uint32_t page_pins(const struct page *page);

paddr_t page_to_paddr(const struct page *page);
void *page_to_ptr(const struct page *page);

/* The page of a frame; NULL when `paddr` is outside the database. */
struct page *paddr_to_page(paddr_t paddr);
struct page *ptr_to_page(const void *ptr); /* of a direct-map address */

size_t pmem_total_pages(void);
size_t pmem_free_pages(void); /* per-CPU caches included */

/* Returns frames of all per-CPU caches to the buddy lists.  Quiet point: no other CPU allocates. */
void pmem_drain(void);

struct audit;
void pmem_audit(struct audit *audit);

/* Invariant walker: the buddy lists hold free, aligned blocks, each once.  Panics on the first
 * violation. */
void pmem_check(void);

/* Prints, for pages of a use other than free or reserved, how many each allocation site holds. */
void pmem_print_sites(void);
