#include <kernel/base/audit.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <lib/string.h>

void audit_add(struct audit *audit, const char *name, size_t count)
{
    ASSERTF(audit->n < AUDIT_MAX, "no room for \"%s\"", name);
    audit->lines[audit->n++] = (struct audit_line){.name = name, .count = count};
}

static const struct audit_line *line_find(const struct audit *audit, const char *name)
{
    for (unsigned i = 0; i < audit->n; i++)
        if (strcmp(audit->lines[i].name, name) == 0)
            return &audit->lines[i];
    return NULL;
}

/* What is counted for the first time after the boot, or never again, counts as 0 on the other side.
 */
static size_t count_of(const struct audit *audit, const char *name)
{
    const struct audit_line *line = line_find(audit, name);
    return line ? line->count : 0;
}

static unsigned compare(const char *name, size_t boot, size_t now)
{
    if (boot == now)
        return 0;
    printk("audit: %s: %zu at boot, %zu now\n", name, boot, now);
    return 1;
}

unsigned audit_compare(const struct audit *boot, const struct audit *now)
{
    unsigned differences = 0;
    for (unsigned i = 0; i < boot->n; i++) {
        const struct audit_line *line = &boot->lines[i];
        differences += compare(line->name, line->count, count_of(now, line->name));
    }
    for (unsigned i = 0; i < now->n; i++) {
        const struct audit_line *line = &now->lines[i];
        if (!line_find(boot, line->name))
            differences += compare(line->name, 0, line->count);
    }
    return differences;
}
