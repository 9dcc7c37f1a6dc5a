/* What a forbidden access touched. */
#include "kasan.h"
#include <arch/thread.h>
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define TEXT_MAX 160

/* The same byte in the direct map, where pmem knows it. */
static const void *direct_of(uintptr_t addr)
{
    if (addr >= ARCH_STACK_BASE && addr < KERNEL_BASE) {
        uintptr_t block = ALIGN_DOWN(addr, 2 * KSTACK_BYTES) + KSTACK_BYTES;
        return arch_paddr_to_ptr(arch_stack_block((const void *)block) + (addr - block));
    }
    return (const void *)addr;
}

/* A partly accessible granule does not say what the rest is; the next one does. */
static uint8_t reason_at(uintptr_t addr)
{
    int8_t shadow = *kasan_shadow(addr);
    return (uint8_t)(shadow >= 0 ? *kasan_shadow(addr + KASAN_GRANULE) : shadow);
}

static void describe(uintptr_t addr, char *text)
{
    switch (reason_at(addr)) {
    case KASAN_STACK_LEFT:
    case KASAN_STACK_MID:
    case KASAN_STACK_RIGHT:
        str_copy(text, "beyond a variable on a stack", TEXT_MAX);
        break;
    case KASAN_STACK_SCOPE:
        str_copy(text, "a variable on a stack that is out of scope", TEXT_MAX);
        break;
    case KASAN_GLOBAL:
        str_copy(text, "beyond a global variable", TEXT_MAX);
        break;
    default:
        kmem_describe(direct_of(addr), text, TEXT_MAX);
    }
}

_Noreturn void kasan_report(uintptr_t addr, size_t n, bool write, uintptr_t bad)
{
    char text[TEXT_MAX];
    describe(bad, text);
    panic("kasan: %s of %zu bytes at %#lx: %s", write ? "write" : "read", n, (unsigned long)addr,
          text);
}
