/* The tables of user address spaces.  Four levels: the root has 512 entries of 512 GiB, its lower
 * half the user's. */
#include "tlb.h"
#include "tlb_hw.h"
#include <arch/mmu.h>
#include <kernel/base/panic.h>
#include <kernel/phys/pmem.h>
#include <lib/err.h>
#include <lib/string.h>

#define ENTRIES      512u
#define USER_ENTRIES 256u /* of the root */
#define ROOT_LEVEL   4
#define USER_SPAN    (1ul << 47) /* what the user half of the root covers */

/* Bytes that one entry of a table of `level` covers; level 1 holds the pages. */
static inline uintptr_t entry_span(int level)
{
    return PAGE_BYTES << (9 * (level - 1));
}

static inline unsigned entry_idx(uintptr_t va, int level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) % ENTRIES;
}

static inline pte_t *entry_table(pte_t entry)
{
    return arch_paddr_to_ptr(pte_paddr(entry));
}

static pte_t *table_alloc(void)
{
    struct page *page = page_alloc(PAGE_TABLE, 0, PMEM_ZERO);
    return page ? page_to_ptr(page) : NULL;
}

int vpmap_init(struct vpmap *map)
{
    memset(map, 0, sizeof(*map));
    map->root = table_alloc();
    if (!map->root)
        return -ENOMEM;
    tlb_root_init(map->root);
    return 0;
}

/* Appends a table that nothing leads to, of `level`, with all that is below it. */
static void tables_push(struct list *tables, pte_t *table, int level)
{
    struct page *page = ptr_to_page(table);
    page->level = (uint8_t)level;
    list_push_back(tables, &page->node);
}

/* The tables right below one. */
static void push_children(struct list *tables, const struct page *page)
{
    pte_t *table = page_to_ptr(page);
    int level = page->level;
    unsigned nentries = level == ROOT_LEVEL ? USER_ENTRIES : ENTRIES;
    for (unsigned i = 0; i < nentries && (level > 1 || KERNEL_DEBUG); i++) {
        pte_t entry = pte_load(&table[i]);
        if (!pte_present(entry))
            continue;
        ASSERTF(level > 1, "a page is still mapped: pte 0x%lx", (unsigned long)entry);
        tables_push(tables, entry_table(entry), level - 1);
    }
}

void vpmap_destroy(struct vpmap *map)
{
    struct list tables;
    list_init(&tables);
    tlb_evict(map);
    tables_push(&tables, map->root, ROOT_LEVEL);
    vpmap_free_tables(&tables);
    map->root = NULL;
}

void vpmap_free_tables(struct list *tables)
{
    struct list *node;
    while ((node = list_pop_front(tables))) {
        struct page *page = list_entry(node, struct page, node);
        push_children(tables, page);
        page_free(page);
    }
}

pte_t *vpmap_slot(struct vpmap *map, uintptr_t va, bool create)
{
    DEBUG_ASSERT(va < USER_END);
    pte_t *table = map->root;
    for (int level = ROOT_LEVEL; level > 1; level--) {
        pte_t *slot = &table[entry_idx(va, level)];
        pte_t entry = pte_load(slot);
        if (!pte_present(entry)) {
            pte_t *child = create ? table_alloc() : NULL;
            if (!child)
                return NULL;
            /* Other CPUs' page walkers see the entry at once: the zeroed table comes before it
             * (release). */
            entry = arch_ptr_to_paddr(child) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
            __atomic_store_n(slot, entry, __ATOMIC_RELEASE);
        }
        table = entry_table(entry);
    }
    return &table[entry_idx(va, 1)];
}

pte_t *vpmap_next(struct vpmap *map, uintptr_t *va, uintptr_t end, unsigned *looks)
{
    uintptr_t at = ALIGN_DOWN(*va, PAGE_BYTES);
    while (at < end && *looks) {
        pte_t *table = map->root;
        int level = ROOT_LEVEL;
        for (; level > 1; level--) {
            pte_t entry = pte_load(&table[entry_idx(at, level)]);
            if (!pte_present(entry))
                break;
            table = entry_table(entry);
        }
        /* The run of absent entries in this table; the walk from the root starts again where it
         * ends. */
        uintptr_t span = entry_span(level), beg = ALIGN_DOWN(at, span);
        unsigned i = 0, idx = entry_idx(at, level), n = MIN(ENTRIES - idx, *looks);
        n = (unsigned)MIN((uintptr_t)n, (end - 1 - beg) / span + 1);
        while (i < n && !pte_present(pte_load(&table[idx + i])))
            i++;
        *looks -= MIN(i + 1, n);
        at = beg + i * span;
        if (i < n && level == 1) {
            *va = at;
            return &table[idx + i];
        }
    }
    *va = MIN(at, end);
    return NULL;
}

/* What part of user space a table may be freed for, and where one may have become empty. */
struct unlinking {
    uintptr_t beg, end, floor, ceiling;
    struct list *tables;
};

/* Below `table` of `level`, which covers addresses from `base`. */
static void unlink_below(pte_t *table, int level, uintptr_t base, const struct unlinking *u)
{
    uintptr_t span = entry_span(level);
    uintptr_t end = MIN(u->end, base + ENTRIES * span);
    for (uintptr_t va = MAX(base, ALIGN_DOWN(u->beg, span)); va < end; va += span) {
        pte_t *entry = &table[entry_idx(va, level)];
        if (!pte_present(pte_load(entry)))
            continue;
        pte_t *child = entry_table(pte_load(entry));
        if (va >= u->floor && va + span <= u->ceiling) {
            __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
            tables_push(u->tables, child, level - 1);
        } else if (level > 2) {
            unlink_below(child, level - 1, va, u);
        }
    }
}

void vpmap_unlink_tables(struct vpmap *map, uintptr_t beg, uintptr_t end, uintptr_t floor,
                         uintptr_t ceiling, struct list *tables)
{
    /* What lies outside of user space is nobody's. */
    struct unlinking u = {
        .beg = beg,
        .end = end,
        .floor = floor <= USER_BEG ? 0 : floor,
        .ceiling = ceiling >= USER_END ? USER_SPAN : ceiling,
        .tables = tables,
    };
    unlink_below(map->root, ROOT_LEVEL, 0, &u);
}
