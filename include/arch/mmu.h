/* vpmap: a process's page table, and the direct map of physical memory. */
#pragma once

#include <arch/boot.h>
#include <lib/list.h>

#define PAGE_SHIFT 12
#define PAGE_BYTES ((size_t)1 << PAGE_SHIFT)

/* Inline in <machine/mmu.h>:
 *   USER_BEG, USER_END               user addresses are [USER_BEG, USER_END); not page 0
 *   struct vpmap, pte_t              embedded in an addrspace; one leaf entry, 0 is absent
 *   void *arch_paddr_to_ptr(paddr_t), paddr_t arch_ptr_to_paddr(const void *)    direct map
 *   pte_t pte_make(paddr_t, unsigned prot)    a user page; VP_*, 0: present, allows nothing
 *   bool pte_present(pte_t), pte_dirty(pte_t); paddr_t pte_paddr(pte_t); unsigned pte_prot(pte_t)
 *   pte_t pte_load(pte_t *slot), pte_swap(pte_t *slot, pte_t new)   atomic; swap returns the old */
#define VP_READ  1u
#define VP_WRITE 2u
#define VP_EXEC  4u

#include <machine/mmu.h>

/* Makes an empty user half.  -ENOMEM. */
int vpmap_init(struct vpmap *map);

/* Frees all tables.  No leaf entry is left and no thread uses the map; CPUs that still have it
 * loaded leave it. May wait for other CPUs: interrupts on, no spin lock. */
void vpmap_destroy(struct vpmap *map);

/* Loads the map on this CPU, or the kernel's own when NULL.  Interrupts off. */
void vpmap_activate(struct vpmap *map);

/* The leaf slot for `va`.  With `create`, makes the tables; NULL when out of memory, or absent
 * without `create`. The caller holds the lock of the address space's page table. */
pte_t *vpmap_slot(struct vpmap *map, uintptr_t va, bool create);

/* The first present slot in [*va, end), its address in *va.  NULL: there is none before *va, which
 * is then `end`, or less when *looks entries have been looked at, which it counts down.  Lock as
 * above. */
pte_t *vpmap_next(struct vpmap *map, uintptr_t *va, uintptr_t end, unsigned *looks);

/* After [beg, end) has been unmapped, whose mapped neighbours end at `floor` and begin at
 * `ceiling`: unlinks the tables that serve no address outside [floor, ceiling); appends the
 * uppermost of them (struct page.node) to `tables`.  Lock as above; then flush, then
 * vpmap_free_tables, without the lock: the tables below the listed ones, of any number, go too. */
void vpmap_unlink_tables(struct vpmap *map, uintptr_t beg, uintptr_t end, uintptr_t floor,
                         uintptr_t ceiling, struct list *tables);
void vpmap_free_tables(struct list *tables);

/* After it returns, no CPU uses an entry of [beg, end) that was replaced before the call.  Waits
 * for other CPUs: interrupts on, no spin lock. */
void vpmap_flush(struct vpmap *map, uintptr_t beg, uintptr_t end);

/* Forgets a stale "not allowed" of this CPU after a spurious fault. */
void vpmap_flush_local(uintptr_t va);
