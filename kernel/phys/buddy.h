/* Inside of kernel/phys: the frame database and the buddy lists under pmem.c, and allocation
 * without failpoints. */
#pragma once

#include <kernel/phys/pmem.h>

/* page->order of the first frame of a block that is on a buddy list; below it, the order.  Written
 * under the pmem lock only, so a block that is being given back can trust what it sees in its
 * buddy. */
#define ORDER_LISTED 0x80u

/* Builds the database: everything reserved, then the free RAM on the lists.  Returns the frames on
 * the lists. */
size_t buddy_init(const struct bootinfo *info);

/* A block off the lists, or NULL.  Its frames keep use PAGE_FREE. */
struct page *buddy_take(unsigned order);

/* Up to `max` single frames under one hold of the lock; how many. */
unsigned buddy_take_frames(struct page **frames, unsigned max);

/* Blocks back to the lists.  Their frames have use PAGE_FREE already. */
void buddy_give(struct page *page, unsigned order);
void buddy_give_frames(struct page **frames, unsigned n);

/* The database, for walkers. */
struct page *buddy_pages(size_t *npages);

/* page_alloc() for callers that have asked failpoint_hit(FAIL_ALLOC) themselves; `site` is
 * recorded. */
struct page *page_alloc_at(enum page_use use, unsigned order, unsigned flags, uintptr_t site);
