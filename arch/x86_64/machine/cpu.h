/* x86-64: CPUs, interrupts and the current thread.  Contract: arch/cpu.h. */
#pragma once

#include <lib/util.h>

/* The per-CPU area is at the GS base in kernel mode; the offsets are in layout.h and checked in
 * cpu.c. */

static inline unsigned arch_cpu_id(void)
{
    unsigned id;
    __asm__ volatile("movl %%gs:32, %0" : "=r"(id));
    return id;
}

/* One instruction, so that a thread that moves to another CPU still reads itself. */
static inline struct thread *arch_current(void)
{
    struct thread *t;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(t));
    return t;
}

static inline void arch_set_current(struct thread *t)
{
    __asm__ volatile("movq %0, %%gs:8" : : "r"(t) : "memory");
}

static inline bool arch_irq_enabled(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return (flags >> 9) & 1;
}

static inline void arch_irq_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void arch_irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline bool arch_irq_save(void)
{
    bool was_on = arch_irq_enabled();
    arch_irq_disable();
    return was_on;
}

static inline void arch_irq_restore(bool was_on)
{
    if (was_on)
        arch_irq_enable();
    else
        arch_irq_disable();
}

static inline void arch_cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline uint64_t arch_cycles(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
