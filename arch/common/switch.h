/* Switching stacks (switch.S). */
#pragma once

#include <stdint.h>

/* Saves the caller's context on its stack and its stack pointer in *save_sp, goes on with load_sp.
 */
void stack_switch(uintptr_t *save_sp, uintptr_t load_sp);
void stack_start(void);

/* Lays out an empty stack that ends at `top`, a multiple of 16, so that the first switch to it
 * calls entry(arg), which must not return.  The stack pointer to switch to. */
static inline uintptr_t stack_prepare(uintptr_t top, void (*entry)(void *arg), void *arg)
{
    uintptr_t *sp = (uintptr_t *)top;
    *--sp = (uintptr_t)stack_start; /* what stack_switch returns to */
    *--sp = 0;                      /* rbp: no caller */
    *--sp = (uintptr_t)entry;       /* rbx */
    *--sp = (uintptr_t)arg;         /* r12 */
    *--sp = 0;                      /* r13 */
    *--sp = 0;                      /* r14 */
    *--sp = 0;                      /* r15 */
    return (uintptr_t)sp;
}
