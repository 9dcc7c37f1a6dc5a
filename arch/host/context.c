/* Stacks and switching between them, told to the sanitizers. */
#include "sim.h"
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stddef.h>

void context_swap(void **save_sp, void *next_sp);
void context_begin(void);
_Noreturn void context_leave(void *top, void (*entry)(void));
_Noreturn void context_first(void (*entry)(void *arg), void *arg);

/* The context that was left last: its stack's place comes from the sanitizer, which knows it even
 * for the stack that the process began on. */
static struct host_context *left;

#if __has_feature(address_sanitizer)
static void fiber_start(void **save, const struct host_context *to)
{
    __sanitizer_start_switch_fiber(save, to->stack_beg, to->stack_bytes);
}

static void fiber_finish(void *saved)
{
    __sanitizer_finish_switch_fiber(saved, &left->stack_beg, &left->stack_bytes);
}
#else
static void fiber_start(void **save, const struct host_context *to) {}
static void fiber_finish(void *saved) {}
#endif

void context_init(struct host_context *c, void *stack_beg, size_t stack_bytes,
                  void (*entry)(void *arg), void *arg)
{
    /* What the last user of the stack left there. */
    ASAN_UNPOISON_MEMORY_REGION(stack_beg, stack_bytes);
    void **sp = (void **)((char *)stack_beg + stack_bytes);
    *--sp = NULL;
    *--sp = (void *)context_begin;
    *--sp = NULL;          /* rbp */
    *--sp = (void *)entry; /* rbx */
    *--sp = arg;           /* r12 */
    *--sp = NULL;
    *--sp = NULL;
    *--sp = NULL;
    *c = (struct host_context){.sp = sp, .stack_beg = stack_beg, .stack_bytes = stack_bytes};
}

void context_first(void (*entry)(void *arg), void *arg)
{
    fiber_finish(NULL);
    entry(arg);
    __builtin_trap(); /* nothing to return to */
}

void context_switch(struct host_context *from, struct host_context *to)
{
    left = from;
    fiber_start(&from->fake_stack, to);
    context_swap(&from->sp, to->sp);
    fiber_finish(from->fake_stack);
}

void context_restart(struct host_context *c, void (*entry)(void))
{
    ASAN_UNPOISON_MEMORY_REGION(c->stack_beg, c->stack_bytes);
    context_leave((char *)c->stack_beg + c->stack_bytes, entry);
}
