#include "lockstack.h"

#include <kernel/base/context.h>

void interrupt_enter(void)
{
    if (!lock_checks_on())
        return;
    if (arch_irq_enabled())
        panic("an interrupt handler begins with interrupts on");
    struct cpu_context *here = &cpu_contexts[arch_cpu_id()];
    const struct lock_stack *stack = lock_stack_here();
    if (here->in_interrupt)
        panic("an interrupt in an interrupt handler");
    if (stack->spins)
        panic("an interrupt while spin lock \"%s\" is held", stack->held[stack->depth - 1].name);
    here->in_interrupt = true;
    here->depth_before = stack->depth;
}

void interrupt_leave(void)
{
    if (!lock_checks_on())
        return;
    if (arch_irq_enabled())
        panic("an interrupt handler turned interrupts on");
    struct cpu_context *here = &cpu_contexts[arch_cpu_id()];
    const struct lock_stack *stack = lock_stack_here();
    if (stack->depth > here->depth_before)
        panic("an interrupt handler still holds \"%s\"", stack->held[stack->depth - 1].name);
    here->in_interrupt = false;
}

/* The last spin lock that is held and is not `but`; NULL when there is none.  Interrupts off. */
static const struct lock_held *spin_held(const struct lock_stack *stack, const void *but)
{
    for (unsigned i = stack->depth; i > 0; i--)
        if (stack->held[i - 1].rank >= RANK_SPIN && stack->held[i - 1].lock != but)
            return &stack->held[i - 1];
    return NULL;
}

/* Interrupts off. */
static void check_not_interrupt(const char *what)
{
    if (cpu_contexts[arch_cpu_id()].in_interrupt)
        panic("%s: in an interrupt handler", what);
}

void assert_not_interrupt(const char *what)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_not_interrupt(what);
    arch_irq_restore(irq);
}

/* May it sleep, but for spin lock `but`?  Interrupts off; `irq`: were they on? */
static void check_may_sleep(const char *what, const void *but, bool irq)
{
    check_not_interrupt(what);
    const struct lock_stack *stack = lock_stack_here();
    const struct lock_held *held = stack->spins ? spin_held(stack, but) : NULL;
    if (held)
        panic("%s: may sleep, but spin lock \"%s\" is held", what, held->name);
    if (!irq)
        panic("%s: may sleep, but interrupts are off", what);
}

void assert_may_sleep(const char *what)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_may_sleep(what, NULL, irq);
    arch_irq_restore(irq);
}

void assert_may_sleep_on(const void *lock, const char *what)
{
    if (!lock_checks_on())
        return;
    if (arch_irq_enabled())
        panic("%s: interrupts are on under a spin lock", what);
    check_may_sleep(what, lock, true);
    if (lock_stack_here()->spins == 0)
        panic("%s: the lock of the queue is not held", what);
}

void assert_may_fault(const char *what)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_may_sleep(what, NULL, irq);
    const struct lock_stack *stack = lock_stack_here();
    for (unsigned i = 0; i < stack->depth; i++)
        if (stack->held[i].rank > RANK_VNODE)
            panic("%s: may fault, but lock \"%s\" is held", what, stack->held[i].name);
    arch_irq_restore(irq);
}

void assert_no_locks(const char *what)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_not_interrupt(what);
    const struct lock_stack *stack = lock_stack_here();
    if (stack->depth)
        panic("%s: lock \"%s\" is still held", what, stack->held[stack->depth - 1].name);
    arch_irq_restore(irq);
}

/* Interrupts off. */
static void check_no_spin_locks(const char *what)
{
    const struct lock_stack *stack = lock_stack_here();
    if (stack->spins)
        panic("%s: spin lock \"%s\" is still held", what, spin_held(stack, NULL)->name);
}

void assert_no_spin_locks(const char *what)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_not_interrupt(what);
    check_no_spin_locks(what);
    arch_irq_restore(irq);
}

/* Interrupts off, and about to go on. */
static void check_enable(void)
{
    check_not_interrupt("turning interrupts on");
    check_no_spin_locks("turning interrupts on");
}

void irq_check_enable(void)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check_enable();
    arch_irq_restore(irq);
}

void irq_check_restore(bool was_on)
{
    if (!lock_checks_on())
        return;
    if (arch_irq_enabled())
        panic("irq_restore: interrupts are on already");
    if (was_on)
        check_enable();
}
