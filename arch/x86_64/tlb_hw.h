/* What tlb.c and vpmap.c ask of the CPU. */
#pragma once

#include "apic.h"
#include "cpu.h"
#include "kmap.h"
#include "trap.h"
#include "x86.h"

/* Loads the tables below `root`, the kernel's own when NULL; this CPU forgets all user entries.
 * Interrupts off. */
static inline void tlb_load(pte_t *root)
{
    cr3_write(root ? arch_ptr_to_paddr(root) : kmap_root_paddr());
}

/* This CPU forgets the entry for `va`, and what it remembers of the tables above it. */
static inline void tlb_drop_page(uintptr_t va)
{
    invlpg(va);
}

/* Makes `cpu` call tlb_interrupt(). */
static inline void tlb_interrupt_cpu(unsigned cpu)
{
    apic_send(cpus[cpu].apic_id, VECTOR_TLB);
}

/* Puts into a new, empty root what every root has. */
static inline void tlb_root_init(pte_t *root)
{
    kmap_share(root);
}
