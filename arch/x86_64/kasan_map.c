/* Mapping the shadow: the image's before anything else, all of it with the kernel's own map. */
#include "bootmem.h"
#include "kasan.h"
#include "kasan_abi.h"
#include "kmap.h"
#include "start.h"
#include <arch/thread.h>

#define IMAGE_MAX_BYTES                                                                            \
    (16ul << 20) /* of what is at KERNEL_BASE, with what lies before the image */
#define IMAGE_SHADOW_BYTES (IMAGE_MAX_BYTES / KASAN_GRANULE)
#define ENTRIES            512u

/* linker.ld: one function a file, made by the compiler. */
extern void (*const init_array_beg[])(void), (*const init_array_end[])(void);

static uint8_t image_shadow[IMAGE_SHADOW_BYTES] __attribute__((aligned(4096)));

/* Tables for the boot map, of levels 3, 2 and 1. */
static pte_t early_tables[3][ENTRIES] __attribute__((aligned(4096)));

_Static_assert(IMAGE_SHADOW_BYTES == ENTRIES * PAGE_BYTES, "the image's shadow fills one table");

void kasan_early(void)
{
    uintptr_t va = (uintptr_t)kasan_shadow(KERNEL_BASE);
    pte_t *table = boot_root;
    for (int level = 4; level > 1; level--) {
        pte_t *next = early_tables[4 - level];
        table[(va >> (PAGE_SHIFT + 9 * (level - 1))) % ENTRIES] =
            image_paddr(next) | PTE_PRESENT | PTE_WRITE;
        table = next;
    }
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = image_paddr(image_shadow + i * PAGE_BYTES) | PTE_PRESENT | PTE_WRITE;
}

/* Shadow for [beg, end) of the direct map; neighbours may share a page of it. */
static void map_direct_shadow(paddr_t beg, paddr_t end)
{
    uintptr_t va = (uintptr_t)kasan_shadow(DIRECT_BASE + beg);
    uintptr_t va_end = (uintptr_t)kasan_shadow(DIRECT_BASE + end + KASAN_GRANULE - 1);
    for (va = ALIGN_DOWN(va, PAGE_BYTES); va < va_end; va += PAGE_BYTES) {
        pte_t *entry = kmap_entry(va);
        if (*entry == 0)
            *entry = arch_ptr_to_paddr(boot_page_alloc()) | KMAP_RW;
    }
}

/* A block of KSTACK_BYTES has one page of shadow, under both its addresses. */
static void map_stack_shadow(paddr_t beg, paddr_t end)
{
    _Static_assert(KSTACK_BYTES / KASAN_GRANULE == PAGE_BYTES, "a stack has a page of shadow");
    for (paddr_t at = ALIGN_UP(beg, KSTACK_BYTES); at + KSTACK_BYTES <= end; at += KSTACK_BYTES) {
        pte_t shadow = *kmap_entry((uintptr_t)kasan_shadow(DIRECT_BASE + at));
        *kmap_entry((uintptr_t)kasan_shadow((uintptr_t)arch_stack_at(at))) = shadow;
    }
}

void kasan_map(const struct bootinfo *info)
{
    if ((uintptr_t)image_end - KERNEL_BASE > IMAGE_MAX_BYTES)
        boot_fail("the kernel is larger than its shadow");
    for (unsigned i = 0; i < ENTRIES; i++)
        *kmap_entry((uintptr_t)kasan_shadow(KERNEL_BASE) + i * PAGE_BYTES) =
            image_paddr(image_shadow + i * PAGE_BYTES) | KMAP_RW;
    for (unsigned i = 0; i < info->nram; i++) {
        map_direct_shadow(info->ram[i].beg, info->ram[i].end);
        map_stack_shadow(info->ram[i].beg, info->ram[i].end);
    }
}

void kasan_call_constructors(void)
{
    for (void (*const *fn)(void) = init_array_beg; fn < init_array_end; fn++)
        (*fn)();
}
