/* xv6 pages, zones, System V. */
#define _GNU_SOURCE
#include "model.h"

#include <abi/zone.h>
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define XV6_IDS 64

static int count_kind(const struct model *m, enum kind kind)
{
    int n = 0;
    for (int i = 0; i < m->nctx; i++)
        n += m->ctx[i].alive && m->ctx[i].kind == kind;
    return n;
}

/* The lowest page of the context that the process has. */
static struct mvm *lowest(struct mproc *p, int ctx)
{
    for (int i = 0; i < p->npages; i++)
        if (p->page[i].ctx == ctx)
            return &p->page[i];
    return NULL;
}

/* X1, X2 */
long do_XOPEN(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mctx *c = ctx_find(m, K_XV6, (int)a[0]);
    if (c && !ctx_may(c, p, MAY_R | MAY_W))
        return -EACCES;
    if (!c && count_kind(m, K_XV6) == XV6_IDS)
        return -ENOSPC;
    struct mvm *v = c ? lowest(p, ctx_index(m, c)) : NULL;
    if (!v && !vm_choice(p, got->ret, 1))
        return -EFAULT;
    if (!c) {
        c = ctx_new(m, p, K_XV6, PAGE, 0600);
        c->key = (int)a[0];
    }
    c->opens[p - m->proc]++;
    if (v)
        return v->va;
    vm_map(m, p, 1,
           &(struct mvm){.va = got->ret,
                         .ctx = ctx_index(m, c),
                         .prot = PROT_READ | PROT_WRITE,
                         .max_prot = PROT_READ | PROT_WRITE,
                         .shared = true});
    return got->ret;
}

long do_XCLOSE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    struct mctx *c = ctx_find(m, K_XV6, (int)a[0]);
    int *opens = c ? &c->opens[p - m->proc] : NULL;
    if (!c || !*opens)
        return -EINVAL;
    if (--*opens == 0)
        vm_remove_mapping(p, lowest(p, ctx_index(m, c))->mapping);
    return 0;
}

/* Z2: upward from SHMBASE; nothing here gets as far as SHMTOP. */
static long zone_place(const struct model *m, const struct mproc *p, int *zones)
{
    long top = (long)SHMBASE;
    *zones = 0;
    for (int i = 0; i < p->npages; i++)
        if (p->page[i].va >= (long)SHMBASE && p->page[i].va < (long)SHMTOP)
            top = p->page[i].va + PAGE;
    for (int i = 0; i < m->nctx; i++)
        if (m->ctx[i].kind == K_ZONE)
            *zones += mapped_times(p, i);
    return top;
}

/* Z1 */
long do_SHMEM(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    bool create = a[1] & M_CREATE, read_only = a[1] & M_RDONLY;
    if (a[0] < 0 || a[0] >= ZONE_IDS || a[2] < 0 || a[2] > ZONE_PAGES_MAX ||
        (create && (a[2] == 0 || (a[1] & M_WAIT))))
        return -EINVAL;
    struct mctx *c = ctx_find(m, K_ZONE, (int)a[0]);
    if (create ? c != NULL : c == NULL)
        return create ? -EEXIST : -ENOENT;
    bool may_write = create || ctx_may(c, p, MAY_W);
    if (c && (!ctx_may(c, p, MAY_R) || (!may_write && !read_only)))
        return -EACCES;
    if (c && a[2] > ctx_pages(c))
        return -EINVAL;
    int zones;
    long at = zone_place(m, p, &zones), n = a[2] ? a[2] : ctx_pages(c);
    if (zones >= ZONES_MAX)
        return -EMFILE;
    if (!c) {
        c = ctx_new(m, p, K_ZONE, n * PAGE, 0600);
        c->key = (int)a[0];
    }
    vm_map(m, p, n,
           &(struct mvm){.va = at,
                         .ctx = ctx_index(m, c),
                         .prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE,
                         .max_prot = may_write ? PROT_READ | PROT_WRITE : PROT_READ,
                         .shared = true});
    return at;
}

/* ---- V1 */

/* A removed one has its id until the last detach. */
static struct mctx *segment(struct model *m, long id)
{
    for (int i = 0; i < m->nctx; i++)
        if (m->ctx[i].alive && m->ctx[i].kind == K_SYSV && m->ctx[i].id == id)
            return &m->ctx[i];
    return NULL;
}

static bool id_is_new(const struct model *m, long id)
{
    bool is_new = id >= 0;
    for (int i = 0; i < m->nctx; i++)
        is_new &= m->ctx[i].kind != K_SYSV || m->ctx[i].id != id; /* A8 */
    return is_new;
}

long do_SHMGET(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    struct mctx *c = a[0] == IPC_PRIVATE ? NULL : ctx_find(m, K_SYSV, (int)a[0]);
    unsigned long mode = a[2] & 0777;
    if (c) {
        if ((a[2] & IPC_CREAT) && (a[2] & IPC_EXCL))
            return -EEXIST;
        if (a[1] > c->bytes)
            return -EINVAL;
        return ctx_may(c, p, (mode >> 6 | mode >> 3 | mode) & 7) ? c->id : -EACCES;
    }
    if (a[0] != IPC_PRIVATE && !(a[2] & IPC_CREAT))
        return -ENOENT;
    if (a[1] <= 0)
        return -EINVAL;
    if (ctx_promise_fails(a[1]))
        return -ENOMEM;
    if (!id_is_new(m, got->ret))
        return -EFAULT;
    c = ctx_new(m, p, K_SYSV, a[1], a[2]);
    c->key = (int)a[0];
    c->id = got->ret;
    c->cpid = p->pid;
    return c->id;
}

long do_SHMAT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mctx *c = segment(m, a[0]);
    bool read_only = a[2] & SHM_RDONLY, replace = a[2] & SHM_REMAP;
    long at = a[1] ? a[1] : got->ret;
    if ((replace && !a[1]) || !c)
        return -EINVAL;
    if (!ctx_may(c, p, MAY_R | (read_only ? 0 : MAY_W)))
        return -EACCES;
    if (at + ctx_pages(c) * PAGE > USER_LIMIT)
        return -EINVAL;
    if (!replace && !(a[1] ? vm_free(p, at, ctx_pages(c)) : vm_choice(p, at, ctx_pages(c))))
        return -EINVAL;
    unsigned prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    vm_map(m, p, ctx_pages(c),
           &(struct mvm){
               .va = at, .ctx = ctx_index(m, c), .prot = prot, .max_prot = prot, .shared = true});
    return at;
}

/* The address that shmat gave, though the first pages may have gone since. */
long do_SHMDT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    for (int i = 0; i < p->npages; i++) {
        const struct mvm *v = &p->page[i];
        if (v->ctx < 0 || m->ctx[v->ctx].kind != K_SYSV || v->va - v->idx * PAGE != a[0])
            continue;
        vm_remove_mapping(p, v->mapping);
        return 0;
    }
    return -EINVAL;
}

long do_SHMRM(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mctx *c = segment(m, a[0]);
    if (!c)
        return -EINVAL;
    if (!ctx_mine(c, p))
        return -EPERM;
    c->removed = true;
    return 0;
}

long do_SHMSTAT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    struct mctx *c = segment(m, a[0]);
    if (!c)
        return -EINVAL;
    if (!ctx_may(c, p, MAY_R))
        return -EACCES;
    const long out[OUTS] = {c->removed ? IPC_PRIVATE : c->key,
                            c->uid,
                            c->gid,
                            c->cuid,
                            c->mode | (c->removed ? SHM_DEST : 0) | (c->locked ? SHM_LOCKED : 0),
                            c->bytes,
                            c->cpid,
                            ctx_mappings(m, ctx_index(m, c))};
    memcpy(want->out, out, sizeof out);
    return 0;
}

/* There is no swap: it is only remembered. */
long do_SHMLOCK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    struct mctx *c = segment(m, a[0]);
    if (!c)
        return -EINVAL;
    if (!ctx_mine(c, p))
        return -EPERM;
    c->locked = a[1] == SHM_LOCK;
    return 0;
}

long do_SHMINFO(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    for (int i = 0; i < m->nctx; i++) {
        const struct mctx *c = &m->ctx[i];
        if (!c->alive || c->kind != K_SYSV)
            continue;
        want->out[0]++;
        want->out[1] += ctx_pages(c);
        for (int k = 0; k < CTX_PAGES; k++)
            want->out[2] += c->resident[k];
    }
    return got->ret >= 0 ? got->ret : 0; /* an index that means nothing */
}

long do_SHMSET(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    struct mctx *c = segment(m, a[0]);
    if (!c)
        return -EINVAL;
    if (!ctx_mine(c, p))
        return -EPERM;
    c->uid = a[1];
    c->mode = a[2];
    return 0;
}
