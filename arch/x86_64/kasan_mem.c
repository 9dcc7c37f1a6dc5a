/* The functions of lib/mem.c with their whole ranges checked at once. */
#include "kasan.h"
#include "kasan_abi.h"
#include <lib/string.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    kasan_check(src, n, false);
    kasan_check(dst, n, true);
    return kasan_raw_memcpy(dst, src, n);
}

void *memmove(void *dst, const void *src, size_t n)
{
    kasan_check(src, n, false);
    kasan_check(dst, n, true);
    return kasan_raw_memmove(dst, src, n);
}

void *memset(void *dst, int byte, size_t n)
{
    kasan_check(dst, n, true);
    return kasan_raw_memset(dst, byte, n);
}

int memcmp(const void *a, const void *b, size_t n)
{
    kasan_check(a, n, false);
    kasan_check(b, n, false);
    return kasan_raw_memcmp(a, b, n);
}
