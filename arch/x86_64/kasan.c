/* Checks of accesses to memory: what the compiler calls, and what the kernel says of its memory. */
#include "kasan.h"
#include "bootmem.h"
#include "kasan_abi.h"
#include "kmap.h"
#include "start.h"
#include <arch/poison.h>
#include <arch/thread.h>

/* What has shadow; 0 before kasan_start(), and again once something has been found. */
static uintptr_t direct_bytes, image_bytes;

void kasan_start(const struct bootinfo *info)
{
    direct_bytes = info->ram[info->nram - 1].end;
    image_bytes = (uintptr_t)image_end - KERNEL_BASE;
    kmap_share(boot_root); /* other CPUs start on it, and are checked too */
    kasan_call_constructors();
}

static inline bool has_shadow(uintptr_t addr)
{
    return addr - DIRECT_BASE < direct_bytes || addr - KERNEL_BASE < image_bytes ||
           addr - ARCH_STACK_BASE < 2 * direct_bytes;
}

/* Shadow of 8 granules at once. */
typedef uint64_t __attribute__((may_alias)) shadow_word_t;
#define WORD_SPAN (sizeof(shadow_word_t) * KASAN_GRANULE)

/* The first byte of [beg, end) that cannot be accessed, or `end`. */
static uintptr_t first_bad(uintptr_t beg, uintptr_t end)
{
    uintptr_t at = ALIGN_DOWN(beg, KASAN_GRANULE);
    while (at < end) {
        int8_t *shadow = kasan_shadow(at);
        if (IS_ALIGNED(at, WORD_SPAN) && end - at >= WORD_SPAN && *(shadow_word_t *)shadow == 0) {
            at += WORD_SPAN;
            continue;
        }
        uintptr_t accessible = *shadow < 0 ? at : at + (uintptr_t)*shadow;
        if (*shadow != 0 && accessible < MIN(end, at + KASAN_GRANULE))
            return MAX(accessible, beg);
        at += KASAN_GRANULE;
    }
    return end;
}

static void check_slowly(uintptr_t addr, size_t n, bool write)
{
    uintptr_t bad = first_bad(addr, addr + n);
    if (bad == addr + n)
        return;
    direct_bytes = image_bytes = 0;
    kasan_report(addr, n, write, bad);
}

static inline void check(uintptr_t addr, size_t n, bool write)
{
    if (!has_shadow(addr))
        return;
    if (*kasan_shadow(addr) != 0 || addr % KASAN_GRANULE + n > KASAN_GRANULE)
        check_slowly(addr, n, write);
}

void kasan_check(const void *p, size_t n, bool write)
{
    if (n)
        check((uintptr_t)p, n, write);
}

#define CHECKS(n)                                                                                  \
    void __asan_load##n(uintptr_t addr)                                                            \
    {                                                                                              \
        check(addr, n, false);                                                                     \
    }                                                                                              \
    void __asan_store##n(uintptr_t addr)                                                           \
    {                                                                                              \
        check(addr, n, true);                                                                      \
    }
CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)

void __asan_loadN(uintptr_t addr, size_t n)
{
    check(addr, n, false);
}

void __asan_storeN(uintptr_t addr, size_t n)
{
    check(addr, n, true);
}

/* Of a granule that goes on beyond `end`, nothing changes unless that is poisoned already. */
static void poison(uintptr_t beg, uintptr_t end, int8_t value)
{
    int8_t *shadow = kasan_shadow(beg), *last = kasan_shadow(end);
    int8_t head = beg % KASAN_GRANULE, tail = end % KASAN_GRANULE;
    bool tail_alone = tail && *last > 0 && *last <= tail; /* at the end of RAM there is no *last */
    if (shadow == last) {
        if (tail_alone)
            *last = head ? MIN(*last, head) : value;
        return;
    }
    if (head) {
        if (*shadow == 0 || *shadow > head)
            *shadow = head;
        shadow++;
    }
    kasan_raw_memset(shadow, value, (size_t)(last - shadow));
    if (tail_alone)
        *last = value;
}

static void unpoison(uintptr_t beg, uintptr_t end)
{
    int8_t *shadow = kasan_shadow(beg), *last = kasan_shadow(end);
    unsigned tail = end % KASAN_GRANULE;
    kasan_raw_memset(shadow, 0, (size_t)(last - shadow));
    if (tail && *last != 0 && *last < (int8_t)tail)
        *last = (int8_t)tail;
}

void arch_poison(const void *p, size_t n)
{
    if (n && has_shadow((uintptr_t)p))
        poison((uintptr_t)p, (uintptr_t)p + n, (int8_t)KASAN_POISONED);
}

void arch_unpoison(const void *p, size_t n)
{
    if (n && has_shadow((uintptr_t)p))
        unpoison((uintptr_t)p, (uintptr_t)p + n);
}

/* A call that does not return leaves the redzones of its callers' frames behind: of everything
 * above on this stack. */
void __asan_handle_no_return(void)
{
    uintptr_t sp = ALIGN_DOWN((uintptr_t)__builtin_frame_address(0), KASAN_GRANULE);
    if (sp - ARCH_STACK_BASE < 2 * direct_bytes)
        unpoison(sp, ALIGN_UP(sp + 1, 2 * KSTACK_BYTES));
    else if (sp >= (uintptr_t)boot_stack_guard && sp < (uintptr_t)boot_stack_end && image_bytes)
        unpoison(sp, (uintptr_t)boot_stack_end);
}

/* Of frames that are too large for stores in the function itself; `shadow` is an address in it. */
#define SET_SHADOW(value)                                                                          \
    void __asan_set_shadow_##value(void *shadow, size_t n)                                         \
    {                                                                                              \
        kasan_raw_memset(shadow, 0x##value, n);                                                    \
    }
SET_SHADOW(00)
SET_SHADOW(f1)
SET_SHADOW(f2)
SET_SHADOW(f3)
SET_SHADOW(f5)
SET_SHADOW(f8)

void __asan_register_globals(const struct kasan_global *globals, size_t n)
{
    for (size_t i = 0; i < n; i++)
        poison(globals[i].beg + globals[i].bytes, globals[i].beg + globals[i].bytes_with_redzone,
               (int8_t)KASAN_GLOBAL);
}

void __asan_unregister_globals(const struct kasan_global *globals, size_t n) {}
