#include "lockstack.h"

#include <arch/debug.h>
#include <kernel/base/printk.h>
#include <kernel/base/symtab.h>

struct cpu_context cpu_contexts[CPUS_MAX];

/* Each CPU touches its own entries only, with interrupts off. */
static struct lock_stack boot_stacks[CPUS_MAX];

/* Ranks of locks that interrupt handlers have taken: a bit each. */
static uint32_t ranks_in_interrupts;
_Static_assert(RANK_MAX <= 32, "a bit each");

/* What the panic is about, when it is no lock that is held. */
static const struct lock_held *released_before;

struct lock_stack *lock_stack_here(void)
{
    unsigned cpu = arch_cpu_id();
    struct lock_stack *stack = cpu_contexts[cpu].stack;
    return stack ? stack : &boot_stacks[cpu];
}

void lock_rank_switch(struct lock_stack *stack)
{
    cpu_contexts[arch_cpu_id()].stack = stack;
}

_Noreturn static void panic_order(const struct lock_held *held, const struct lock_taker *wanted)
{
    if (held->lock == wanted->lock)
        panic("lock order: takes \"%s\" (rank %d), which it holds already", wanted->name,
              wanted->rank);
    panic("lock order: takes \"%s\" (rank %d) while holding \"%s\" (rank %d)", wanted->name,
          wanted->rank, held->name, held->rank);
}

/* Interrupts off. */
static void check(const struct lock_stack *stack, const struct lock_taker *wanted)
{
    if (cpu_contexts[arch_cpu_id()].in_interrupt) {
        if (wanted->rank < RANK_SPIN)
            panic("an interrupt handler takes \"%s\" (rank %d), which sleeps", wanted->name,
                  wanted->rank);
        uint32_t bit = 1u << wanted->rank;
        if (!(__atomic_load_n(&ranks_in_interrupts, __ATOMIC_RELAXED) & bit))
            __atomic_fetch_or(&ranks_in_interrupts, bit, __ATOMIC_RELAXED);
    }
    for (unsigned i = 0; i < stack->depth; i++) {
        const struct lock_held *held = &stack->held[i];
        bool same_allowed =
            wanted->nested && held->rank == wanted->rank && held->lock != wanted->lock;
        if (held->rank >= wanted->rank && !same_allowed)
            panic_order(held, wanted);
    }
}

void lock_rank_check(const struct lock_taker *taker)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    check(lock_stack_here(), taker);
    arch_irq_restore(irq);
}

void lock_rank_acquire(const struct lock_taker *taker)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    if (taker->rank >= RANK_SPIN && irq)
        panic("spin lock \"%s\" is taken with interrupts on", taker->name);
    struct lock_stack *stack = lock_stack_here();
    check(stack, taker);
    ASSERTF(stack->depth < LOCKS_HELD_MAX, "taking \"%s\"", taker->name);
    struct lock_held *held = &stack->held[stack->depth];
    held->lock = taker->lock;
    held->name = taker->name;
    held->rank = taker->rank;
    held->ncalls = (unsigned)arch_backtrace((uintptr_t)taker->frame, held->calls, LOCK_CALLS_MAX);
    stack->spins += taker->rank >= RANK_SPIN;
    stack->depth++;
    arch_irq_restore(irq);
}

/* The record that `lock` left above the top of the stack when it was released, unless another lock
 * has come there since.  Sleeping locks take their inner one meanwhile, so the last of them has a
 * place of its own. */
static const struct lock_held *find_released(const struct lock_stack *stack, const void *lock)
{
    for (unsigned i = LOCKS_HELD_MAX + 1; i > stack->depth; i--)
        if (stack->held[i - 1].lock == lock)
            return &stack->held[i - 1];
    return NULL;
}

/* Moves record `i` to the top of the stack, for find_released. */
static void take_out(struct lock_stack *stack, unsigned i)
{
    struct lock_held held = stack->held[i];
    for (; i + 1 < stack->depth; i++)
        stack->held[i] = stack->held[i + 1];
    stack->held[i] = held;
}

void lock_rank_release(const void *lock)
{
    if (!lock_checks_on())
        return;
    bool irq = arch_irq_save();
    struct lock_stack *stack = lock_stack_here();
    unsigned i = stack->depth;
    while (i > 0 && stack->held[i - 1].lock != lock)
        i--;
    if (i == 0) {
        released_before = find_released(stack, lock);
        panic("lock %p \"%s\" is released by a context that does not hold it", lock,
              released_before ? released_before->name : "?");
    }
    bool spins = stack->held[i - 1].rank >= RANK_SPIN;
    if (spins && irq)
        panic("interrupts are on, but spin lock \"%s\" is held", stack->held[i - 1].name);
    stack->spins -= spins;
    if (!spins)
        stack->held[LOCKS_HELD_MAX] = stack->held[i - 1];
    if (i < stack->depth)
        take_out(stack, i - 1);
    stack->depth--;
    arch_irq_restore(irq);
}

bool lock_rank_holds(const void *lock)
{
    if (!lock_checks_on())
        return true;
    bool irq = arch_irq_save();
    const struct lock_stack *stack = lock_stack_here();
    unsigned i = stack->depth;
    while (i > 0 && stack->held[i - 1].lock != lock)
        i--;
    arch_irq_restore(irq);
    return i > 0;
}

bool lock_rank_held(enum lock_rank rank)
{
    if (!KERNEL_DEBUG)
        return false;
    bool irq = arch_irq_save();
    const struct lock_stack *stack = lock_stack_here();
    bool found = false;
    for (unsigned i = 0; i < stack->depth; i++)
        found |= stack->held[i].rank == rank;
    arch_irq_restore(irq);
    return found;
}

static void print_held(const struct lock_held *held, const char *what)
{
    bool in_interrupts =
        __atomic_load_n(&ranks_in_interrupts, __ATOMIC_RELAXED) & (1u << held->rank);
    printk("    \"%s\" (%p, rank %d%s), %s\n", held->name, held->lock, held->rank,
           in_interrupts ? ", of interrupt handlers too" : "", what);
    symtab_print_calls(held->calls, held->ncalls);
}

/* While it prints, the console's own lock comes and goes above what is printed. */
void lock_rank_print(void)
{
    if (!KERNEL_DEBUG)
        return;
    const struct lock_stack *stack = lock_stack_here();
    unsigned depth = MIN(stack->depth, (unsigned)LOCKS_HELD_MAX);
    printk("locks held: %u\n", depth);
    for (unsigned i = 0; i < depth; i++)
        print_held(&stack->held[i], "taken at");
    if (released_before)
        print_held(released_before, "released before; it had been taken at");
}
