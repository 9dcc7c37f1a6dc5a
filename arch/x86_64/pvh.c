/* The start_info of the PVH boot protocol (Xen's public header arch-x86/hvm/start_info.h). */
#include "pvh.h"
#include "bootmem.h"
#include <kernel/base/cmdline.h>
#include <kernel/base/printk.h>
#include <lib/string.h>

#define START_INFO_MAGIC 0x336ec578u
#define MEMMAP_MAX       256u
#define MEMMAP_RAM       1u
#define LOW_BYTES        (1ul << 20) /* firmware keeps its tables here, RAM or not */
#define RAM_LIMIT        (1ul << 40) /* the direct map has room for more; nobody has tried */

/* The loader puts them where it likes, at any address. */
struct start_info {
    uint32_t magic, version, flags, nmodules;
    uint64_t modules, cmdline, rsdp;
    uint64_t memmap; /* from here on: version 1 */
    uint32_t nmemmap, unused;
} __attribute__((packed));

struct start_module {
    uint64_t paddr, bytes, cmdline, unused;
} __attribute__((packed));

struct start_memmap {
    uint64_t addr, bytes;
    uint32_t type, unused;
} __attribute__((packed));

static char cmdline[CMDLINE_BYTES];

/* Adds the RAM, then takes out what the map also calls something else. */
static void memmap_parse(const struct start_memmap *map, unsigned n)
{
    bool whole = true;
    for (unsigned i = 0; i < n; i++) {
        uint64_t end = map[i].addr + map[i].bytes;
        if (map[i].type != MEMMAP_RAM || end < map[i].addr)
            continue;
        uint64_t beg = ALIGN_UP(MIN(map[i].addr, RAM_LIMIT), PAGE_BYTES);
        whole &= range_add(bootinfo.ram, &bootinfo.nram, beg,
                           ALIGN_DOWN(MIN(end, RAM_LIMIT), PAGE_BYTES));
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t end = map[i].addr + map[i].bytes;
        if (map[i].type == MEMMAP_RAM || map[i].bytes == 0)
            continue;
        if (end < map[i].addr || end > RAM_LIMIT)
            end = RAM_LIMIT;
        whole &= range_remove(bootinfo.ram, &bootinfo.nram, ALIGN_DOWN(map[i].addr, PAGE_BYTES),
                              ALIGN_UP(end, PAGE_BYTES));
    }
    if (!whole)
        printk("boot: memory map in too many pieces, some memory is not used\n");
}

/* Is it where the protocol's data may be: RAM, or the firmware's first megabyte? */
static const void *data_ptr(paddr_t paddr, uint64_t bytes)
{
    const void *p = boot_ptr(paddr, bytes);
    if (!p || bytes == 0)
        return NULL;
    return paddr + bytes <= LOW_BYTES ||
                   range_holds(bootinfo.ram, bootinfo.nram, paddr, paddr + bytes)
               ? p
               : NULL;
}

static void cmdline_copy(paddr_t paddr)
{
    size_t n = 0;
    for (; paddr != 0 && n < sizeof(cmdline) - 1; n++) {
        const char *c = data_ptr(paddr + n, 1);
        if (!c || !*c)
            break;
        cmdline[n] = *c;
    }
    cmdline[n] = '\0';
    if (n == sizeof(cmdline) - 1)
        printk("boot: command line cut at %zu bytes\n", n);
    bootinfo.cmdline = cmdline;
}

static void initramfs_find(const struct start_info *info)
{
    if (info->nmodules == 0)
        return;
    const struct start_module *module = data_ptr(info->modules, sizeof(*module));
    uint64_t end = module ? module->paddr + module->bytes : 0;
    if (!module || !range_holds(bootinfo.ram, bootinfo.nram, module->paddr, end) ||
        range_overlaps(bootinfo.reserved, bootinfo.nreserved, module->paddr, end)) {
        printk("boot: initramfs is not in free memory, ignored\n");
        return;
    }
    boot_reserve(module->paddr, end);
    bootinfo.initramfs = arch_paddr_to_ptr(module->paddr);
    bootinfo.initramfs_bytes = module->bytes;
}

paddr_t pvh_parse(paddr_t paddr)
{
    const struct start_info *info = boot_ptr(paddr, sizeof(*info));
    if (!info || info->magic != START_INFO_MAGIC || info->version < 1)
        boot_fail("no PVH start_info of version 1");
    const struct start_memmap *map = NULL;
    if (info->nmemmap > 0 && info->nmemmap <= MEMMAP_MAX)
        map = boot_ptr(info->memmap, info->nmemmap * sizeof(*map));
    if (!map)
        boot_fail("no memory map");
    memmap_parse(map, info->nmemmap);
    paddr_t image_beg = image_paddr(image_text_beg);
    if (!range_holds(bootinfo.ram, bootinfo.nram, image_beg, image_paddr(image_end)))
        boot_fail("the kernel is not in memory");
    boot_reserve(0, PAGE_BYTES); /* real-mode vectors and BIOS data */
    boot_reserve(image_beg, image_paddr(image_end));
    cmdline_copy(info->cmdline);
    initramfs_find(info);
    return info->rsdp;
}
