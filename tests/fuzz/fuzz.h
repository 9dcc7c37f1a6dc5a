/* What every fuzz target includes: reading the input as a sequence of decisions, and the check that
 * ends a run. */
#pragma once

#include <lib/util.h>

/* libFuzzer calls this with each input; it returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prints what is wrong and aborts: libFuzzer keeps the input. */
_Noreturn void fuzz_fail(const char *file, int line, const char *cond, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fuzz_fail(__FILE__, __LINE__, #cond, __VA_ARGS__);                                     \
    } while (0)

/* The rest of the input.  Behind its end there are zeros. */
struct input {
    const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *in)
{
    return (size_t)(in->end - in->at);
}

/* `n` bytes of the input, in its order, as a little-endian number. */
static inline uint64_t take(struct input *in, unsigned n)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n && in->at < in->end; i++)
        value |= (uint64_t)*in->at++ << (8 * i);
    return value;
}

static inline uint8_t take_byte(struct input *in)
{
    return (uint8_t)take(in, 1);
}

static inline unsigned take_below(struct input *in, unsigned n)
{
    return take_byte(in) % n;
}

/* Up to `n` bytes as they are; how many there were in *got. */
static inline const uint8_t *take_bytes(struct input *in, size_t n, size_t *got)
{
    const uint8_t *at = in->at;
    *got = MIN(n, input_left(in));
    in->at += *got;
    return at;
}

/* A block of the heap with a copy, of exactly this size: the sanitizer sees every byte read beyond.
 */
void *fuzz_copy(const void *data, size_t n);
