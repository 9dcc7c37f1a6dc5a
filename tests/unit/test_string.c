#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* lib/string.c is compiled with these names for the tests: the C library's own stay what the
 * sanitizers expect. */
#define memcpy  shoal_memcpy
#define memmove shoal_memmove
#define memset  shoal_memset
#define memcmp  shoal_memcmp
#define memchr  shoal_memchr
#define strlen  shoal_strlen
#define strnlen shoal_strnlen
#define strcmp  shoal_strcmp
#define strncmp shoal_strncmp
#define strchr  shoal_strchr
#include <lib/string.h>
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define SPACE 160

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void fill(unsigned char *p, size_t n)
{
    uint64_t random = 5;
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)random_next(&random);
}

/* Every length to 80 at every alignment: the bytes asked for, and no other. */
static void test_memcpy_memset(void **state)
{
    unsigned char src[SPACE], got[SPACE], want[SPACE];
    fill(src, sizeof(src));
    for (size_t n = 0; n <= 80; n++)
        for (size_t d = 0; d < 9; d++) {
            for (size_t s = 0; s < 9; s++) {
                memset(got, 0xee, SPACE);
                memset(want, 0xee, SPACE);
                memcpy(want + d, src + s, n);
                assert_ptr_equal(shoal_memcpy(got + d, src + s, n), got + d);
                assert_memory_equal(got, want, SPACE);
            }
            memset(want + d, 0x81, n);
            assert_ptr_equal(shoal_memset(got + d, 0x7f81, n), got + d);
            memcpy(want, got, d);
            assert_memory_equal(got + d, want + d, n);
        }
}

static void test_memmove(void **state)
{
    unsigned char got[SPACE], want[SPACE];
    for (size_t n = 0; n <= 80; n++)
        for (size_t d = 0; d < 72; d += d < 12 ? 1 : 5)
            for (size_t s = 0; s < 72; s += s < 12 ? 1 : 7) {
                fill(got, SPACE);
                fill(want, SPACE);
                memmove(want + d, want + s, n);
                assert_ptr_equal(shoal_memmove(got + d, got + s, n), got + d);
                assert_memory_equal(got, want, SPACE);
            }
}

static void test_memcmp_memchr(void **state)
{
    unsigned char a[64], b[64];
    fill(a, sizeof(a));
    for (size_t n = 0; n <= 40; n++) {
        memcpy(b, a, sizeof(a));
        assert_int_equal(shoal_memcmp(a, b, n), 0);
        for (size_t i = 0; i < n; i++) {
            b[i] ^= 0x80;
            assert_int_equal(sign(shoal_memcmp(a, b, n)), sign(memcmp(a, b, n)));
            assert_ptr_equal(shoal_memchr(a, a[i], n), memchr(a, a[i], n));
            b[i] ^= 0x80;
        }
    }
    assert_null(shoal_memchr("abc", 'd', 3));
    assert_null(shoal_memchr("abc", 'a', 0));
}

/* Strings in blocks of exactly their size: reading past the end is a sanitizer's report. */
static void test_strings(void **state)
{
    static const char *const words[] = {"",    "a",   "b",    "ab",
                                        "abc", "abd", "\xff", "aaaaaaaaaaaaaaaaaaaaaaaab"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char *a = strdup(words[i]);
        assert_int_equal(shoal_strlen(a), strlen(a));
        assert_ptr_equal(shoal_strchr(a, 'b'), strchr(a, 'b'));
        assert_ptr_equal(shoal_strchr(a, 0), a + strlen(a));
        for (size_t n = 0; n < 10; n++)
            assert_int_equal(shoal_strnlen(a, n), strnlen(a, n));
        for (size_t j = 0; j < ARRAY_LEN(words); j++) {
            char *b = strdup(words[j]);
            assert_int_equal(sign(shoal_strcmp(a, b)), sign(strcmp(a, b)));
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sign(shoal_strncmp(a, b, n)), sign(strncmp(a, b, n)));
            free(b);
        }
        free(a);
    }
    char unended[3] = {'x', 'y', 'z'};
    assert_int_equal(shoal_strnlen(unended, 3), 3);
    assert_int_equal(shoal_strncmp(unended, "xyz!", 3), 0);
}

static void test_str_copy(void **state)
{
    char buf[8];
    memset(buf, '#', sizeof(buf));
    assert_int_equal(str_copy(buf, "hello", sizeof(buf)), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(buf[6], '#');
    assert_int_equal(str_copy(buf, "0123456789", 4), 10);
    assert_string_equal(buf, "012");
    assert_int_equal(buf[4], 'o');
    assert_int_equal(str_copy(buf, "abc", 1), 3);
    assert_string_equal(buf, "");
    assert_int_equal(str_copy(NULL, "abc", 0), 3);
}

static void test_str_to_u64(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        unsigned long value;
        size_t used;
    } cases[] = {
        {"0", true, 0, 1},
        {"42", true, 42, 2},
        {"42k", true, 42, 2},
        {"0x1F", true, 31, 4},
        {"0Xff,", true, 255, 4},
        {"0x", true, 0, 1},
        {"0xg", true, 0, 1},
        {"12a", true, 12, 2},
        {"18446744073709551615", true, ~0ul, 20},
        {"18446744073709551616", false, 0, 0},
        {"99999999999999999999", false, 0, 0},
        {"0xffffffffffffffff", true, ~0ul, 18},
        {"0x10000000000000000", false, 0, 0},
        {"", false, 0, 0},
        {"-1", false, 0, 0},
        {" 1", false, 0, 0},
        {"x1", false, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned long value = 77;
        const char *end = NULL;
        assert_int_equal(str_to_u64(cases[i].text, &end, &value), cases[i].ok);
        assert_int_equal(value, cases[i].ok ? cases[i].value : 77);
        assert_ptr_equal(end, cases[i].ok ? cases[i].text + cases[i].used : NULL);
        assert_int_equal(str_to_u64(cases[i].text, NULL, &value), cases[i].ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memcpy_memset), cmocka_unit_test(test_memmove),
        cmocka_unit_test(test_memcmp_memchr), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_str_copy),      cmocka_unit_test(test_str_to_u64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
