/* The kernel's own half of every address space. */
#pragma once

#include <arch/mmu.h>

/* Builds the final tables from `info` and loads them: the direct map of RAM, the kernel image with
 * its parts' rights.  Takes pages from boot_page_alloc(). */
void kmap_build(const struct bootinfo *info);

/* The entry of a page of the kernel's map; makes the tables.  Boot only. */
pte_t *kmap_entry(uintptr_t va);

/* Of an entry for the kernel's data. */
#define PTE_GLOBAL (1ul << 8)
#define KMAP_RW    (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX | PTE_WRITE)

/* Is `addr` in the unmapped space below a kernel stack? */
bool kmap_is_stack_guard(uintptr_t addr);

/* The root of the kernel's own map, without a user half. */
paddr_t kmap_root_paddr(void);

/* Copies the kernel half's entries, which never change after boot, into a new root. */
void kmap_share(pte_t *root);

/* Maps device registers, uncached; the address in the kernel.  Boot only. */
volatile void *kmap_device(paddr_t paddr, size_t bytes);
