/* Checked access to user memory, through the model of the CPU's memory management unit. */
#include "sim.h"
#include <arch/mmu.h>
#include <arch/upcall.h>
#include <arch/usercopy.h>
#include <lib/err.h>
#include <string.h>

static bool user_range_ok(uintptr_t beg, size_t n)
{
    return n == 0 || (beg >= USER_BEG && beg < USER_END && n <= USER_END - beg);
}

/* Where the byte at va is, faulting it in; NULL when it cannot be touched. */
static char *touch(uintptr_t va, unsigned access)
{
    for (;;) {
        host_point();
        /* No interrupt between finding the byte and using it, as within an instruction: the callers
         * have no point in between. */
        char *p = tlb_translate(va, access);
        if (p)
            return p;
        if (!kernel_page_fault(va, access, false))
            return NULL;
    }
}

static const char zeros[PAGE_BYTES];

static bool copy(uintptr_t va, char *kernel, size_t n, unsigned access)
{
    while (n) {
        size_t part = MIN(n, PAGE_BYTES - va % PAGE_BYTES);
        char *p = touch(va, access);
        if (!p)
            return false;
        if (access == VP_READ)
            tlb_copy(kernel, p, part);
        else
            tlb_copy(p, kernel ? kernel : zeros, part);
        va += part;
        if (kernel)
            kernel += part;
        n -= part;
    }
    return true;
}

int arch_copy_from_user(void *dst, uintptr_t src, size_t n)
{
    return user_range_ok(src, n) && copy(src, dst, n, VP_READ) ? 0 : -EFAULT;
}

int arch_copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    return user_range_ok(dst, n) && copy(dst, (char *)src, n, VP_WRITE) ? 0 : -EFAULT;
}

int arch_clear_user(uintptr_t dst, size_t n)
{
    return user_range_ok(dst, n) && copy(dst, NULL, n, VP_WRITE) ? 0 : -EFAULT;
}

long arch_copy_string_from_user(char *dst, uintptr_t src, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!user_range_ok(src + i, 1) || !copy(src + i, &dst[i], 1, VP_READ))
            return -EFAULT;
        if (dst[i] == '\0')
            return (long)i;
    }
    return -ENAMETOOLONG;
}

static uint32_t *word(uintptr_t addr, unsigned access)
{
    if (!IS_ALIGNED(addr, sizeof(uint32_t)) || !user_range_ok(addr, sizeof(uint32_t)))
        return NULL;
    host_point();
    return tlb_translate(addr, access);
}

int arch_user_load_u32(uintptr_t addr, uint32_t *value)
{
    uint32_t *p = word(addr, VP_READ);
    if (!p)
        return -EFAULT;
    *value = __atomic_load_n(p, __ATOMIC_RELAXED);
    return 0;
}

int arch_user_cas_u32(uintptr_t addr, uint32_t *seen, uint32_t new)
{
    uint32_t *p = word(addr, VP_WRITE);
    if (!p)
        return -EFAULT;
    (void)__atomic_compare_exchange_n(p, seen, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return 0;
}
