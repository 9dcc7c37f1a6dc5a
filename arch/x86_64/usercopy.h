/* Routines of usercopy.S: access to user memory that may fault. */
#pragma once

#include <lib/util.h>

bool usercopy_bytes(void *dst, const void *src, size_t n);
bool usercopy_clear(void *dst, size_t n);
long usercopy_string(char *dst, const char *src, size_t n);
bool usercopy_load_u32(const uint32_t *src, uint32_t *value);
bool usercopy_cas_u32(uint32_t *dst, uint32_t *seen, uint32_t new);
