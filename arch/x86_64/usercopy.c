/* Checked access to user memory. */
#include "usercopy.h"
#include "kasan.h"
#include <arch/mmu.h>
#include <arch/usercopy.h>
#include <lib/err.h>

static bool user_range_ok(uintptr_t beg, size_t n)
{
    return n == 0 || (beg >= USER_BEG && beg < USER_END && n <= USER_END - beg);
}

int arch_copy_from_user(void *dst, uintptr_t src, size_t n)
{
    kasan_check(dst, n, true);
    return user_range_ok(src, n) && usercopy_bytes(dst, (const void *)src, n) ? 0 : -EFAULT;
}

int arch_copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    kasan_check(src, n, false);
    return user_range_ok(dst, n) && usercopy_bytes((void *)dst, src, n) ? 0 : -EFAULT;
}

int arch_clear_user(uintptr_t dst, size_t n)
{
    return user_range_ok(dst, n) && usercopy_clear((void *)dst, n) ? 0 : -EFAULT;
}

long arch_copy_string_from_user(char *dst, uintptr_t src, size_t size)
{
    if (src < USER_BEG || src >= USER_END)
        return -EFAULT;
    size_t room = MIN(size, USER_END - src);
    kasan_check(dst, room, true);
    long n = usercopy_string(dst, (const char *)src, room);
    if (n < 0)
        return -EFAULT;
    if ((size_t)n < room)
        return n;
    return room < size ? -EFAULT : -ENAMETOOLONG;
}

static bool user_word_ok(uintptr_t addr)
{
    return IS_ALIGNED(addr, sizeof(uint32_t)) && user_range_ok(addr, sizeof(uint32_t));
}

int arch_user_load_u32(uintptr_t addr, uint32_t *value)
{
    return user_word_ok(addr) && usercopy_load_u32((const uint32_t *)addr, value) ? 0 : -EFAULT;
}

int arch_user_cas_u32(uintptr_t addr, uint32_t *seen, uint32_t new)
{
    return user_word_ok(addr) && usercopy_cas_u32((uint32_t *)addr, seen, new) ? 0 : -EFAULT;
}
