/* Inside of kernel/phys: counting what is allocated by the place that allocated it. */
#pragma once

#include <lib/util.h>

#define SITES_MAX 48

struct site_table {
    const char *title;
    unsigned n;
    size_t others; /* of sites that found no room */
    struct {
        uintptr_t pc;
        size_t count;
    } sites[SITES_MAX];
};

void sites_add(struct site_table *table, uintptr_t pc, size_t count);

/* One line a site; nothing when the table is empty. */
void sites_print(const struct site_table *table);
