/* CPUs of the host: a POSIX thread that sets its number is a CPU.  Interrupts are a flag of the
 * thread; nothing ever interrupts it, but code that forgets to save and restore the flag is found
 * out. */
#pragma once

#include <lib/util.h>

struct thread;

extern _Thread_local unsigned host_cpu_id;
extern _Thread_local bool host_irq_on;
extern _Thread_local struct thread *host_current;

static inline unsigned arch_cpu_id(void)
{
    return host_cpu_id;
}

static inline struct thread *arch_current(void)
{
    return host_current;
}

static inline void arch_set_current(struct thread *t)
{
    host_current = t;
}

static inline bool arch_irq_save(void)
{
    bool was_on = host_irq_on;
    host_irq_on = false;
    return was_on;
}

static inline void arch_irq_restore(bool was_on)
{
    host_irq_on = was_on;
}

static inline bool arch_irq_enabled(void)
{
    return host_irq_on;
}

static inline void arch_irq_enable(void)
{
    host_irq_on = true;
}

static inline void arch_irq_disable(void)
{
    host_irq_on = false;
}

/* A host CPU may be one of many threads on one processor: give it up, or a spin lasts a time slice.
 */
int sched_yield(void);

static inline void arch_cpu_relax(void)
{
    sched_yield();
}

static inline uint64_t arch_cycles(void)
{
    static _Thread_local uint64_t cycles;
    return cycles += 1000;
}
