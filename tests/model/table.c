/* What the kernel shows of its table (A10) is what the model has. */
#include "run.h"

#include "../host/user.h"
#include <fcntl.h>
#include <stdlib.h>

#define TEXT_BYTES (64ul << 10)

struct line {
    char kind[16], key[64], creator[16], state[16], holder[16];
    unsigned long id;
    long bytes, resident, mappings, uid, gid, mode, users, fills, waiters;
};

/* The whole file as a string; its length, or -errno. */
long read_proc(const char *path, char *to, size_t bytes)
{
    static char empty[U_PAGE];
    long fd = U_CALL(SYS_open, u_string(0, path), O_RDONLY), n = 0, used = 0;
    if (fd < 0)
        return fd;
    uintptr_t at = u_put(1, empty, sizeof empty);
    while ((n = U_CALL(SYS_read, (unsigned long)fd, at, U_PAGE)) > 0) {
        U_CHECK((size_t)(used + n) < bytes);
        u_get(at, to + used, (size_t)n);
        used += n;
    }
    to[used] = '\0';
    U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    return n < 0 ? n : used;
}

static void put_key(const struct mctx *c, char *to, size_t bytes)
{
    int name = c->first_name;
    for (int k = NAMES_MAX - 1; k >= 0; k--)
        if (c->name[k] >= 0)
            name = c->name[k];
    if (c->kind == K_REGION)
        snprintf(to, bytes, "%s", region_name(name));
    else if (c->kind == K_XV6 || c->kind == K_ZONE)
        snprintf(to, bytes, "%d", c->key);
    else if (c->kind == K_SYSV && c->key)
        snprintf(to, bytes, "0x%08x", (unsigned)c->key);
    else
        snprintf(to, bytes, "-");
}

static const char *state_of(const struct mctx *c)
{
    bool named = c->kind == K_REGION ? ctx_names(c) > 0
                                     : c->kind == K_XV6 || c->kind == K_ZONE ||
                                           (c->kind == K_SYSV && c->key && !c->removed);
    return c->closing ? "closing" : named ? "active" : "unnamed";
}

static void put_number(char *to, size_t bytes, long n)
{
    if (n)
        snprintf(to, bytes, "%ld", n);
    else
        snprintf(to, bytes, "-");
}

/* What the line of a context must be, but for its id. */
static void expect_line(const struct model *m, const struct mctx *c, struct line *l)
{
    static const char *const kinds[] = {"region", "xv6", "zone", "sysv", "fry", "memfd", "anon"};
    int ctx = ctx_index(m, c);
    memset(l, 0, sizeof *l);
    snprintf(l->kind, sizeof l->kind, "%s", kinds[c->kind]);
    put_key(c, l->key, sizeof l->key);
    put_number(l->creator, sizeof l->creator, c->creator_pid);
    put_number(l->holder, sizeof l->holder, c->owner ? m->proc[c->owner - 1].pid : 0);
    snprintf(l->state, sizeof l->state, "%s", state_of(c));
    l->bytes = c->bytes;
    for (int i = 0; i < CTX_PAGES; i++)
        l->resident += c->resident[i];
    l->mappings = ctx_mappings(m, ctx);
    l->uid = c->uid;
    l->gid = c->gid;
    l->mode = c->mode;
    l->users = ctx_users(m, ctx);
    l->fills = c->fills;
    l->waiters = c->nwaiters;
}

static void print_line(const struct line *l, char *to, size_t bytes)
{
    snprintf(to, bytes, "%s %s %ld %ld %ld %s %s %ld %ld %04lo %ld %ld %s %ld", l->kind, l->key,
             l->bytes, l->resident, l->mappings, l->creator, l->state, l->uid, l->gid,
             (unsigned long)l->mode, l->users, l->fills, l->holder, l->waiters);
}

static bool parse_line(const char *text, struct line *l)
{
    memset(l, 0, sizeof *l);
    return sscanf(text, "%15s %63s %lu %ld %ld %ld %15s %15s %ld %ld %lo %ld %ld %15s %ld", l->kind,
                  l->key, &l->id, &l->bytes, &l->resident, &l->mappings, l->creator, l->state,
                  &l->uid, &l->gid, (unsigned long *)&l->mode, &l->users, &l->fills, l->holder,
                  &l->waiters) == 15;
}

/* Ids are given in order of creation, stay, and never come again (A8). */
static bool id_fits(struct model *m, struct mctx *c, const struct line *l, char why[WHY_BYTES])
{
    for (int i = 0; !c->listed_id && i < m->nctx; i++)
        if (m->ctx[i].listed_id >= l->id) {
            snprintf(why, WHY_BYTES, "the table gives %s the id %lu again", l->key, l->id);
            return false;
        }
    if (!c->listed_id)
        c->listed_id = l->id;
    if (c->listed_id != l->id)
        snprintf(why, WHY_BYTES, "the table changes the id of %s from %lu to %lu", l->key,
                 c->listed_id, l->id);
    return c->listed_id == l->id;
}

static bool line_fits(struct model *m, struct mctx *c, const char *text, char why[WHY_BYTES])
{
    struct line want, got;
    char want_text[200], got_text[200] = "(nothing)";
    expect_line(m, c, &want);
    print_line(&want, want_text, sizeof want_text);
    if (text && parse_line(text, &got))
        print_line(&got, got_text, sizeof got_text);
    if (strcmp(want_text, got_text) == 0)
        return id_fits(m, c, &got, why);
    snprintf(why, WHY_BYTES, "/proc/regions lists \"%s\", must \"%s\"", got_text, want_text);
    return false;
}

bool table_fits(struct model *m, const char *all, char why[WHY_BYTES])
{
    static char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%s", all);
    char *save = NULL, *line = strtok_r(text, "\n", &save); /* the header */
    line = strtok_r(NULL, "\n", &save);
    for (int i = 0; i < m->nctx; i++) {
        if (!m->ctx[i].alive)
            continue;
        if (!line_fits(m, &m->ctx[i], line, why))
            return false;
        line = strtok_r(NULL, "\n", &save);
    }
    if (line)
        snprintf(why, WHY_BYTES, "/proc/regions lists \"%.300s\", must nothing more", line);
    return !line;
}

const char *table_read(void)
{
    static char text[TEXT_BYTES];
    U_CHECK(read_proc("/proc/regions", text, sizeof text) > 0);
    return text;
}

void table_compare(struct model *m)
{
    char why[WHY_BYTES];
    if (!table_fits(m, table_read(), why))
        run_fails("%s", why);
}

void check_invariants(void)
{
    char text[64];
    U_CHECK(read_proc("/proc/check", text, sizeof text) > 0);
    U_EQ(strcmp(text, "ok\n"), 0);
}
