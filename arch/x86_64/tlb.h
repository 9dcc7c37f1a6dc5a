/* TLB shootdown. */
#pragma once

/* The interrupt that asks this CPU to catch up with its map's generation.  Interrupts off. */
void tlb_interrupt(void);

/* Makes every CPU that still has `map` loaded leave it; no thread uses it any more.  May wait for
 * other CPUs. */
struct vpmap;
void tlb_evict(struct vpmap *map);
