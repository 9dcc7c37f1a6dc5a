#include "sites.h"
#include "buddy.h"
#include <kernel/base/printk.h>
#include <kernel/base/symtab.h>

void sites_add(struct site_table *table, uintptr_t pc, size_t count)
{
    unsigned i = 0;
    while (i < table->n && table->sites[i].pc != pc)
        i++;
    if (i == SITES_MAX) {
        table->others += count;
        return;
    }
    if (i == table->n) {
        table->sites[i].pc = pc;
        table->sites[i].count = 0;
        table->n++;
    }
    table->sites[i].count += count;
}

void sites_print(const struct site_table *table)
{
    for (unsigned i = 0; i < table->n; i++) {
        uintptr_t pc = table->sites[i].pc, offset = 0;
        const char *name = symtab_lookup(pc, &offset);
        printk("    %s: %zu from %#lx %s+%#lx\n", table->title, table->sites[i].count,
               (unsigned long)pc, name ? name : "?", (unsigned long)offset);
    }
    if (table->others)
        printk("    %s: %zu from other places\n", table->title, table->others);
}

/* All code is within 4 GiB, so this function's upper half is that of every site. */
static uintptr_t site_to_pc(uint32_t site)
{
    return ((uintptr_t)pmem_print_sites & ~(uintptr_t)UINT32_MAX) | site;
}

/* One pass a use keeps the table small enough for a kernel stack. */
static void print_use(enum page_use use, const char *title)
{
    struct site_table table = {.title = title};
    size_t npages;
    struct page *pages = buddy_pages(&npages);
    for (size_t i = 0; i < npages;) {
        bool head = pages[i].use == use && page_pins(&pages[i]) > 0;
        size_t n = head ? (size_t)1 << pages[i].order : 1;
        if (head)
            sites_add(&table, site_to_pc(pages[i].site), n);
        i += n;
    }
    sites_print(&table);
}

void pmem_print_sites(void)
{
    print_use(PAGE_KERNEL, "frames kernel");
    print_use(PAGE_SLAB, "frames slab");
    print_use(PAGE_TABLE, "frames table");
    print_use(PAGE_ANON, "frames anonymous");
    print_use(PAGE_CACHE, "frames cache");
}
