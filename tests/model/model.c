/* Contexts of the reference: their names, rights, contents and end. */
#include "model.h"

#include <string.h>

#define MEMORY_BYTES                                                                               \
    (64l << 20) /* more than any machine of these tests has                                        \
                 */

void model_init(struct model *m, long first_pid, int wrong)
{
    memset(m, 0, sizeof *m);
    m->wrong = wrong;
    m->kin[0] = (struct mkin){.pid = 1, .parent = -1, .fry = -1};
    m->kin[1] = (struct mkin){.pid = first_pid, .parent = 0, .fry = -1};
    m->nkin = 2;
    m->proc[0] = (struct mproc){.alive = true, .pid = first_pid, .kin = 1};
    for (int i = 0; i < SLOTS; i++)
        m->proc[0].fd[i].fd = -1;
}

struct mctx *ctx_new(struct model *m, const struct mproc *p, enum kind kind, long bytes, long mode)
{
    struct mctx *c = &m->ctx[m->nctx++];
    *c = (struct mctx){.kind = kind, .alive = true, .bytes = bytes, .mode = mode & 0777};
    c->uid = c->cuid = p->euid;
    for (int i = 0; i < NAMES_MAX; i++)
        c->name[i] = -1;
    return c;
}

struct mctx *ctx_find(struct model *m, enum kind kind, int key)
{
    for (int i = 0; i < m->nctx; i++) {
        struct mctx *c = &m->ctx[i];
        if (c->alive && c->kind == kind && c->key == key && !c->removed)
            return c;
    }
    return NULL;
}

struct mctx *region_find(struct model *m, long name)
{
    for (int i = 0; i < m->nctx; i++)
        for (int k = 0; k < NAMES_MAX; k++)
            if (m->ctx[i].alive && m->ctx[i].name[k] == name)
                return &m->ctx[i];
    return NULL;
}

int ctx_names(const struct mctx *c)
{
    int n = 0;
    for (int k = 0; k < NAMES_MAX; k++)
        n += c->name[k] >= 0;
    return n;
}

void region_unname(struct mctx *c, long name)
{
    for (int k = 0; k < NAMES_MAX; k++)
        if (name < 0 || c->name[k] == name)
            c->name[k] = -1;
}

/* A9: mode bits as for files; root may do all.  Every process has group 0. */
bool ctx_may(const struct mctx *c, const struct mproc *p, unsigned want)
{
    unsigned long bits = (unsigned long)c->mode;
    if (p->euid == 0)
        return true;
    if (p->euid == c->uid || (c->kind == K_SYSV && p->euid == c->cuid))
        bits >>= 6;
    else if (c->gid == 0 || c->kind == K_SYSV)
        bits >>= 3;
    return !(want & ~bits);
}

bool ctx_mine(const struct mctx *c, const struct mproc *p)
{
    return p->euid == 0 || p->euid == c->uid || (c->kind == K_SYSV && p->euid == c->cuid);
}

int ctx_mappings(const struct model *m, int ctx)
{
    int n = 0;
    for (int s = 0; s < SEATS; s++)
        n += mapped_times(&m->proc[s], ctx);
    return n;
}

/* S3: a process that could touch the page keeps it. */
static bool kin_has(const struct model *m, int kin)
{
    bool has = m->kin[kin].pid != 0;
    for (int k = 0; k < m->nkin; k++)
        has |= m->kin[k].pid != 0 && m->kin[k].parent == kin;
    return has;
}

/* Open files are one user; so are a System V id, Shrimpy's kin, and each
 * sleeping destroyer. */
int ctx_users(const struct model *m, int ctx)
{
    const struct mctx *c = &m->ctx[ctx];
    int n = c->kind == K_SYSV && !c->removed;
    bool open = false;
    for (int s = 0; s < SEATS; s++) {
        const struct mproc *p = &m->proc[s];
        for (int i = 0; p->alive && i < SLOTS; i++)
            open |= p->fd[i].fd >= 0 && p->fd[i].ctx == ctx;
        n += p->alive && p->asleep && p->call.op == DESTROY && p->wait_ctx == ctx;
    }
    for (int k = 0; k < m->nkin; k++)
        n += m->kin[k].fry == ctx && kin_has(m, k);
    return n + open;
}

bool ctx_promise_fails(long bytes)
{
    return bytes > MEMORY_BYTES;
}

void ctx_fill(struct mctx *c, long idx)
{
    c->fills += !c->resident[idx];
    c->resident[idx] = true;
}

/* P2: what is behind the end, old or new, is zero. */
void ctx_resize(struct model *m, struct mctx *c, long bytes)
{
    long end = bytes < c->bytes ? bytes : c->bytes, old_pages = ctx_pages(c);
    c->bytes = bytes;
    for (long i = 0; i < CTX_PAGES * HALVES; i++)
        if (i * HALF_BYTES >= end && m->wrong != 2)
            c->page[i / HALVES].word[i % HALVES] = 0;
    if (ctx_pages(c) >= old_pages)
        return;
    for (long i = ctx_pages(c); i < CTX_PAGES; i++) {
        c->resident[i] = false;
        c->page[i] = (struct mword){0};
    }
    for (int s = 0; s < SEATS; s++)
        for (int i = 0; i < m->proc[s].npages; i++) {
            struct mvm *v = &m->proc[s].page[i];
            if (v->ctx == ctx_index(m, c) && v->idx >= ctx_pages(c))
                v->copied = false;
        }
}

static bool pid_lives(const struct model *m, long pid)
{
    for (int s = 0; s < SEATS; s++)
        if (m->proc[s].alive && m->proc[s].pid == pid)
            return true;
    return false;
}

static void wake(struct model *m, int seat, long ret)
{
    m->proc[seat].woken = true;
    m->proc[seat].woken_ret = ret;
}

static void drop_waiter(struct mctx *c, int at)
{
    c->nwaiters--;
    memmove(&c->waiter[at], &c->waiter[at + 1], (size_t)(c->nwaiters - at) * sizeof c->waiter[0]);
}

/* R9, R10. */
static void settle_lock(struct model *m, struct mctx *c)
{
    int ctx = ctx_index(m, c);
    for (int i = c->nwaiters - 1; i >= 0; i--) {
        const struct mproc *p = &m->proc[c->waiter[i]];
        if (p->alive && p->asleep && ctx_names(c) && mapped_times(p, ctx))
            continue;
        if (p->alive && p->asleep)
            wake(m, c->waiter[i], -2 /* ENOENT */);
        drop_waiter(c, i);
    }
    bool died = c->owner && !mapped_times(&m->proc[c->owner - 1], ctx);
    if (died) {
        c->owner = 0;
        c->owner_died = true;
    }
    if (!c->owner && c->nwaiters) {
        c->owner = c->waiter[0] + 1;
        c->locked_at = ++m->locks;
        wake(m, c->waiter[0], c->owner_died ? -130 /* EOWNERDEAD */ : 0);
        c->owner_died = false;
        drop_waiter(c, 0);
    }
}

/* R4, R5, V1, X2, Z2, S3: while it is mapped, used, or kept. */
static void settle_life(struct model *m, struct mctx *c)
{
    int ctx = ctx_index(m, c);
    if (c->creator_pid && !pid_lives(m, c->creator_pid))
        c->creator_pid = 0;
    if (c->closing && ctx_mappings(m, ctx) == 0)
        region_unname(c, -1);
    bool kept = ctx_names(c) && !c->closing && (c->persist || c->creator_pid);
    c->alive = kept || ctx_mappings(m, ctx) || ctx_users(m, ctx);
    if (!c->alive)
        region_unname(c, -1);
    for (int s = 0; s < SEATS; s++) {
        struct mproc *p = &m->proc[s];
        if (!mapped_times(p, ctx))
            c->opens[s] = 0;
        if (p->asleep && p->call.op == DESTROY && p->wait_ctx == ctx && !ctx_names(c))
            wake(m, s, 0);
    }
}

void model_settle(struct model *m)
{
    for (int i = 0; i < m->nctx; i++) {
        if (!m->ctx[i].alive)
            continue;
        settle_life(m, &m->ctx[i]);
        settle_lock(m, &m->ctx[i]);
    }
}
