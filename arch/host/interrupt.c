/* What a CPU does when it is interrupted. */
#include "sim.h"
#include "tlb.h"
#include <arch/upcall.h>

/* On the stack of whatever it interrupts, which may go on another CPU. */
void sim_take_interrupts(void)
{
    struct cpu_local *cpu = cpu_self();
    struct arch_thread *t = cpu->thread;
    bool user = t && t->user_mode;
    unsigned pending = sim_take_pending(cpu);
    cpu->seen.irq_on = false;
    if (user)
        t->user_mode = false;
    if (pending & SIM_IRQ_TLB)
        tlb_interrupt();
    if (pending & SIM_IRQ_TIMER)
        kernel_timer_irq();
    if (pending & SIM_IRQ_KICK)
        kernel_resched_irq();
    if (user)
        kernel_return_to_user();
    else
        kernel_preempt();
    if (user)
        t->user_mode = true;
    cpu_self()->seen.irq_on = true;
}
