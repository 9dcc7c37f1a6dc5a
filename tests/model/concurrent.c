/* Calls of several processes at the same time: their answers, and what they
 * leave behind, must be those of one order or another. */
#define _GNU_SOURCE
#include "run.h"

#include "../host/user.h"
#include <abi/region.h>
#include <abi/zone.h>
#include <sys/mman.h>

#define ORDERS_MAX 6 /* of TOGETHER calls */

struct batch {
    unsigned n;
    struct call calls[TOGETHER];
    const struct answer *got[TOGETHER];
    unsigned norders;
    struct model orders[ORDERS_MAX]; /* that explain what was seen */
    char why[WHY_BYTES];             /* why the last order does not */
};

static bool anyone_sleeps(const struct model *m)
{
    for (int i = 0; i < SEATS; i++)
        if (m->proc[i].alive && m->proc[i].asleep)
            return true;
    return false;
}

/* What is one step for everybody else.  The end of a process is many, and so is
 * bringing in pages; the call that ends nobody's sleep must not sleep for ever.
 */
static bool may_join(const struct model *m, struct call *c)
{
    if (c->fails || !model_applies(m, c))
        return false;
    switch (c->op) {
    case LOCK:
        c->a[1] = true;
        return true;
    case DESTROY:
        c->a[2] = true;
        return true;
    case MAPWITH:
        c->a[5] = true;
        return !(c->a[1] & RM_POPULATE);
    case SHMEM:
        c->a[1] &= ~(long)M_WAIT;
        return true;
    case MMAP:
        return !(c->a[3] & MAP_POPULATE);
    case COMPARE:
    case MLOCK:
    case LIST: /* several calls, of which each sees what is there then */
    case SHMINFO:
    case EXEC:
    case EXIT:
    case KILL:
    case INTR:
        return false;
    default:
        return true;
    }
}

/* Nobody could tell two of these apart: one a batch. */
static bool makes_nameless(const struct call *c)
{
    bool shrimpy = c->a[0] >= (long)SHRIMP && c->a[0] < (long)FRY + PAGE;
    return ((c->op == LOAD || c->op == STORE) && shrimpy) ||
           (c->op == MMAP && (c->a[3] & MAP_SHARED) && (c->a[3] & MAP_ANONYMOUS));
}

static void join(struct batch *b, const struct model *m, const struct step *s)
{
    struct call *c = &b->calls[b->n];
    resolve(m, s, c);
    if (!may_join(m, c))
        return;
    for (unsigned i = 0; i < b->n; i++)
        if (b->calls[i].seat == c->seat || (makes_nameless(c) && makes_nameless(&b->calls[i])) ||
            (c->op == FORK && b->calls[i].op == FORK && b->calls[i].a[0] == c->a[0]))
            return;
    b->n++;
}

/* Does this order explain it?  Then it stays in b->orders. */
static void try_order(struct batch *b, const struct model *before, const unsigned order[],
                      const char *table)
{
    struct model *m = &b->orders[b->norders];
    *m = *before;
    for (unsigned i = 0; i < b->n; i++) {
        struct answer want;
        unsigned k = order[i];
        model_apply(m, &b->calls[k], b->got[k], &want);
        if (!answer_fits(&b->calls[k], b->got[k], &want, b->why))
            return;
    }
    if (table_fits(m, table, b->why))
        b->norders++;
}

static void try_orders(struct batch *b, const struct model *before, const char *table)
{
    for (unsigned i = 0; i < b->n; i++)
        for (unsigned k = 0; k < b->n; k++)
            for (unsigned l = 0; l < b->n; l++)
                if (i != k && k != l && i != l)
                    try_order(b, before, (const unsigned[]){i, k, l}, table);
    for (unsigned i = 0; b->n == 2 && i < 2; i++)
        try_order(b, before, (const unsigned[]){i, !i}, table);
}

/* Leaves those orders of which fits() was true. */
static void prune(struct batch *b, const bool fits[ORDERS_MAX])
{
    for (unsigned i = b->norders; i-- > 0;)
        if (!fits[i])
            b->orders[i] = b->orders[--b->norders];
    if (b->norders == 0)
        run_fails("no order of these calls explains: %s", b->why);
}

static void look_once(struct batch *b, const struct call *c)
{
    bool fits[ORDERS_MAX];
    if (!model_applies(&b->orders[0], c))
        return;
    seat_give(c);
    const struct answer *got = call_end(c);
    for (unsigned i = 0; i < b->norders; i++) {
        struct answer want;
        model_apply(&b->orders[i], c, got, &want);
        fits[i] = answer_fits(c, got, &want, b->why);
    }
    prune(b, fits);
}

static void look_at_maps(struct batch *b, int seat)
{
    bool fits[ORDERS_MAX];
    const char *text = maps_read(&b->orders[0], seat);
    for (unsigned i = 0; i < b->norders; i++)
        fits[i] = maps_fit(&b->orders[i], seat, text, b->why);
    prune(b, fits);
}

/* What each process has mapped, all pages of it, and which file each descriptor is of: after that
 * all orders left are alike. */
static void look(struct batch *b)
{
    static struct mproc p;
    for (int seat = 0; seat < SEATS; seat++)
        if (b->orders[0].proc[seat].alive)
            look_at_maps(b, seat);
    for (int seat = 0; b->norders > 1 && seat < SEATS; seat++) {
        p = b->orders[0].proc[seat];
        for (int i = 0; p.alive && i < p.npages; i++)
            look_once(b, &(struct call){(uint8_t)seat, LOOK, 0, {p.page[i].va}});
        for (int i = 0; p.alive && i < SLOTS; i++)
            look_once(b, &(struct call){(uint8_t)seat, FSTAT, 0, {p.fd[i].fd, i}});
    }
}

void direct_batch(struct model *m, const struct step *first, unsigned n)
{
    static struct batch b;
    b.n = b.norders = 0;
    for (unsigned i = 0; i < n; i++)
        if (anyone_sleeps(m))
            direct_step(m, &first[i]);
        else
            join(&b, m, &first[i]);
    seats_meet(b.n);
    for (unsigned i = 0; i < b.n; i++)
        seat_give(&b.calls[i]);
    for (unsigned i = 0; i < b.n; i++)
        b.got[i] = call_end(&b.calls[i]);
    if (b.n == 0)
        return;
    if (b.n == 1)
        try_order(&b, m, (const unsigned[]){0}, table_read());
    else
        try_orders(&b, m, table_read());
    if (b.norders == 0)
        run_fails("no order of these calls explains: %s", b.why);
    look(&b);
    *m = b.orders[0];
    check_invariants();
}
