/* CPUs of the host machine.  Whoever links this says what a CPU is: arch/host/sim.c simulates
 * several in one Linux thread; the unit tests take one POSIX thread for each. */
#pragma once

#include <lib/util.h>

struct thread;

/* What portable code can see of a CPU. */
struct host_cpu {
    unsigned id;
    bool irq_on;
    struct thread *current;
};

/* This CPU.  Not to be kept over a call that may switch. */
struct host_cpu *host_cpu_self(void);

/* Another CPU may go on here, for any time; and this one takes its interrupts if it has them on.
 * Every change of the interrupt flag comes by, so every lock, unlock, wait and allocation does. */
void host_point(void);

static inline unsigned arch_cpu_id(void)
{
    return host_cpu_self()->id;
}

static inline struct thread *arch_current(void)
{
    return host_cpu_self()->current;
}

static inline void arch_set_current(struct thread *t)
{
    host_cpu_self()->current = t;
}

static inline bool arch_irq_enabled(void)
{
    return host_cpu_self()->irq_on;
}

static inline void arch_irq_enable(void)
{
    host_cpu_self()->irq_on = true;
    host_point();
}

static inline void arch_irq_disable(void)
{
    host_cpu_self()->irq_on = false;
    host_point();
}

static inline bool arch_irq_save(void)
{
    bool was_on = host_cpu_self()->irq_on;
    host_cpu_self()->irq_on = false;
    host_point();
    return was_on;
}

static inline void arch_irq_restore(bool was_on)
{
    host_cpu_self()->irq_on = was_on;
    host_point();
}

/* Lets another CPU go on: the one that is waited for, sooner or later. */
void arch_cpu_relax(void);

uint64_t arch_cycles(void);
