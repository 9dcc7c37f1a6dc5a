#include "unit.h"

#include <stdio.h>
#include <string.h>

#include <lib/fmt.h>

/* The formats are made here: the compiler cannot check them, the comparison does. */
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat"

#define ASSERT_SAME(...)                                                                           \
    do {                                                                                           \
        char got_[256], want_[256];                                                                \
        int want_n_ = snprintf(want_, sizeof(want_), __VA_ARGS__);                                 \
        size_t got_n_ = fmt_snprint(got_, sizeof(got_), __VA_ARGS__);                              \
        assert_string_equal(got_, want_);                                                          \
        assert_int_equal(got_n_, want_n_);                                                         \
    } while (0)

/* Puts "%", some flags of `flags`, maybe a width and a precision, `length` and `letter` into
 * `format`. */
static void make_format(char *format, uint64_t *random, const char *flags, const char *length,
                        char letter)
{
    char *p = format;
    *p++ = '%';
    for (; *flags; flags++)
        if (random_below(random, 3) == 0)
            *p++ = *flags;
    if (random_below(random, 2))
        p += sprintf(p, "%d", (int)random_below(random, 30));
    if (random_below(random, 2))
        p += sprintf(p, ".%d", (int)random_below(random, 30));
    sprintf(p, "%s%c", length, letter);
}

static uint64_t random_value(uint64_t *random)
{
    static const uint64_t special[] = {0, 1, 7, 8, 9, 10, 15, 16, 127, 128, 255, 256, 32768, ~0ull};
    if (random_below(random, 3) == 0)
        return special[random_below(random, ARRAY_LEN(special))];
    uint64_t value = random_next(random);
    return value >> random_below(random, 64);
}

static void same_number(const char *format, const char *length, uint64_t value)
{
    if (strcmp(length, "hh") == 0 || strcmp(length, "h") == 0 || !*length)
        ASSERT_SAME(format, (int)value);
    else
        ASSERT_SAME(format, value);
}

/* Against the host's printf: every conversion, length, flag, width and precision, with values of
 * all sizes. */
static void test_numbers_like_the_host(void **state)
{
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "z", "j", "t"};
    static const struct {
        char letter;
        const char *flags;
    } kinds[] = {{'d', "-0+ "}, {'i', "-0+ "}, {'u', "-0"},
                 {'x', "-0#"},  {'X', "-0#"},  {'o', "-0#"}};
    uint64_t random = 9;
    for (int step = 0; step < 40000; step++) {
        size_t kind = random_below(&random, ARRAY_LEN(kinds));
        const char *length = lengths[random_below(&random, ARRAY_LEN(lengths))];
        char format[32];
        make_format(format, &random, kinds[kind].flags, length, kinds[kind].letter);
        same_number(format, length, random_value(&random));
    }
}

static void test_strings_like_the_host(void **state)
{
    static const char *const words[] = {"", "x", "hello",
                                        "a longer string than the widths that are drawn here"};
    uint64_t random = 4;
    for (int step = 0; step < 2000; step++) {
        char format[32];
        make_format(format, &random, "-", "", 's');
        const char *word = words[random_below(&random, ARRAY_LEN(words))];
        ASSERT_SAME(format, word);
    }
    char unended[3] = {'a', 'b', 'c'};
    char got[8];
    assert_int_equal(fmt_snprint(got, sizeof(got), "%.3s", unended), 3);
    assert_string_equal(got, "abc");
}

static void test_mixed(void **state)
{
    ASSERT_SAME("plain");
    ASSERT_SAME("%%|%c|%5c|%-5c|", 'a', 'b', 'c');
    ASSERT_SAME("%*d|%-*d|%.*d|%*.*x", 6, 42, 6, 42, 4, 42, 8, 4, 0xbeef);
    ASSERT_SAME("%*d|%.*d|", -6, 42, -1, 42);
    ASSERT_SAME("%d %s %lu %#x", -1, "two", 3ul, 4);
    ASSERT_SAME("%d|%d", (int)0x80000000, 0x7fffffff);
    ASSERT_SAME("%ld", (long)0x8000000000000000ul);
    ASSERT_SAME("%p", (void *)0x1234abcd);
}

static void test_own_choices(void **state)
{
    char got[64];
    fmt_snprint(got, sizeof(got), "%s", (char *)NULL);
    assert_string_equal(got, "(null)");
    fmt_snprint(got, sizeof(got), "%p", NULL);
    assert_string_equal(got, "0x0");
    fmt_snprint(got, sizeof(got), "a%yb%d", 5);
    assert_string_equal(got, "a%yb5");
    assert_int_equal(fmt_snprint(got, sizeof(got), "end%"), 3);
    assert_int_equal(fmt_snprint(got, sizeof(got), "end%-5l"), 3);
    assert_int_equal(fmt_snprint(got, sizeof(got), "%999999999999d", 1), 4096);
    assert_int_equal(fmt_snprint(got, sizeof(got), "%*d", -__INT_MAX__ - 1, 1), 4096);
}

/* Every buffer size: the first bytes, always a NUL, never more, and the full length back. */
static void test_cut(void **state)
{
    for (size_t size = 0; size < 20; size++) {
        char got[32], want[32];
        memset(got, '#', sizeof(got));
        memset(want, '#', sizeof(want));
        snprintf(want, size, "%s-%05d", "value", 123);
        assert_int_equal(fmt_snprint(got, size, "%s-%05d", "value", 123), 11);
        assert_memory_equal(got, want, size);
        assert_int_equal(got[size], '#');
    }
}

static void count_sink(void *arg, const char *s, size_t n)
{
    *(size_t *)arg += n;
}

static size_t write_counted(size_t *count, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t n = fmt_write(count_sink, count, fmt, ap);
    va_end(ap);
    return n;
}

static void test_sink(void **state)
{
    size_t count = 0;
    assert_int_equal(write_counted(&count, "%-100d|%s", 1, "x"), 102);
    assert_int_equal(count, 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_like_the_host),
        cmocka_unit_test(test_strings_like_the_host),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_own_choices),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
