/* mmap and its family (P3). */
#define _GNU_SOURCE
#include "model.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static long pages_of(long bytes)
{
    return (bytes + PAGE - 1) / PAGE;
}

/* Where a map goes: at a, or where the kernel chose. */
static long place(const struct mproc *p, long va, int flags, long n, const struct answer *got,
                  long *at)
{
    *at = va;
    if (flags & MAP_FIXED_NOREPLACE)
        return vm_free(p, va, n) ? va : -EEXIST;
    if (flags & MAP_FIXED)
        return va;
    *at = got->ret;
    return vm_choice(p, got->ret, n) ? got->ret : -EFAULT; /* no errno of a good kernel's */
}

/* Anonymous shared memory is a context of its own, which its mappings keep. */
static long new_anon(struct model *m, struct mproc *p, long bytes)
{
    return ctx_index(m, ctx_new(m, p, K_ANON, bytes, 0600));
}

static long file_rights(const struct mfd *f, long prot, bool shared, struct mvm *page)
{
    if (f->fd < 0)
        return -EBADF;
    if (!f->readable || (shared && (prot & PROT_WRITE) && !f->writable))
        return -EACCES;
    page->ctx = f->ctx;
    if (shared && !f->writable)
        page->max_prot = PROT_READ;
    return 0;
}

long do_MMAP(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    int flags = (int)a[3];
    bool shared = flags & MAP_SHARED;
    struct mvm page = {
        .ctx = -1, .prot = (unsigned)a[2], .max_prot = PROT_READ | PROT_WRITE, .shared = shared};
    page.idx = (a[5] & ~(PAGE - 1)) / PAGE;
    long n = pages_of(a[1]), err = a[1] && (flags & MAP_TYPE) ? 0 : -EINVAL;
    if (!err && !(flags & MAP_ANONYMOUS))
        err = file_rights(&p->fd[a[5] % PAGE], a[2], shared, &page);
    if (err)
        return err;
    long at, ret = place(p, a[0], flags, n, got, &at);
    if (ret < 0)
        return ret;
    if ((flags & MAP_ANONYMOUS) && shared)
        page.ctx = (int)new_anon(m, p, a[1]);
    if (flags & MAP_ANONYMOUS)
        page.idx = 0;
    page.va = at;
    vm_map(m, p, n, &page);
    if (flags & MAP_POPULATE)
        vm_populate(m, p, at, n);
    return ret;
}

long do_MUNMAP(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    if (a[1] == 0 || a[0] + a[1] > USER_LIMIT)
        return -EINVAL;
    int mapping = vm_at(p, a[0]) ? vm_at(p, a[0])->mapping : 0;
    vm_remove(p, a[0], pages_of(a[1]));
    if (m->wrong == 1 && mapping)
        vm_remove_mapping(p, mapping);
    return 0;
}

/* All of it mapped? */
static long check(struct mproc *p, long va, long n)
{
    for (long i = 0; i < n; i++)
        if (!vm_at(p, va + i * PAGE))
            return -ENOMEM;
    return 0;
}

/* A9: what a mapping was not allowed at first it does not become. */
long do_MPROTECT(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                 struct answer *want)
{
    long n = pages_of(a[1]);
    for (long i = 0; i < n; i++) {
        struct mvm *v = vm_at(p, a[0] + i * PAGE);
        if (!v)
            return -ENOMEM;
        if (a[2] & ~(long)v->max_prot)
            return -EACCES;
    }
    for (long i = 0; i < n; i++)
        vm_at(p, a[0] + i * PAGE)->prot = (unsigned)a[2];
    return 0;
}

/* Do they lie in one mapping, as if made by one call? */
bool vm_alike(const struct mvm *low, const struct mvm *high)
{
    return low->va + PAGE == high->va && low->ctx == high->ctx && low->mapping == high->mapping &&
           low->prot == high->prot && low->max_prot == high->max_prot &&
           low->shared == high->shared && low->no_fork == high->no_fork &&
           (low->ctx < 0 || low->idx + 1 == high->idx);
}

static void grow(struct mproc *p, long va, long n)
{
    struct mvm page = *vm_at(p, va - PAGE);
    page.copied = false;
    for (long i = 0; i < n; i++) {
        page.va += PAGE;
        page.idx++;
        vm_insert(p, &page);
    }
}

static void move(struct mproc *p, long va, long n, long to, long new_n)
{
    struct mvm kept[VM_PAGES];
    long keep = n < new_n ? n : new_n;
    for (long i = 0; i < keep; i++)
        kept[i] = *vm_at(p, va + i * PAGE);
    vm_remove(p, va, n);
    vm_remove(p, to, new_n);
    for (long i = 0; i < keep; i++) {
        kept[i].va = to + i * PAGE;
        vm_insert(p, &kept[i]);
    }
    grow(p, to + keep * PAGE, new_n - keep);
}

long do_MREMAP(struct model *m, struct mproc *p, const long a[], const struct answer *got,
               struct answer *want)
{
    long va = a[0], n = pages_of(a[1]), new_n = pages_of(a[2]), to = a[4];
    bool may_move = a[3] & MREMAP_MAYMOVE, fixed = a[3] & MREMAP_FIXED;
    if (!n || !new_n || (fixed && (!may_move || (to < va + n * PAGE && to + new_n * PAGE > va))))
        return -EINVAL;
    for (long i = 0; i < n; i++)
        if (!vm_at(p, va + i * PAGE) ||
            (i && !vm_alike(vm_at(p, va + (i - 1) * PAGE), vm_at(p, va + i * PAGE))))
            return -EFAULT;
    if (!fixed && new_n <= n) {
        vm_remove(p, va + new_n * PAGE, n - new_n);
        return va;
    }
    if (!fixed && va + new_n * PAGE <= USER_LIMIT && vm_free(p, va + n * PAGE, new_n - n)) {
        grow(p, va + n * PAGE, new_n - n);
        return va;
    }
    if (!may_move)
        return -ENOMEM;
    if (!fixed && !vm_choice(p, got->ret, new_n))
        return -EFAULT;
    to = fixed ? to : got->ret;
    move(p, va, n, to, new_n);
    return to;
}

/* MADV_DONTNEED: private copies go. */
long do_DISCARD(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    long n = pages_of(a[1]);
    if (check(p, a[0], n))
        return -ENOMEM;
    for (long i = 0; i < n; i++)
        vm_at(p, a[0] + i * PAGE)->copied = false;
    return 0;
}

/* Brings the pages in, private ones as the process's own. */
long do_MLOCK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mword *page;
    long n = pages_of(a[1]);
    if (check(p, a[0], n))
        return -ENOMEM;
    for (long i = 0; i < n; i++) {
        struct mvm *v = vm_at(p, a[0] + i * PAGE);
        if (vm_touch(m, p, v->va, !v->shared && (v->prot & PROT_WRITE), &page))
            return -ENOMEM;
    }
    return 0;
}

/* Is there something at every page?  (Which pages are in memory is for the
 * kernel to say; but one of a context that nobody has touched is not.) */
long do_MINCORE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
                struct answer *want)
{
    long n = pages_of(a[1]);
    if (check(p, a[0], n))
        return -ENOMEM;
    for (long i = 0; i < n && i < OUTS; i++) {
        const struct mvm *v = vm_at(p, a[0] + i * PAGE);
        const struct mctx *c = v->ctx >= 0 ? &m->ctx[v->ctx] : NULL;
        bool inside = c && v->idx < ctx_pages(c);
        want->out[i] = v->copied || (inside && c->resident[v->idx]);
        if (!c && !v->copied)
            want->out[i] = got->out[i];
    }
    return 0;
}

/* msync(2): there is nothing to write back. */
long do_MSYNC(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    return check(p, a[0], pages_of(a[1]));
}

/* MADV_FREE: as DISCARD, of private memory without a file only. */
long do_FREE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    for (long i = 0; i < pages_of(a[1]); i++) {
        const struct mvm *v = vm_at(p, a[0] + i * PAGE);
        if (!v)
            return -ENOMEM;
        if (v->ctx >= 0)
            return -EINVAL;
    }
    return do_DISCARD(m, p, a, got, want);
}

static long show(const struct mword *page, long va)
{
    long at = va % PAGE;
    return at % HALF_BYTES ? 0 : page->word[at / HALF_BYTES];
}

long do_LOAD(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mword *page;
    long sig = vm_touch(m, p, a[0], false, &page);
    if (!sig)
        want->out[0] = show(page, a[0]);
    return sig;
}

long do_STORE(struct model *m, struct mproc *p, const long a[], const struct answer *got,
              struct answer *want)
{
    struct mword *page;
    long sig = vm_touch(m, p, a[0], true, &page);
    if (!sig)
        page->word[a[0] % PAGE / HALF_BYTES] = (uint32_t)a[1];
    return sig;
}

long do_LOOK(struct model *m, struct mproc *p, const long a[], const struct answer *got,
             struct answer *want)
{
    struct mword *page;
    long sig = vm_touch(m, p, a[0], false, &page);
    if (!sig)
        for (int i = 0; i < HALVES; i++)
            memcpy(want->page + i * HALF_BYTES, &page->word[i], sizeof page->word[i]);
    return sig;
}
