/* Regions as files of /dev/shm, and files without a name (P1, P2). */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool fd_is_new(const struct mproc *p, long fd)
{
    bool is_new = fd >= 0;
    for (int i = 0; i < SLOTS; i++)
        is_new &= p->fd[i].fd != fd;
    return is_new;
}

static long fd_make(struct model *m, struct mproc *p, long slot, const struct mctx *c, long flags,
                    const struct answer *got)
{
    long mode = flags & O_ACCMODE;
    if (!fd_is_new(p, got->ret))
        return -EMFILE;
    p->fd[slot] = (struct mfd){.fd = (int)got->ret,
                               .ctx = ctx_index(m, c),
                               .readable = mode != O_WRONLY,
                               .writable = mode != O_RDONLY};
    return got->ret;
}

/* A file made here is a persistent region of no size. */
static struct mctx *file_new(struct model *m, struct mproc *p, long name, long mode)
{
    struct mctx *c = ctx_new(m, p, K_REGION, 0, mode);
    c->name[0] = c->first_name = (int)name;
    c->persist = true;
    return c;
}

static long open_rights(const struct mctx *c, const struct mproc *p, long flags)
{
    long mode = flags & O_ACCMODE;
    unsigned want = (mode != O_WRONLY ? MAY_R : 0) | (mode != O_RDONLY ? MAY_W : 0) |
                    (flags & O_TRUNC ? MAY_W : 0);
    return ctx_may(c, p, want) ? 0 : -EACCES;
}

long do_OPEN(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mctx *c = region_find(m, a[1]);
    if (c && c->closing)
        return a[2] & O_CREAT ? -EEXIST : -ENOENT; /* R3, R5 */
    if (!c && !(a[2] & O_CREAT))
        return -ENOENT;
    if (c && (a[2] & O_CREAT) && (a[2] & O_EXCL))
        return -EEXIST;
    long err = c ? open_rights(c, p, a[2]) : 0;
    if (err)
        return err;
    if (!c)
        c = file_new(m, p, a[1], a[3]);
    else if (a[2] & O_TRUNC)
        ctx_resize(m, c, 0);
    return fd_make(m, p, a[0], c, a[2], got);
}

long do_MEMFD(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    return fd_make(m, p, a[0], ctx_new(m, p, K_MEMFD, 0, 0777), O_RDWR, got);
}

long do_CLOSE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    if (a[0] < 0)
        return -EBADF;
    p->fd[a[1]].fd = -1;
    return 0;
}

long do_TRUNCATE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                 struct answer *want)
{
    const struct mfd *f = &p->fd[a[2]];
    if (a[0] < 0)
        return -EBADF;
    if (!f->writable)
        return -EINVAL;
    ctx_resize(m, &m->ctx[f->ctx], a[1]);
    return 0;
}

/* Memory for a part of the file; it becomes longer if it has to.  What is
 * promised is there. */
long do_ALLOCATE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                 struct answer *want)
{
    const struct mfd *f = &p->fd[a[2]];
    if (a[3] <= 0)
        return -EINVAL;
    if (a[0] < 0 || !f->writable)
        return -EBADF;
    struct mctx *c = &m->ctx[f->ctx];
    if (a[1] + a[3] > c->bytes)
        ctx_resize(m, c, a[1] + a[3]);
    for (long i = a[1] / PAGE; c->noreserve && i * PAGE < a[1] + a[3]; i++)
        ctx_fill(c, i);
    return 0;
}

/* Four bytes at the beginning or the middle of a page; sizes never cut them. */
long do_READ(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    const struct mfd *f = &p->fd[a[2]];
    if (a[0] < 0 || !f->readable)
        return -EBADF;
    struct mctx *c = &m->ctx[f->ctx];
    if (a[1] >= c->bytes)
        return 0;
    ctx_fill(c, a[1] / PAGE);
    want->out[0] = c->page[a[1] / PAGE].word[a[1] % PAGE / HALF_BYTES];
    return 4;
}

long do_WRITE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    const struct mfd *f = &p->fd[a[2]];
    if (a[0] < 0 || !f->writable)
        return -EBADF;
    struct mctx *c = &m->ctx[f->ctx];
    if (a[1] + 4 > c->bytes)
        ctx_resize(m, c, a[1] + 4);
    ctx_fill(c, a[1] / PAGE);
    c->page[a[1] / PAGE].word[a[1] % PAGE / HALF_BYTES] = (uint32_t)a[3];
    return 4;
}

long do_FSTAT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    if (a[0] < 0)
        return -EBADF;
    const struct mctx *c = &m->ctx[p->fd[a[1]].ctx];
    const long out[OUTS] = {c->bytes,
                            c->mode,
                            c->uid,
                            c->gid,
                            c->kind == K_REGION ? ctx_names(c) : got->out[4],
                            c->listed_id ? (long)c->listed_id : got->out[5]};
    memcpy(want->out, out, sizeof out);
    return 0;
}

long do_FCHMOD(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    if (a[0] < 0)
        return -EBADF;
    struct mctx *c = &m->ctx[p->fd[a[2]].ctx];
    if (!ctx_mine(c, p))
        return -EPERM;
    c->mode = a[1];
    return 0;
}

static struct mctx *active(struct model *m, long name)
{
    struct mctx *c = region_find(m, name);
    return c && !c->closing ? c : NULL;
}

long do_LIST(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    for (long name = 0; name < NAMES; name++) {
        const struct mctx *c = active(m, name);
        want->out[name] = c ? (long)c->listed_id : 0;
        want->out[NAMES] += c != NULL;
    }
    return 0;
}

/* RS_UNLINK. */
long do_UNLINK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    struct mctx *c = active(m, a[0]);
    if (!c)
        return -ENOENT;
    if (!ctx_mine(c, p))
        return -EACCES;
    region_unname(c, a[0]);
    return 0;
}

long do_LINK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mctx *c = active(m, a[0]);
    int place = 0;
    if (!c)
        return -ENOENT;
    if (region_find(m, a[1]))
        return -EEXIST;
    if (p->euid != 0 && p->euid != c->uid && !ctx_may(c, p, MAY_R | MAY_W))
        return -EPERM;
    while (place < NAMES_MAX && c->name[place] >= 0)
        place++;
    if (place == NAMES_MAX)
        return -EMLINK;
    c->name[place] = (int)a[1];
    return 0;
}

/* There is none here but of a name to another of the same file, which does
 * nothing. */
long do_RENAME(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    const struct mctx *from = active(m, a[0]), *to = active(m, a[1]);
    if (!from)
        return -ENOENT;
    if (from == to)
        return 0;
    return ctx_mine(from, p) ? -EPERM : -EACCES;
}
