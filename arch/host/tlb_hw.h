/* What arch/common/tlb.c and vpmap.c ask of the CPU: here, of the model in tlb_model.c. */
#pragma once

#include "sim.h"
#include <arch/mmu.h>

/* Loads the tables below `root`, none when NULL; this CPU forgets all entries. */
void tlb_load(pte_t *root);

/* This CPU forgets the entry for `va`, and what it remembers of the tables above any. */
void tlb_drop_page(uintptr_t va);

static inline void tlb_interrupt_cpu(unsigned cpu)
{
    sim_interrupt(cpu, SIM_IRQ_TLB);
}

/* The kernel has no half of its own in these tables. */
static inline void tlb_root_init(pte_t *root) {}
