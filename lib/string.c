#include <lib/string.h>
#include <lib/util.h>

/* The compiler knows these loops and would turn them into calls of the very functions they are the
 * bodies of. */
#pragma clang attribute push(__attribute__((no_builtin)), apply_to = function)

/* Eight bytes at any address. */
typedef uint64_t word_t __attribute__((may_alias, aligned(1)));

#define WORD_BYTES sizeof(word_t)
#define WORD_ONES  0x0101010101010101ull

static void copy_forward(unsigned char *d, const unsigned char *s, size_t n)
{
    for (; n >= 4 * WORD_BYTES; n -= 4 * WORD_BYTES) {
        /* All four are read before any is written: an overlap with d < s stays right. */
        word_t w0 = ((const word_t *)s)[0], w1 = ((const word_t *)s)[1];
        word_t w2 = ((const word_t *)s)[2], w3 = ((const word_t *)s)[3];
        ((word_t *)d)[0] = w0;
        ((word_t *)d)[1] = w1;
        ((word_t *)d)[2] = w2;
        ((word_t *)d)[3] = w3;
        d += 4 * WORD_BYTES;
        s += 4 * WORD_BYTES;
    }
    for (; n >= WORD_BYTES; n -= WORD_BYTES) {
        *(word_t *)d = *(const word_t *)s;
        d += WORD_BYTES;
        s += WORD_BYTES;
    }
    while (n--)
        *d++ = *s++;
}

static void copy_backward(unsigned char *d, const unsigned char *s, size_t n)
{
    for (; n >= WORD_BYTES; n -= WORD_BYTES)
        *(word_t *)(d + n - WORD_BYTES) = *(const word_t *)(s + n - WORD_BYTES);
    while (n--)
        d[n] = s[n];
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    copy_forward(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    /* Wraps to a large number when dst is below src. */
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        copy_forward(dst, src, n);
    else
        copy_backward(dst, src, n);
    return dst;
}

void *memset(void *dst, int byte, size_t n)
{
    unsigned char *d = dst;
    word_t word = WORD_ONES * (unsigned char)byte;
    for (; n >= 4 * WORD_BYTES; n -= 4 * WORD_BYTES) {
        ((word_t *)d)[0] = word;
        ((word_t *)d)[1] = word;
        ((word_t *)d)[2] = word;
        ((word_t *)d)[3] = word;
        d += 4 * WORD_BYTES;
    }
    for (; n >= WORD_BYTES; n -= WORD_BYTES) {
        *(word_t *)d = word;
        d += WORD_BYTES;
    }
    while (n--)
        *d++ = (unsigned char)byte;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    while (n >= WORD_BYTES && *(const word_t *)x == *(const word_t *)y) {
        x += WORD_BYTES;
        y += WORD_BYTES;
        n -= WORD_BYTES;
    }
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
    for (const unsigned char *p = s; n--; p++)
        if (*p == (unsigned char)byte)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        if (x != y)
            return x < y ? -1 : 1;
        if (!x)
            return 0;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

size_t str_copy(char *dst, const char *src, size_t size)
{
    size_t n = strlen(src);
    if (size) {
        size_t copied = MIN(n, size - 1);
        memcpy(dst, src, copied);
        dst[copied] = '\0';
    }
    return n;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

bool str_to_u64(const char *s, const char **end, unsigned long *out)
{
    unsigned base = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
        base = 16;
        s += 2;
    }
    if (digit_value(*s) >= base)
        return false;
    unsigned long value = 0;
    for (; digit_value(*s) < base; s++)
        if (__builtin_mul_overflow(value, (unsigned long)base, &value) ||
            __builtin_add_overflow(value, (unsigned long)digit_value(*s), &value))
            return false;
    *out = value;
    if (end)
        *end = s;
    return true;
}

#pragma clang attribute pop
