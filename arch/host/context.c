/* Stacks and switching between them, told to the sanitizers. */
#include "sim.h"
#include "switch.h"
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>
#include <stddef.h>

/* ThreadSanitizer would note an entry on one stack and the return on another. */
#define UNWATCHED __attribute__((disable_sanitizer_instrumentation))

#if __has_feature(address_sanitizer)
/* The context that was left last: its stack's place comes from the sanitizer, which knows it even
 * for the stack that the process began on. */
static struct host_context *left;

static void fiber_make(struct host_context *c) {}

static void fiber_start(struct host_context *from, struct host_context *to)
{
    left = from;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack_beg, to->stack_bytes);
}

static void fiber_finish(void *fake_stack)
{
    __sanitizer_finish_switch_fiber(fake_stack, &left->stack_beg, &left->stack_bytes);
}

static void fiber_restart(struct host_context *c) {}
#elif __has_feature(thread_sanitizer)
/* Each stack has its fiber, whose name is in the stack's lowest word. */
static void **fiber_slot(const struct host_context *c)
{
    return (void **)c->stack_beg;
}

static void fiber_make(struct host_context *c)
{
    if (*fiber_slot(c))
        __tsan_destroy_fiber(*fiber_slot(c));
    *fiber_slot(c) = c->fiber = __tsan_create_fiber(0);
}

UNWATCHED static void fiber_start(struct host_context *from, struct host_context *to)
{
    if (!from->fiber)
        from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
}

UNWATCHED static void fiber_finish(void *fake_stack) {}

/* A new one: the old one remembers calls that will not return. */
UNWATCHED static void fiber_restart(struct host_context *c)
{
    void *old = c->fiber;
    *fiber_slot(c) = c->fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(c->fiber, 0);
    __tsan_destroy_fiber(old);
}
#else
static void fiber_make(struct host_context *c) {}
static void fiber_start(struct host_context *from, struct host_context *to) {}
static void fiber_finish(void *fake_stack) {}
static void fiber_restart(struct host_context *c) {}
#endif

UNWATCHED static void context_first(void *arg)
{
    struct host_context *c = arg;
    fiber_finish(NULL);
    c->entry(c->arg);
    __builtin_trap(); /* nothing to return to */
}

void context_init(struct host_context *c, void *stack_beg, size_t stack_bytes,
                  void (*entry)(void *arg), void *arg)
{
    /* What the last user of the stack left there. */
    ASAN_UNPOISON_MEMORY_REGION(stack_beg, stack_bytes);
    *c = (struct host_context){
        .sp = stack_prepare((uintptr_t)stack_beg + stack_bytes, context_first, c),
        .entry = entry,
        .arg = arg,
        .stack_beg = stack_beg,
        .stack_bytes = stack_bytes,
    };
    fiber_make(c);
}

UNWATCHED void context_switch(struct host_context *from, struct host_context *to)
{
    fiber_start(from, to);
    stack_switch(&from->sp, to->sp);
    fiber_finish(from->fake_stack);
}

UNWATCHED void context_restart(struct host_context *c, void (*entry)(void))
{
    ASAN_UNPOISON_MEMORY_REGION(c->stack_beg, c->stack_bytes);
    fiber_restart(c);
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "pushq $0\n\t" /* no caller: where backtraces end */
                     "jmp *%1"
                     :
                     : "r"((char *)c->stack_beg + c->stack_bytes), "r"(entry));
    __builtin_unreachable();
}
