/* What a step's small numbers mean at this moment. */
#define _GNU_SOURCE
#include "run.h"

#include <abi/region.h>
#include <abi/zone.h>
#include <sys/ipc.h>
#include <sys/mman.h>

/* Where the process's n-th stretch of mapped pages begins; 0: it has fewer. */
static long stretch(const struct mproc *p, int n)
{
    for (int i = 0; i < p->npages; i++)
        if ((i == 0 || p->page[i - 1].va + PAGE != p->page[i].va) && n-- == 0)
            return p->page[i].va;
    return 0;
}

static long place(const struct mproc *p, int ref)
{
    if (ref < 0)
        return 0;
    if (ref < ARENA_PAGES)
        return ARENA + ref * PAGE;
    if (ref == REF_FRY)
        return (long)FRY;
    if (ref == REF_SHRIMP)
        return (long)SHRIMP;
    long beg = stretch(p, (ref - REF_MAPPING) / REF_PAGES);
    return (beg ? beg : ARENA) + (ref - REF_MAPPING) % REF_PAGES * PAGE;
}

/* The n-th System V segment that was ever made; an id that never was when there
 * is none. */
static long segment_id(const struct model *m, int n)
{
    int segments = 0;
    for (int i = 0; i < m->nctx; i++)
        segments += m->ctx[i].kind == K_SYSV;
    n = segments ? n % segments : -1;
    for (int i = 0; i < m->nctx; i++)
        if (m->ctx[i].kind == K_SYSV && n-- == 0)
            return m->ctx[i].id;
    return 12345;
}

static long key_of(int index)
{
    static const long keys[] = {IPC_PRIVATE, 1234, 0x7001};
    return keys[index % 3];
}

static void resolve_file(const struct mproc *p, const struct step *s, long *a)
{
    int slot = s->a[0];
    a[0] = p->fd[slot].fd;
    switch (s->op) {
    case CLOSE:
    case FSTAT:
        a[1] = slot;
        break;
    case TRUNCATE:
        a[1] = size_of(s->a[1]);
        a[2] = slot;
        break;
    case FCHMOD:
        a[2] = slot;
        break;
    case ALLOCATE:
        a[1] = s->a[1] * HALF_BYTES;
        a[2] = slot;
        a[3] = s->a[2] * HALF_BYTES;
        break;
    default:
        a[1] = s->a[1] * HALF_BYTES;
        a[2] = slot;
        a[3] = s->a[2];
    }
}

static void resolve_memory(const struct mproc *p, const struct step *s, long *a)
{
    a[0] = place(p, s->a[0]);
    switch (s->op) {
    case MMAP:
        a[0] = s->a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE) ? a[0] : 0;
        a[1] = s->a[1] * PAGE;
        a[4] = p->fd[s->a[4]].fd;
        a[5] = s->a[5] * PAGE | s->a[4]; /* the slot is not part of the offset */
        break;
    case MREMAP:
        a[1] = s->a[1] * PAGE;
        a[2] = s->a[2] * PAGE;
        a[4] = place(p, s->a[4]);
        break;
    case LOAD:
        a[0] += s->a[1] * HALF_BYTES;
        break;
    case STORE:
        a[0] += s->a[1] * HALF_BYTES;
        a[1] = s->a[2];
        break;
    case SHMDT:
        break;
    default:
        a[1] = s->a[1] * PAGE;
    }
}

void resolve(const struct model *m, const struct step *s, struct call *c)
{
    const struct mproc *p = &m->proc[s->seat];
    *c = (struct call){.seat = s->seat, .op = s->op};
    c->fails = s->how > HOW_TOGETHER ? (unsigned)s->how - HOW_FAILS(0) : 0;
    for (int i = 0; i < ARGS; i++)
        c->a[i] = s->a[i];
    switch (s->op) {
    case CREATE:
        c->a[1] = size_of(s->a[1]);
        break;
    case MAPWITH:
        c->a[2] = s->a[2] < 0 ? 1 : s->a[2] * PAGE;
        c->a[3] = s->a[3] * PAGE;
        c->a[4] = s->a[1] & RM_FIXED ? place(p, s->a[4]) : 0;
        break;
    case UNMAP:
        c->a[1] = place(p, s->a[1]);
        break;
    case SHMGET:
        c->a[0] = key_of(s->a[0]);
        c->a[1] = size_of(s->a[1] % 7);
        break;
    case SHMAT:
        c->a[1] = place(p, s->a[1]);
        c->a[0] = segment_id(m, s->a[0]);
        break;
    case SHMSET:
        c->a[1] = user_of(s->a[1]);
        c->a[0] = segment_id(m, s->a[0]);
        break;
    case SHMRM:
    case SHMSTAT:
    case SHMLOCK:
        c->a[0] = segment_id(m, s->a[0]);
        break;
    case SETEUID:
        c->a[0] = user_of(s->a[0]);
        break;
    case CLOSE ... FCHMOD:
        resolve_file(p, s, c->a);
        break;
    case SHMDT:
    case MMAP ... LOOK:
        resolve_memory(p, s, c->a);
        break;
    default:
        break;
    }
}
