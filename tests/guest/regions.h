/* Regions in a test: the table in /proc/regions (A10), and the usual first steps. */
#pragma once

#include <fcntl.h>

#include "check.h"

/* One line of /proc/regions: kind, key, id, size, resident pages, mappings, owner, mode, lock
 * holder, waiters. The last two words are the holder and the count of waiters. */
struct region_line {
    bool found;
    unsigned long size_bytes, resident_pages, mappings, waiters;
    char holder[32];
};

#define REGION_TABLE_BYTES (64 * 1024)

/* The whole table as text. */
CHECK_UNUSED static const char *region_table(void)
{
    static char text[REGION_TABLE_BYTES];
    int fd = open("/proc/regions", O_RDONLY);
    size_t used = 0;

    CHECK(fd >= 0, "/proc/regions: %s", strerror(errno));
    for (;;) {
        ssize_t n = read(fd, text + used, sizeof(text) - 1 - used);

        CHECK(n >= 0, "reading /proc/regions: %s", strerror(errno));
        if (n == 0)
            break;
        used += (size_t)n;
    }
    close(fd);
    text[used] = '\0';
    return text;
}

CHECK_UNUSED static bool region_line_parse(char *line, const char *name, struct region_line *out)
{
    char *words[24];
    unsigned n = 0;

    for (char *w = strtok(line, " \t"); w && n < 24; w = strtok(NULL, " \t"))
        words[n++] = w;
    if (n < 10 || strcmp(words[1], name) != 0)
        return false;
    out->found = true;
    out->size_bytes = strtoul(words[3], NULL, 0);
    out->resident_pages = strtoul(words[4], NULL, 0);
    out->mappings = strtoul(words[5], NULL, 0);
    out->waiters = strtoul(words[n - 1], NULL, 0);
    snprintf(out->holder, sizeof(out->holder), "%s", words[n - 2]);
    return true;
}

/* The line of the region with this name (which holds no blank); .found is false when there is none.
 */
CHECK_UNUSED static struct region_line region_look(const char *name)
{
    struct region_line out = {0};
    const char *at = region_table();

    while (*at) {
        size_t n = strcspn(at, "\n");
        char line[512];

        snprintf(line, sizeof(line), "%.*s", (int)n, at);
        if (region_line_parse(line, name, &out))
            break;
        at += n + (at[n] == '\n');
    }
    return out;
}

CHECK_UNUSED static void *region_map(const char *name)
{
    void *beg = NULL;

    CHECK_ERR(createMapping(name, &beg), ERR_OK);
    CHECK(beg != NULL, "R7: createMapping(%s) gave no address", name);
    return beg;
}

/* Creates and maps. */
CHECK_UNUSED static void *region_new(const char *name, size_t size_bytes)
{
    CHECK_ERR(createSharedRegion(name, size_bytes, RS_DEFAULT), ERR_OK);
    return region_map(name);
}

CHECK_UNUSED static void region_unmap(const char *name, void *addr)
{
    CHECK_ERR(destroyMapping(name, addr), ERR_OK);
}

/* The name leads nowhere: not mapped, not in the table, free to be created. */
CHECK_UNUSED static void region_must_be_gone(const char *name, const char *rule)
{
    void *beg = NULL;

    CHECK(createMapping(name, &beg) == ERR_NOTEXIST, "%s: %s can still be mapped", rule, name);
    CHECK(!region_look(name).found, "%s: %s is still in the table", rule, name);
    CHECK(createSharedRegion(name, 1, RS_PERSIST) == ERR_OK, "%s: %s cannot be created again", rule,
          name);
    CHECK_ERR(destroySharedRegion(name), ERR_OK);
}

/* Waits until the lock of the region has exactly n waiters. */
#define WAIT_WAITERS(name, n)                                                                      \
    WAIT_UNTIL(region_look(name).waiters == (n), "%s: waiters %lu, must get %lu", name,            \
               region_look(name).waiters, (unsigned long)(n))

/* Waits until destroySharedRegion of another process has closed the name (R5). */
CHECK_UNUSED static void region_wait_closed(const char *name)
{
    long end_ms = check_now_ms() + CHECK_LIMIT_MS / 3;

    for (;;) {
        void *beg = NULL;
        err_t err = createMapping(name, &beg);

        if (err == ERR_NOTEXIST)
            return;
        CHECK_ERR(err, ERR_OK);
        region_unmap(name, beg);
        CHECK(check_now_ms() < end_ms, "R5: %s does not close", name);
        check_sleep_ms(1);
    }
}
