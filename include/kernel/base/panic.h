/* Panic and assertions. */
#pragma once

#include <lib/util.h>

/* Prints the message, the CPU, the trap's registers, a symbolised backtrace and the held locks;
 * then ends the machine with EXIT_CODE_PANIC.  Any context.  A panic inside a panic ends the
 * machine at once. */
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, and `report` prints what there is to say before it: this CPU waits for no lock then,
 * and the others have stopped. */
_Noreturn void panic_with(void (*report)(void), const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Always checked, in release builds too: a kernel that goes on after a broken invariant lets
 * somebody in. */
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #cond);                  \
    } while (0)

/* As ASSERT, with values: ASSERTF(n < max, "n=%u max=%u", n, max). */
#define ASSERTF(cond, fmt, ...)                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            panic("%s:%d: assertion failed: %s: " fmt, __FILE_NAME__, __LINE__, #cond,             \
                  __VA_ARGS__);                                                                    \
    } while (0)

/* KERNEL_DEBUG is 0 or 1, set by the build: junk fill, lock ranks, walkers. */
#define DEBUG_ASSERT(cond)                                                                         \
    do {                                                                                           \
        if (KERNEL_DEBUG)                                                                          \
            ASSERT(cond);                                                                          \
    } while (0)

/* True once a panic has begun: console and locks stop waiting for each other. */
bool panicking(void);

/* The same, and it is this CPU that panics: it must wait for nobody, the others are stopped. */
bool panicking_here(void);
