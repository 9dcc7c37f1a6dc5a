/* Formatting: one conversion built from the input against the host's printf, or (first byte even)
 * any format, in which nothing but the sums can be checked. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/fmt.h>

/* The formats are made here: the compiler cannot check them. */
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat"

#define OUT_BYTES 10000

static void count_sink(void *arg, const char *s, size_t n)
{
    CHECK(n > 0, "an empty piece");
    *(size_t *)arg += n;
}

static size_t count_output(size_t *sunk, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t n = fmt_write(count_sink, sunk, fmt, ap);
    va_end(ap);
    return n;
}

/* The result in a block of every kind of size: the same, cut. */
#define CHECK_CUT(want, n, ...)                                                                    \
    do {                                                                                           \
        size_t sizes_[] = {0, 1, 2, (n) / 2, (n), (n) + 1, (n) + 9};                               \
        for (unsigned i_ = 0; i_ < ARRAY_LEN(sizes_); i_++) {                                      \
            char *got_ = malloc(sizes_[i_]);                                                       \
            size_t kept_ = sizes_[i_] ? MIN(sizes_[i_] - 1, (n)) : 0;                              \
            CHECK(fmt_snprint(got_, sizes_[i_], __VA_ARGS__) == (n), "length");                    \
            CHECK(memcmp(got_, want, kept_) == 0, "other bytes");                                  \
            CHECK(sizes_[i_] == 0 || got_[kept_] == '\0', "no end");                               \
            free(got_);                                                                            \
        }                                                                                          \
    } while (0)

static size_t take_format(struct input *in, char *p, const char *flags)
{
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "z", "j", "t"};
    static const char letters[] = "diuxXocs%";
    char *beg = p;
    *p++ = '<';
    *p++ = '%';
    unsigned bits = take_byte(in);
    for (unsigned i = 0; flags[i]; i++)
        if (bits >> i & 1)
            *p++ = flags[i];
    if (bits & 32)
        p += sprintf(p, "%u", (unsigned)take(in, 1) % 40 * (bits & 128 ? 100 : 1));
    if (bits & 64)
        p += sprintf(p, ".%u", (unsigned)take(in, 1) % 40 * (bits & 128 ? 100 : 1));
    p += sprintf(p, "%s", lengths[take_below(in, ARRAY_LEN(lengths))]);
    *p++ = letters[take_below(in, sizeof(letters) - 1)];
    strcpy(p, ">");
    return (size_t)(p - beg);
}

static void check_like_host(struct input *in)
{
    static char want[OUT_BYTES];
    char fmt[64], word[40];
    size_t got;
    size_t at = take_format(in, fmt, "-0+ #");
    char letter = fmt[at - 1];
    uint64_t value = take(in, 8);
    const uint8_t *raw = take_bytes(in, sizeof(word) - 1, &got);
    memcpy(word, raw, got);
    word[got] = '\0';
    if (letter == 's' || letter == 'c' || letter == '%') {
        /* Flags and lengths of these mean nothing, or something else to the host. */
        if (strpbrk(fmt, "0+ #hlzjt") || (letter == '%' && at != 3))
            return;
        if (letter == 'c' && strchr(fmt, '.'))
            return;
    } else if (strchr(fmt, '#') && strchr("diu", letter)) {
        return; /* undefined */
    }
    bool narrow = letter == 'c' || strchr(fmt, 'h') || !strpbrk(fmt, "lzjt");
#define OUTPUT(arg)                                                                                \
    do {                                                                                           \
        int n_ = snprintf(want, sizeof(want), fmt, arg);                                           \
        CHECK(n_ >= 0 && n_ < OUT_BYTES, "the host fails");                                        \
        CHECK_CUT(want, (size_t)n_, fmt, arg);                                                     \
    } while (0)
    if (letter == 's')
        OUTPUT(word);
    else if (narrow)
        OUTPUT((int)value);
    else
        OUTPUT(value);
}

/* Any format takes at most three arguments for each '%': there are more, and each is a string. */
#define FOUR(x)  x, x, x, x
#define MANY(x)  FOUR(FOUR(x)), FOUR(FOUR(x)), FOUR(FOUR(x)), FOUR(FOUR(x))
#define PERCENTS 20

static void check_any(struct input *in)
{
    char *fmt = malloc(input_left(in) + 1);
    unsigned percents = 0;
    size_t n = 0, sunk = 0;
    for (; input_left(in) > 0; n++) {
        fmt[n] = (char)take_byte(in);
        percents += fmt[n] == '%';
        if (percents > PERCENTS)
            break;
    }
    fmt[n] = '\0';
    char *whole = malloc((size_t)1 << 20);
    size_t total = count_output(&sunk, fmt, MANY("shoal"));
    CHECK(total == sunk, "%zu bytes, %zu said", sunk, total);
    CHECK(fmt_snprint(whole, (size_t)1 << 20, fmt, MANY("shoal")) == total, "another length");
    CHECK_CUT(whole, total, fmt, MANY("shoal"));
    free(whole);
    free(fmt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    if (take_byte(&in) & 1)
        check_like_host(&in);
    else
        check_any(&in);
    return 0;
}
