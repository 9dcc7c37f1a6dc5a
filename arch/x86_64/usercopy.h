/* Routines of usercopy.S: access to user memory that may fault. */
#pragma once

#include <lib/util.h>

bool usercopy_bytes(void *dst, const void *src, size_t n);
bool usercopy_clear(void *dst, size_t n);
long usercopy_string(char *dst, const char *src, size_t n);
