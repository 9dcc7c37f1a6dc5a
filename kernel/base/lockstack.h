/* The locks of this CPU's current context, for lockrank.c and context.c. */
#pragma once

#include <arch/cpu.h>
#include <kernel/base/lockrank.h>
#include <kernel/base/panic.h>

/* What this CPU is doing.  Touched by the CPU itself, interrupts off. */
struct cpu_context {
    struct lock_stack *stack; /* NULL: the boot stack */
    bool in_interrupt;
    unsigned depth_before; /* of the stack, when the interrupt came */
};
extern struct cpu_context cpu_contexts[CPUS_MAX];

/* A panic prints while it may hold anything, in any order. */
static inline bool lock_checks_on(void)
{
    return KERNEL_DEBUG && !panicking();
}

/* Interrupts off. */
struct lock_stack *lock_stack_here(void);
