/* The kernel's own half: direct map, kernel image, device registers.  Nothing is both writable and
 * executable, under any of its addresses. */
#include "kmap.h"
#include "bootmem.h"
#include "kasan.h"
#include "layout.h"
#include "start.h"
#include "x86.h"
#include <arch/thread.h>
#include <lib/string.h>

#define LARGE_BYTES (1ul << 21)
#define STACK_END   (ARCH_STACK_BASE + (1ul << 45)) /* of the view for stacks */
#define DEVICE_BASE (KERNEL_BASE + (1ul << 30))     /* the GiB after the kernel image's */
#define RIGHTS_RO   (PTE_PRESENT | PTE_ACCESSED | PTE_GLOBAL | PTE_NX)
#define RIGHTS_RX   (PTE_PRESENT | PTE_ACCESSED | PTE_GLOBAL)

static pte_t root[512] __attribute__((aligned(4096)));
static uintptr_t device_next = DEVICE_BASE;

/* The entry for `va` in its table of `level` (1: 4 KiB, 2: 2 MiB); makes the tables above. */
static pte_t *entry_make(uintptr_t va, int level)
{
    pte_t *table = root;
    for (int l = 4; l > level; l--) {
        pte_t *entry = &table[(va >> (PAGE_SHIFT + 9 * (l - 1))) % 512];
        if (*entry == 0)
            *entry = arch_ptr_to_paddr(boot_page_alloc()) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
        table = arch_paddr_to_ptr(pte_paddr(*entry));
    }
    return &table[(va >> (PAGE_SHIFT + 9 * (level - 1))) % 512];
}

pte_t *kmap_entry(uintptr_t va)
{
    return entry_make(va, 1);
}

/* Large pages where a whole one fits. */
static void map_range(uintptr_t va, paddr_t beg, paddr_t end, pte_t rights)
{
    while (beg < end) {
        bool large = IS_ALIGNED(beg | va, LARGE_BYTES) && end - beg >= LARGE_BYTES;
        size_t step = large ? LARGE_BYTES : PAGE_BYTES;
        *entry_make(va, large ? 2 : 1) = beg | rights | (large ? PTE_LARGE : 0);
        va += step;
        beg += step;
    }
}

static void map_direct(paddr_t beg, paddr_t end, pte_t rights)
{
    map_range(DIRECT_BASE + beg, beg, end, rights);
}

static void map_image(const char *beg, const char *end, pte_t rights)
{
    for (const char *va = beg; va < end; va += PAGE_BYTES)
        *entry_make((uintptr_t)va, 1) = image_paddr(va) | rights;
}

/* The view of RAM for stacks (machine/thread.h), but for the blocks of the kernel image: of those,
 * some must not be written to. */
static void map_stacks(paddr_t beg, paddr_t end)
{
    paddr_t image_beg = ALIGN_DOWN(image_paddr(image_text_beg), KSTACK_BYTES);
    for (paddr_t at = ALIGN_UP(beg, KSTACK_BYTES); at + KSTACK_BYTES <= end; at += KSTACK_BYTES) {
        if (at >= image_beg && at < image_paddr(image_end))
            continue;
        /* Aligned to its size: the entries of a block are in one table. */
        pte_t *entry = entry_make((uintptr_t)arch_stack_at(at), 1);
        for (size_t i = 0; i < KSTACK_BYTES / PAGE_BYTES; i++)
            entry[i] = (at + i * PAGE_BYTES) | KMAP_RW;
    }
}

bool kmap_is_stack_guard(uintptr_t addr)
{
    if ((uintptr_t)boot_stack_guard <= addr && addr < (uintptr_t)boot_stack_guard + PAGE_BYTES)
        return true;
    return addr >= ARCH_STACK_BASE && addr < STACK_END && (addr & KSTACK_BYTES) == 0;
}

void kmap_build(const struct bootinfo *info)
{
    /* The tables come out of the very RAM that is being mapped; the boot map still covers it. */
    paddr_t ro_beg = image_paddr(image_text_beg), ro_end = image_paddr(image_rodata_end);
    for (unsigned i = 0; i < info->nram; i++) {
        paddr_t beg = info->ram[i].beg, end = info->ram[i].end;
        map_direct(beg, MIN(end, MAX(beg, ro_beg)), KMAP_RW);
        map_direct(MAX(beg, ro_beg), MIN(end, ro_end), RIGHTS_RO);
        map_direct(MAX(beg, ro_end), end, KMAP_RW);
    }
    map_image(image_text_beg, image_text_end, RIGHTS_RX);
    map_image(image_text_end, image_rodata_end, RIGHTS_RO);
    map_image(image_rodata_end, boot_stack_guard, KMAP_RW);
    map_image(boot_stack_guard + PAGE_BYTES, image_end, KMAP_RW);
    for (unsigned i = 0; i < info->nram; i++)
        map_stacks(info->ram[i].beg, info->ram[i].end);
    kasan_map(info);
    /* Present before the first user map copies the upper half. */
    entry_make(DEVICE_BASE, 1);
    cr3_write(kmap_root_paddr());
}

paddr_t kmap_root_paddr(void)
{
    return image_paddr(root);
}

void kmap_share(pte_t *to)
{
    memcpy(to + 256, root + 256, 256 * sizeof(pte_t));
}

volatile void *kmap_device(paddr_t paddr, size_t bytes)
{
    uintptr_t va = device_next;
    paddr_t beg = ALIGN_DOWN(paddr, PAGE_BYTES), end = ALIGN_UP(paddr + bytes, PAGE_BYTES);
    for (paddr_t at = beg; at < end; at += PAGE_BYTES) {
        *entry_make(device_next, 1) = at | KMAP_RW | PTE_UNCACHED;
        device_next += PAGE_BYTES;
    }
    return (volatile void *)(va + (paddr - beg));
}
