/* The part of <string.h> the kernel uses, with the C library's meaning. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies src and a NUL into dst[size], cutting if it must; returns strlen(src), so that `>= size`
 * means cut (strlcpy(3) of BSD).  Named apart because host C libraries may have their own. */
size_t str_copy(char *dst, const char *src, size_t size);

/* Parses an unsigned number, base 10, or 16 after "0x"; `end` (may be NULL) gets the first unread
 * byte. False on no digits or overflow. */
bool str_to_u64(const char *s, const char **end, unsigned long *out);
