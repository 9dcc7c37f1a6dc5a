/* What every unit test includes: cmocka with the headers it wants, and a random source that
 * repeats. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lib/util.h>

/* xorshift64*: the same sequence in every run, so that a failure can be looked at again. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static inline size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)(random_next(state) >> 11) % n;
}
