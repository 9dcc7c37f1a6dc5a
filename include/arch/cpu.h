/* CPUs, interrupts and the current thread. */
#pragma once

#include <lib/util.h>

#define CPUS_MAX 16

struct thread;

/* Inline in <machine/cpu.h>:
 *   unsigned arch_cpu_id(void);               0 .. arch_cpu_count()-1; call with interrupts off
 *   struct thread *arch_current(void);        set by arch_set_current; any context
 *   void arch_set_current(struct thread *t);  this CPU's current thread; interrupts off
 *   bool arch_irq_save(void);                 turns interrupts off; was it on?
 *   void arch_irq_restore(bool was_on);
 *   bool arch_irq_enabled(void);
 *   void arch_irq_enable(void);
 *   void arch_irq_disable(void);
 *   void arch_cpu_relax(void);                a hint in spin loops
 *   uint64_t arch_cycles(void);               a cheap counter, for entropy and traces, not for time
 */
#include <machine/cpu.h>

/* CPUs that are running: 1 until arch_start_cpus() returns, constant after. */
unsigned arch_cpu_count(void);

/* Starts the other CPUs, at most `max` in all; returns when each has called kernel_cpu_main(). */
void arch_start_cpus(unsigned max);

/* Turns interrupts on and waits for one, atomically; returns with interrupts on. */
void arch_cpu_wait(void);

/* Makes `cpu` call kernel_resched_irq() soon.  Any context. */
void arch_cpu_kick(unsigned cpu);

/* For panic: stops every other CPU for good.  Never waits longer than a few milliseconds. */
void arch_stop_others(void);

/* Ends the machine with `code` (abi/exit.h), or halts when the machine has no such device. */
_Noreturn void arch_power_off(unsigned code);
