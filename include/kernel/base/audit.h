/* The shutdown audit: counts of things that must be the same at shutdown as they were at boot. */
#pragma once

#include <lib/util.h>

#define AUDIT_MAX 64

struct audit_line {
    const char *name; /* string constant */
    size_t count;
};

struct audit {
    unsigned n;
    struct audit_line lines[AUDIT_MAX];
};

/* Adds a line; panics when there is no room. */
void audit_add(struct audit *audit, const char *name, size_t count);

/* Prints each difference ("audit: frames anonymous: 0 at boot, 3 now"); returns how many there are.
 */
unsigned audit_compare(const struct audit *boot, const struct audit *now);
