/* Memory before there is an allocator: lists of ranges, and pages taken from them. */
#include "bootmem.h"
#include <lib/string.h>

struct bootinfo bootinfo;

static void range_delete(struct prange *list, unsigned *n, unsigned i)
{
    memmove(&list[i], &list[i + 1], (*n - i - 1) * sizeof(list[0]));
    (*n)--;
}

static bool range_insert(struct prange *list, unsigned *n, unsigned i, paddr_t beg, paddr_t end)
{
    if (*n == BOOT_RANGES_MAX)
        return false;
    memmove(&list[i + 1], &list[i], (*n - i) * sizeof(list[0]));
    list[i] = (struct prange){beg, end};
    (*n)++;
    return true;
}

bool range_add(struct prange *list, unsigned *n, paddr_t beg, paddr_t end)
{
    if (beg >= end)
        return true;
    unsigned i = 0;
    while (i < *n && list[i].end < beg)
        i++;
    /* Swallow all that touch the new one. */
    while (i < *n && list[i].beg <= end) {
        beg = MIN(beg, list[i].beg);
        end = MAX(end, list[i].end);
        range_delete(list, n, i);
    }
    return range_insert(list, n, i, beg, end);
}

bool range_remove(struct prange *list, unsigned *n, paddr_t beg, paddr_t end)
{
    for (unsigned i = 0; i < *n;) {
        struct prange old = list[i];
        if (old.end <= beg || old.beg >= end) {
            i++;
            continue;
        }
        range_delete(list, n, i);
        if (old.beg < beg)
            range_insert(list, n, i++, old.beg, beg);
        if (old.end > end && !range_insert(list, n, i++, end, old.end))
            return false;
    }
    return true;
}

bool range_overlaps(const struct prange *list, unsigned n, paddr_t beg, paddr_t end)
{
    for (unsigned i = 0; i < n; i++) {
        if (list[i].beg < end && beg < list[i].end)
            return true;
    }
    return false;
}

bool range_holds(const struct prange *list, unsigned n, paddr_t beg, paddr_t end)
{
    for (unsigned i = 0; i < n; i++) {
        if (beg < end && list[i].beg <= beg && end <= list[i].end)
            return true;
    }
    return false;
}

void boot_reserve(paddr_t beg, paddr_t end)
{
    if (!range_add(bootinfo.reserved, &bootinfo.nreserved, ALIGN_DOWN(beg, PAGE_BYTES),
                   ALIGN_UP(end, PAGE_BYTES)))
        boot_fail("too many reserved pieces of memory");
}

/* The end of the reserved range that holds the page at `at`; 0 when it is not reserved. */
static paddr_t reserved_end(paddr_t at)
{
    for (unsigned i = 0; i < bootinfo.nreserved; i++) {
        if (bootinfo.reserved[i].beg <= at && at < bootinfo.reserved[i].end)
            return bootinfo.reserved[i].end;
    }
    return 0;
}

void *boot_page_alloc(void)
{
    /* Upward from the kernel image, so that the pages make few ranges. */
    paddr_t at = image_paddr(image_end);
    while (at < BOOT_MAP_BYTES) {
        paddr_t end = reserved_end(at);
        if (end == 0 && range_holds(bootinfo.ram, bootinfo.nram, at, at + PAGE_BYTES)) {
            boot_reserve(at, at + PAGE_BYTES);
            return memset(arch_paddr_to_ptr(at), 0, PAGE_BYTES);
        }
        at = end ? end : at + PAGE_BYTES;
    }
    boot_fail("not enough memory");
}
