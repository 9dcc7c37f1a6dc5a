#include <arch/cpu.h>
#include <kernel/base/lockrank.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/symtab.h>

/* Each CPU touches its own entries only, with interrupts off. */
static struct lock_stack boot_stacks[CPUS_MAX];
static struct lock_stack *current[CPUS_MAX]; /* NULL: the boot stack */

/* A panic prints while it may hold anything, in any order. */
static bool checks_on(void)
{
    return KERNEL_DEBUG && !panicking();
}

/* Interrupts off. */
static struct lock_stack *stack_here(void)
{
    unsigned cpu = arch_cpu_id();
    return current[cpu] ? current[cpu] : &boot_stacks[cpu];
}

void lock_rank_switch(struct lock_stack *stack)
{
    current[arch_cpu_id()] = stack;
}

_Noreturn static void panic_order(const struct lock_held *held, const struct lock_held *wanted)
{
    uintptr_t held_offset, wanted_offset;
    const char *held_at = symtab_lookup(held->pc, &held_offset);
    const char *wanted_at = symtab_lookup(wanted->pc, &wanted_offset);
    panic("lock order: takes \"%s\" (rank %d) at %#lx %s while holding \"%s\" (rank %d), taken at "
          "%#lx %s",
          wanted->name, wanted->rank, (unsigned long)wanted->pc, wanted_at ? wanted_at : "?",
          held->name, held->rank, (unsigned long)held->pc, held_at ? held_at : "?");
}

static void acquire(const struct lock_held *wanted, bool nested)
{
    bool irq = arch_irq_save();
    struct lock_stack *stack = stack_here();
    for (unsigned i = 0; i < stack->depth; i++) {
        const struct lock_held *held = &stack->held[i];
        bool same_allowed = nested && held->rank == wanted->rank && held->lock != wanted->lock;
        if (held->rank >= wanted->rank && !same_allowed)
            panic_order(held, wanted);
    }
    ASSERTF(stack->depth < LOCKS_HELD_MAX, "taking \"%s\"", wanted->name);
    stack->held[stack->depth++] = *wanted;
    arch_irq_restore(irq);
}

void lock_rank_acquire(const void *lock, const char *name, enum lock_rank rank, uintptr_t pc)
{
    if (checks_on())
        acquire(&(struct lock_held){.lock = lock, .name = name, .pc = pc, .rank = rank}, false);
}

void lock_rank_acquire_nested(const void *lock, const char *name, enum lock_rank rank, uintptr_t pc)
{
    if (checks_on())
        acquire(&(struct lock_held){.lock = lock, .name = name, .pc = pc, .rank = rank}, true);
}

void lock_rank_release(const void *lock)
{
    if (!checks_on())
        return;
    bool irq = arch_irq_save();
    struct lock_stack *stack = stack_here();
    unsigned i = stack->depth;
    while (i > 0 && stack->held[i - 1].lock != lock)
        i--;
    if (i == 0)
        panic("lock %p is released by a context that does not hold it", lock);
    for (; i < stack->depth; i++)
        stack->held[i - 1] = stack->held[i];
    stack->depth--;
    arch_irq_restore(irq);
}

void assert_may_sleep(const char *what)
{
    if (!checks_on())
        return;
    if (!arch_irq_enabled())
        panic("%s: may sleep, but interrupts are off", what);
    bool irq = arch_irq_save();
    const struct lock_stack *stack = stack_here();
    for (unsigned i = 0; i < stack->depth; i++)
        if (stack->held[i].rank >= RANK_SPIN)
            panic("%s: may sleep, but spin lock \"%s\" is held", what, stack->held[i].name);
    arch_irq_restore(irq);
}

void assert_no_locks(const char *what)
{
    if (!checks_on())
        return;
    bool irq = arch_irq_save();
    const struct lock_stack *stack = stack_here();
    if (stack->depth)
        panic("%s: lock \"%s\" is still held", what, stack->held[stack->depth - 1].name);
    arch_irq_restore(irq);
}

bool lock_rank_held(enum lock_rank rank)
{
    if (!KERNEL_DEBUG)
        return false;
    bool irq = arch_irq_save();
    const struct lock_stack *stack = stack_here();
    bool found = false;
    for (unsigned i = 0; i < stack->depth; i++)
        found |= stack->held[i].rank == rank;
    arch_irq_restore(irq);
    return found;
}

void lock_rank_print(void)
{
    if (!KERNEL_DEBUG)
        return;
    /* A copy: the console's own lock comes and goes on the stack that is being printed. */
    bool irq = arch_irq_save();
    struct lock_stack stack = *stack_here();
    arch_irq_restore(irq);
    printk("locks held: %u\n", stack.depth);
    for (unsigned i = 0; i < MIN(stack.depth, (unsigned)LOCKS_HELD_MAX); i++) {
        printk("    \"%s\" (%p, rank %d), taken at\n", stack.held[i].name, stack.held[i].lock,
               stack.held[i].rank);
        symtab_print_pc(i, stack.held[i].pc);
    }
}
