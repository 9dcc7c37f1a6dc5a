/* What code compiled with -fsanitize=kernel-address calls.  The names are the compiler's. */
#pragma once

#include <lib/util.h>

#define KASAN_ACCESS(n)                                                                            \
    void __asan_load##n(uintptr_t addr);                                                           \
    void __asan_store##n(uintptr_t addr);
KASAN_ACCESS(1)
KASAN_ACCESS(2)
KASAN_ACCESS(4)
KASAN_ACCESS(8)
KASAN_ACCESS(16)
void __asan_loadN(uintptr_t addr, size_t n);
void __asan_storeN(uintptr_t addr, size_t n);

void __asan_handle_no_return(void);
void __asan_set_shadow_00(void *shadow, size_t n);
void __asan_set_shadow_f1(void *shadow, size_t n);
void __asan_set_shadow_f2(void *shadow, size_t n);
void __asan_set_shadow_f3(void *shadow, size_t n);
void __asan_set_shadow_f5(void *shadow, size_t n);
void __asan_set_shadow_f8(void *shadow, size_t n);

struct kasan_global {
    uintptr_t beg;
    size_t bytes, bytes_with_redzone;
    const char *name, *module;
    size_t has_dynamic_init;
    const void *location;
    uintptr_t odr_indicator;
};
void __asan_register_globals(const struct kasan_global *globals, size_t n);
void __asan_unregister_globals(const struct kasan_global *globals, size_t n);

/* lib/mem.c, compiled without checks. */
void *kasan_raw_memcpy(void *restrict dst, const void *restrict src, size_t n);
void *kasan_raw_memmove(void *dst, const void *src, size_t n);
void *kasan_raw_memset(void *dst, int byte, size_t n);
int kasan_raw_memcmp(const void *a, const void *b, size_t n);

/* kasan_map.c: registers the globals of all files. */
void kasan_call_constructors(void);
