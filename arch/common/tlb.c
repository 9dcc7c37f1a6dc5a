/* Which CPU has which map loaded, and TLB shootdown without locks.
 *
 * Each map has a generation `gen`, a mask `cpus` of the CPUs that may have it loaded, and for each
 * of them the generation `seen` that its TLB is good for.
 *
 *   flusher F                               CPU C that loads the map
 *   F1  change the entry (locked)           C1  set C's bit in cpus (locked)
 *   F2  mine = ++gen (locked)               C2  g = gen
 *   F3  read cpus                           C3  load CR3: later walks read memory
 *   F4  interrupt those CPUs                C4  seen[C] = g
 *   F5  wait: bit gone, or seen >= mine
 *
 * Locked operations are full barriers and totally ordered on x86 (SDM vol. 3, 9.2.2, 9.2.3.9).  If
 * F3 does not see C's bit, then F3 comes before C1, so F1 before C3: C's walks find the new entry.
 * If it does see it, F waits.  Then either C2 read at least `mine`, so that F1 came before C2 and
 * C3, and C4 ends the wait rightly; or it read less, the interrupt of F4 comes after C4 (interrupts
 * are off from C1 to C4), and its handler does C2 to C4 again.
 *
 * `seen` is only ever raised to a value of gen read before a whole flush, or by one when the range
 * of just that generation was flushed: it never claims a generation whose range is still in the
 * TLB.
 *
 * A CPU that goes on in a kernel thread keeps the map loaded, with its bit set (`lazy`).  At the
 * first interrupt, or before it halts, it leaves for good: kernel map first, then the bit.  Whoever
 * finds the bit gone knows that CR3 has been loaded since.  A lazy CPU that still has the map has
 * missed nothing, so going on in it is free.
 *
 * Model: tests/spin/tlb.pml
 */
#include "tlb.h"
#include "tlb_hw.h"
#include <arch/mmu.h>
#include <kernel/base/panic.h>

#define FLUSH_PAGES_MAX 32 /* beyond, all of the TLB goes */

/* Interrupts off, the map is this CPU's. */
static void map_catch_up(struct vpmap *map, unsigned cpu)
{
    uint64_t gen = __atomic_load_n(&map->gen, __ATOMIC_SEQ_CST);
    tlb_load(map->root);
    __atomic_store_n(&map->seen[cpu], gen, __ATOMIC_RELEASE);
}

/* Goes to the kernel's own map.  Interrupts off. */
static void map_leave(struct cpu_local *cpu)
{
    struct vpmap *map = cpu->map;
    tlb_load(NULL);
    cpu->map = NULL;
    __atomic_fetch_and(&map->cpus, ~(1u << cpu->id), __ATOMIC_SEQ_CST);
}

void vpmap_activate(struct vpmap *map)
{
    struct cpu_local *cpu = cpu_self();
    cpu->lazy = map == NULL;
    if (map == NULL || cpu->map == map)
        return;
    struct vpmap *old = cpu->map;
    __atomic_fetch_or(&map->cpus, 1u << cpu->id, __ATOMIC_SEQ_CST);
    map_catch_up(map, cpu->id);
    cpu->map = map;
    if (old)
        __atomic_fetch_and(&old->cpus, ~(1u << cpu->id), __ATOMIC_SEQ_CST);
}

void tlb_interrupt(void)
{
    struct cpu_local *cpu = cpu_self();
    if (cpu->map == NULL)
        return;
    if (cpu->lazy)
        map_leave(cpu);
    else
        map_catch_up(cpu->map, cpu->id);
}

void tlb_halting(void)
{
    struct cpu_local *cpu = cpu_self();
    if (cpu->map && cpu->lazy)
        map_leave(cpu);
}

static void flush_this_cpu(struct vpmap *map, struct cpu_local *cpu, uint64_t gen, uintptr_t beg,
                           uintptr_t end)
{
    uint64_t seen = __atomic_load_n(&map->seen[cpu->id], __ATOMIC_RELAXED);
    if (seen >= gen)
        return; /* an interrupt has done it meanwhile */
    if (end <= beg || (end - beg) / PAGE_BYTES > FLUSH_PAGES_MAX || seen + 1 != gen) {
        map_catch_up(map, cpu->id);
        return;
    }
    for (uintptr_t va = beg; va < end; va += PAGE_BYTES)
        tlb_drop_page(va);
    __atomic_store_n(&map->seen[cpu->id], gen, __ATOMIC_RELEASE);
}

/* Interrupts each CPU of `mask`. */
static void interrupt_cpus(uint32_t mask)
{
    for (; mask; mask &= mask - 1)
        tlb_interrupt_cpu((unsigned)__builtin_ctz(mask));
}

void vpmap_flush(struct vpmap *map, uintptr_t beg, uintptr_t end)
{
    DEBUG_ASSERT(arch_irq_enabled());
    arch_irq_disable();
    struct cpu_local *cpu = cpu_self();
    uint64_t gen = __atomic_add_fetch(&map->gen, 1, __ATOMIC_SEQ_CST);
    if (cpu->map == map)
        flush_this_cpu(map, cpu, gen, ALIGN_DOWN(beg, PAGE_BYTES), ALIGN_UP(end, PAGE_BYTES));
    uint32_t others = __atomic_load_n(&map->cpus, __ATOMIC_SEQ_CST) & ~(1u << cpu->id);
    interrupt_cpus(others);
    arch_irq_enable();

    /* With interrupts on: two CPUs that flush at once must answer each other.  It does not matter
     * if this thread moves to another CPU meanwhile. */
    for (; others; others &= others - 1) {
        unsigned other = __builtin_ctz(others);
        while ((__atomic_load_n(&map->cpus, __ATOMIC_SEQ_CST) & 1u << other) &&
               __atomic_load_n(&map->seen[other], __ATOMIC_ACQUIRE) < gen)
            arch_cpu_relax();
    }
}

void vpmap_flush_local(uintptr_t va)
{
    tlb_drop_page(va);
}

/* Makes every CPU that has `map` loaded lazily leave it; no thread uses it any more. */
void tlb_evict(struct vpmap *map)
{
    bool irq = arch_irq_save();
    struct cpu_local *cpu = cpu_self();
    if (cpu->map == map)
        map_leave(cpu);
    uint32_t others = __atomic_load_n(&map->cpus, __ATOMIC_SEQ_CST);
    interrupt_cpus(others);
    arch_irq_restore(irq);
    ASSERT(others == 0 || irq);
    while (__atomic_load_n(&map->cpus, __ATOMIC_SEQ_CST) != 0)
        arch_cpu_relax();
}
