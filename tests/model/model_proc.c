/* Processes of the reference, and making a call. */
#include "model.h"

#include <abi/region.h>
#include <abi/zone.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_PAGES_MAX 16 /* that one call maps */
#define ROOM_PAGES    64 /* kept free in a process's list */

/* A5 */
long do_FORK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mproc *child = &m->proc[a[0]];
    int from = (int)(p - m->proc);
    if (got->ret <= 0)
        return 1; /* any pid */
    *child = *p;
    child->pid = got->ret;
    for (int i = child->npages - 1; i >= 0; i--)
        if (child->page[i].no_fork)
            vm_remove(child, child->page[i].va, 1);
    child->kin = m->nkin++;
    m->kin[child->kin] = (struct mkin){.pid = got->ret, .parent = p->kin, .fry = -1};
    for (int i = 0; i < m->nctx; i++) {
        m->ctx[i].opens[a[0]] = m->ctx[i].opens[from];
        if (m->wrong == 3 && m->ctx[i].owner == from + 1)
            m->ctx[i].owner = (int)a[0] + 1;
    }
    return got->ret;
}

/* The memory goes; descriptors, credentials and Shrimpy's pages stay (S2). */
long do_EXEC(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    p->npages = 0;
    p->saved_uid = p->euid;
    return 0;
}

static void process_gone(struct model *m, struct mproc *p)
{
    m->kin[p->kin].pid = 0;
    p->alive = p->asleep = false;
    p->npages = 0;
}

long do_EXIT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    process_gone(m, p);
    return 0;
}

long do_KILL(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    process_gone(m, p);
    return 0;
}

/* The one that sleeps hears of it. */
long do_INTR(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    p->woken = true;
    p->woken_ret = -EINTR;
    for (int i = 0; i < m->nctx; i++) {
        struct mctx *c = &m->ctx[i];
        for (int k = 0; k < c->nwaiters; k++)
            if (c->waiter[k] == p - m->proc) {
                c->nwaiters--;
                memmove(&c->waiter[k], &c->waiter[k + 1],
                        (size_t)(c->nwaiters - k) * sizeof c->waiter[0]);
            }
    }
    return 0;
}

/* The real one stays 0. */
long do_SETEUID(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    if (p->euid != 0 && a[0] != 0 && a[0] != p->euid && a[0] != p->saved_uid)
        return -EPERM;
    p->euid = a[0];
    return 0;
}

/* Made of LOOKs by who runs it. */
long do_COMPARE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    return 0;
}

/* A3: a call that lacked memory leaves no trace. */
static bool gave_up(const struct call *c, const struct answer *got)
{
    bool touches = c->op == LOAD || c->op == STORE;
    return got->failed &&
           (touches ? got->ret == SIGBUS
                    : got->ret == -ENOMEM || (c->op == WRITE && got->ret == -ENOSPC));
}

void model_apply(struct model *m, const struct call *c, const struct answer *got,
                 struct answer *want)
{
    static long (*const calls[])(struct model *, struct mproc *, const long *,
                                 const struct answer *, struct answer *) = {
#define X(name) [name] = do_##name,
        OPS(X)
#undef X
    };
    memset(want, 0, sizeof *want);
    if (gave_up(c, got)) {
        want->ret = got->ret;
        return;
    }
    want->ret = calls[c->op](m, &m->proc[c->seat], c->a, got, want);
    model_settle(m);
}

/* ---- sleeping */

bool model_sleeps(const struct model *model, const struct call *c)
{
    struct model *m = (struct model *)model; /* the finders change nothing */
    struct mproc *p = &m->proc[c->seat];
    struct mctx *ctx = region_find(m, c->a[0]);
    int i = ctx ? ctx_index(m, ctx) : -1;
    switch (c->op) {
    case LOCK:
        return ctx && !c->a[1] && mapped_times(p, i) && ctx->owner && ctx->owner != c->seat + 1;
    case DESTROY:
        return ctx && !c->a[2] && !ctx->closing && ctx_mine(ctx, p) && !mapped_times(p, i) &&
               c->a[1] == RS_WAIT && ctx_mappings(m, i);
    case MAPWITH:
        return c->a[0] < NAMES && (c->a[1] & RM_WAIT) && !(c->a[1] & ~(long)RM_ALL) && !c->a[5] &&
               (!ctx || ctx->closing);
    case SHMEM:
        return (c->a[1] & M_WAIT) && !(c->a[1] & M_CREATE) && c->a[0] >= 0 && c->a[0] < ZONE_IDS &&
               c->a[2] >= 0 && c->a[2] <= ZONE_PAGES_MAX && !ctx_find(m, K_ZONE, (int)c->a[0]);
    default:
        return false;
    }
}

void model_sleep(struct model *m, const struct call *c)
{
    struct mproc *p = &m->proc[c->seat];
    struct mctx *ctx = region_find(m, c->a[0]);
    p->asleep = true;
    p->woken = false;
    p->call = *c;
    if (c->op == LOCK)
        ctx->waiter[ctx->nwaiters++] = c->seat;
    if (c->op == DESTROY) {
        ctx->closing = true;
        p->wait_ctx = ctx_index(m, ctx);
    }
}

bool model_wakes(const struct model *m, int seat)
{
    const struct mproc *p = &m->proc[seat];
    bool looks = p->call.op == MAPWITH || p->call.op == SHMEM;
    return p->alive && p->asleep && (p->woken || (looks && !model_sleeps(m, &p->call)));
}

void model_wake(struct model *m, int seat, const struct answer *got, struct answer *want)
{
    struct mproc *p = &m->proc[seat];
    memset(want, 0, sizeof *want);
    p->asleep = false;
    if (p->woken) {
        want->ret = p->woken_ret;
        model_settle(m);
    } else {
        model_apply(m, &p->call, got, want);
    }
}

/* ---- what the model can follow */

static bool pages_fit(const struct model *m, const struct mproc *p, long va, long n)
{
    for (long i = 0; i < n; i++) {
        const struct mvm *v = vm_at((struct mproc *)p, va + i * PAGE);
        if (v && v->ctx >= 0 && v->idx >= CTX_PAGES)
            return false;
    }
    return n <= MAP_PAGES_MAX;
}

/* Would a map of the whole context be too large, or reach beyond what is
 * followed? */
static bool region_fits(const struct model *m, const struct call *c)
{
    const struct mctx *ctx = region_find((struct model *)m, c->a[0]);
    long bytes = c->op == MAPWITH ? c->a[3] : 0, offset = c->op == MAPWITH ? c->a[2] : 0;
    if (!ctx || offset >= ctx->bytes)
        return true;
    if (bytes == 0 || bytes > ctx->bytes - offset)
        bytes = ctx->bytes - offset;
    return (offset + bytes + PAGE - 1) / PAGE <= CTX_PAGES;
}

static bool remap_fits(const struct mproc *p, const struct call *c)
{
    const struct mvm *v = vm_at((struct mproc *)p, c->a[0]);
    return c->a[2] / PAGE <= MAP_PAGES_MAX &&
           (!v || v->ctx < 0 || v->idx + c->a[2] / PAGE <= CTX_PAGES);
}

/* Where it can be said what a failing allocation does: not in the middle of
 * bringing pages in, and not where a copy or Shrimpy's page needs several. */
static bool may_fail(const struct model *m, const struct call *c)
{
    const struct mproc *p = &m->proc[c->seat];
    const struct mvm *v;
    switch (c->op) {
    case MLOCK:
    case LIST:
    case ALLOCATE:
    case COMPARE ... SETEUID:
        return c->op == FORK && p->euid == 0;
    case MAPWITH:
        return p->euid == 0 && !(c->a[1] & RM_POPULATE);
    case MMAP:
        return p->euid == 0 && !(c->a[3] & MAP_POPULATE);
    case LOAD:
    case STORE:
        v = vm_at((struct mproc *)p, c->a[0]);
        return p->euid == 0 && v && (v->shared || v->ctx < 0);
    default:
        return p->euid == 0 && !model_sleeps(m, c);
    }
}

bool model_applies(const struct model *m, const struct call *c)
{
    const struct mproc *p = &m->proc[c->seat];
    if (m->nctx >= CTXS - SEATS || m->nkin >= KINS || !p->alive)
        return false;
    if (c->op == KILL)
        return true;
    if (c->op == INTR)
        return p->asleep;
    if (p->asleep || (c->fails && !may_fail(m, c)))
        return false;
    switch (c->op) {
    case FORK:
        return c->a[0] >= 0 && c->a[0] < SEATS && !m->proc[c->a[0]].alive;
    case OPEN:
    case MEMFD:
        return p->fd[c->a[0]].fd < 0;
    case MAP:
    case MAPWITH:
        return p->npages < VM_PAGES - ROOM_PAGES && region_fits(m, c);
    case MMAP:
    case SHMEM:
    case SHMAT:
    case XOPEN:
        return p->npages < VM_PAGES - ROOM_PAGES;
    case MREMAP:
        return p->npages < VM_PAGES - ROOM_PAGES && remap_fits(p, c);
    case LOAD:
    case STORE:
    case LOOK:
        return pages_fit(m, p, c->a[0], 1);
    case MLOCK:
    case MINCORE:
        return pages_fit(m, p, c->a[0], (c->a[1] + PAGE - 1) / PAGE);
    default:
        return true;
    }
}
