/* Memory before there is an allocator: lists of ranges, and pages taken from them. */
#pragma once

#include <arch/mmu.h>

#define BOOT_MAP_BYTES (1ul << 32)

/* Ends of the parts of the kernel image; page aligned (linker.ld). */
extern const char image_text_beg[], image_text_end[], image_rodata_end[], image_end[];

/* Physical address of something in the kernel image. */
paddr_t image_paddr(const void *p);

/* Adds [beg, end) to an ascending list without overlaps.  False when the list is full. */
bool range_add(struct prange *list, unsigned *n, paddr_t beg, paddr_t end);

/* Takes [beg, end) out.  False when a range had to be split and the list is full. */
bool range_remove(struct prange *list, unsigned *n, paddr_t beg, paddr_t end);

bool range_overlaps(const struct prange *list, unsigned n, paddr_t beg, paddr_t end);

/* Is all of [beg, end) in one range of the list? */
bool range_holds(const struct prange *list, unsigned n, paddr_t beg, paddr_t end);

/* The one bootinfo, under construction until kernel_main(). */
extern struct bootinfo bootinfo;

/* Marks [beg, end), rounded out to pages, as in use.  Stops the machine when the list is full. */
void boot_reserve(paddr_t beg, paddr_t end);

/* A zeroed page of RAM below 4 GiB, reserved for good.  Stops the machine when there is none. */
void *boot_page_alloc(void);

/* The boot map covers the first 4 GiB: a pointer to `bytes` at `paddr`, NULL when they are not all
 * there.  All that reads what a firmware or loader wrote asks here first, and reads no byte more
 * than it asked for: tests/fuzz hands out just that.  Not aligned. */
const void *boot_ptr(paddr_t paddr, uint64_t bytes);

/* Says why on the console and ends the machine with EXIT_CODE_BOOT. */
_Noreturn void boot_fail(const char *why);
