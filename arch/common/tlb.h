/* TLB shootdown. */
#pragma once

/* The interrupt that asks this CPU to catch up with its map's generation.  Interrupts off. */
void tlb_interrupt(void);

/* This CPU is about to halt: leaves a map that it only keeps, or whoever changes that would have to
 * wake it and wait.  Interrupts off. */
void tlb_halting(void);

/* Makes every CPU that still has `map` loaded leave it; no thread uses it any more.  May wait for
 * other CPUs. */
struct vpmap;
void tlb_evict(struct vpmap *map);
