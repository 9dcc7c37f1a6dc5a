/* Named regions and their lock. */
#include "model.h"

#include <abi/region.h>
#include <string.h>
#include <sys/mman.h>

#define IS_NAME(a) ((a) < NAMES) /* R1 */

/* The region of this name that can be mapped. */
static struct mctx *active(struct model *m, long name)
{
    struct mctx *c = region_find(m, name);
    return c && !c->closing ? c : NULL;
}

long do_CREATE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    bool overflows = (unsigned long)a[1] > -(unsigned long)PAGE;
    if (!IS_NAME(a[0]) || a[1] == 0 || overflows || (a[2] & ~(long)(RS_PERSIST | RS_NORESERVE)))
        return ERR_INVAL; /* R1, R2 */
    if (region_find(m, a[0]))
        return ERR_EXIST; /* R3 */
    if (!(a[2] & RS_NORESERVE) && ctx_promise_fails(a[1]))
        return ERR_NOMEM; /* A7 */
    struct mctx *c = ctx_new(m, p, K_REGION, (a[1] + PAGE - 1) / PAGE * PAGE, 0600);
    c->name[0] = c->first_name = (int)a[0];
    c->persist = a[2] & RS_PERSIST;
    c->noreserve = a[2] & RS_NORESERVE;
    c->creator_pid = c->persist ? 0 : p->pid;
    return ERR_OK;
}

/* R7, A9 */
static long map(struct model *m, struct mproc *p, struct mctx *c, const long a[],
                const struct answer *got)
{
    long flags = a[1], offset = a[2], bytes = a[3], size = ctx_pages(c) * PAGE;
    bool shared = !(flags & RM_PRIVATE), read_only = flags & RM_RDONLY;
    if (!ctx_may(c, p, MAY_R))
        return ERR_ACCESS;
    if (offset % PAGE || offset >= size || bytes > size - offset)
        return ERR_INVAL;
    if (shared && !read_only && !ctx_may(c, p, MAY_W))
        return ERR_ACCESS;
    long n = ((bytes ? bytes : size - offset) + PAGE - 1) / PAGE;
    if (flags & RM_FIXED ? !vm_free(p, a[4], n) : !vm_choice(p, got->out[0], n))
        return ERR_EXIST;
    long at = flags & RM_FIXED ? a[4] : got->out[0];
    vm_map(m, p, n,
           &(struct mvm){.va = at,
                         .ctx = ctx_index(m, c),
                         .idx = offset / PAGE,
                         .prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE,
                         .max_prot =
                             !shared || ctx_may(c, p, MAY_W) ? PROT_READ | PROT_WRITE : PROT_READ,
                         .shared = shared});
    if (flags & RM_POPULATE)
        vm_populate(m, p, at, n);
    return ERR_OK;
}

long do_MAPWITH(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    if (!IS_NAME(a[0]) || (a[1] & ~(long)RM_ALL))
        return ERR_INVAL;
    struct mctx *c = active(m, a[0]);
    if (!c)
        return a[1] & RM_WAIT ? ERR_TIMEOUT : ERR_NOTEXIST;
    long ret = map(m, p, c, a, got);
    want->out[0] = ret ? 0 : a[1] & RM_FIXED ? a[4] : got->out[0];
    return ret;
}

long do_MAP(struct model *m, struct mproc *p, const long a[], const struct answer *got,
            struct answer *want)
{
    return do_MAPWITH(m, p, (const long[ARGS]){a[0]}, got, want);
}

/* R8: all of the mapping, though the name may be closing. */
long do_UNMAP(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    if (!IS_NAME(a[0]))
        return ERR_INVAL;
    struct mctx *c = region_find(m, a[0]);
    struct mvm *v = vm_at(p, a[1]);
    if (!c || !v || v->ctx != ctx_index(m, c))
        return ERR_NOTEXIST;
    vm_remove_mapping(p, v->mapping);
    return ERR_OK;
}

/* R5, R6.  What must sleep without a deadline has been sent to sleep before. */
long do_DESTROY(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    struct mctx *c = IS_NAME(a[0]) ? active(m, a[0]) : NULL;
    if (!IS_NAME(a[0]) || a[1] > RS_UNLINK)
        return ERR_INVAL;
    if (!c)
        return ERR_NOTEXIST;
    if (!ctx_mine(c, p))
        return ERR_ACCESS;
    if (a[1] != RS_UNLINK && mapped_times(p, ctx_index(m, c)))
        return ERR_INVAL;
    bool mapped = ctx_mappings(m, ctx_index(m, c));
    if (a[1] == RS_NOWAIT && mapped)
        return ERR_BUSY;
    if (a[1] == RS_WAIT && mapped) {
        c->closing = true;
        return ERR_TIMEOUT;
    }
    region_unname(c, a[1] == RS_UNLINK ? a[0] : -1);
    return ERR_OK;
}

static struct mctx *locked(struct model *m, struct mproc *p, long name)
{
    struct mctx *c = region_find(m, name);
    return c && mapped_times(p, ctx_index(m, c)) ? c : NULL;
}

static long lock(struct model *m, struct mproc *p, long name, long busy)
{
    if (!IS_NAME(name))
        return ERR_INVAL;
    struct mctx *c = locked(m, p, name);
    int me = (int)(p - m->proc) + 1;
    if (!c)
        return ERR_NOTEXIST;
    if (c->owner)
        return c->owner == me ? ERR_DEADLOCK : busy;
    bool died = c->owner_died;
    c->owner = me;
    c->locked_at = ++m->locks;
    c->owner_died = false;
    return died ? ERR_OWNERDEAD : ERR_OK;
}

long do_LOCK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    return lock(m, p, a[0], ERR_TIMEOUT);
}

long do_TRYLOCK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    return lock(m, p, a[0], ERR_BUSY);
}

/* What the process has held for longest of those that were made with this name and have lost it
 * (R9). */
static struct mctx *held_made_as(struct model *m, const struct mproc *p, long name)
{
    struct mctx *found = NULL;
    for (int i = 0; i < m->nctx; i++) {
        struct mctx *c = &m->ctx[i];
        if (c->alive && c->kind == K_REGION && c->owner == p - m->proc + 1 &&
            c->first_name == name && c != region_find(m, name) &&
            (!found || c->locked_at < found->locked_at))
            found = c;
    }
    return found;
}

long do_UNLOCK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    if (!IS_NAME(a[0]))
        return ERR_INVAL;
    struct mctx *c = locked(m, p, a[0]), *made_as = held_made_as(m, p, a[0]);
    bool mine = c && c->owner == p - m->proc + 1;
    if (!mine && made_as)
        c = made_as;
    else if (!mine)
        return c ? ERR_INVAL : ERR_NOTEXIST;
    c->owner = 0;
    return ERR_OK;
}

long do_STAT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mctx *c = region_find(m, a[0]);
    if (!IS_NAME(a[0]))
        return ERR_INVAL;
    if (!c)
        return ERR_NOTEXIST;
    if (!ctx_may(c, p, MAY_R))
        return ERR_ACCESS;
    long resident = 0;
    for (int i = 0; i < CTX_PAGES; i++)
        resident += c->resident[i];
    const long out[OUTS] = {ctx_pages(c) * PAGE,
                            resident * PAGE,
                            ctx_mappings(m, ctx_index(m, c)),
                            c->mode,
                            c->uid,
                            c->gid,
                            (c->persist ? RS_PERSIST : 0) | (c->noreserve ? RS_NORESERVE : 0),
                            c->closing,
                            c->creator_pid,
                            c->owner ? m->proc[c->owner - 1].pid : 0,
                            c->nwaiters};
    memcpy(want->out, out, sizeof out);
    return ERR_OK;
}

long do_CHMOD(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mctx *c = region_find(m, a[0]);
    if (!IS_NAME(a[0]) || (a[1] & ~0777l))
        return ERR_INVAL;
    if (!c)
        return ERR_NOTEXIST;
    if (!ctx_mine(c, p))
        return ERR_ACCESS;
    c->mode = a[1];
    return ERR_OK;
}
