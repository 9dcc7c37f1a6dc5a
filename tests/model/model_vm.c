/* Address spaces of the reference: a list of pages by address. */
#include "model.h"

#include <abi/zone.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* How many mappings of the context the process has (R7): pieces of one are one
 * (R8). */
int mapped_times(const struct mproc *p, int ctx)
{
    int n = 0;
    for (int i = 0; p->alive && i < p->npages; i++) {
        bool seen = p->page[i].ctx != ctx;
        for (int k = 0; k < i && !seen; k++)
            seen = p->page[k].mapping == p->page[i].mapping;
        n += !seen;
    }
    return n;
}

struct mvm *vm_at(struct mproc *p, long va)
{
    for (int i = 0; i < p->npages; i++)
        if (p->page[i].va == va / PAGE * PAGE)
            return &p->page[i];
    return NULL;
}

bool vm_free(const struct mproc *p, long va, long n)
{
    for (int i = 0; i < p->npages; i++)
        if (p->page[i].va >= va && p->page[i].va < va + n * PAGE)
            return false;
    return true;
}

static void remove_at(struct mproc *p, int i)
{
    p->npages--;
    memmove(&p->page[i], &p->page[i + 1], (size_t)(p->npages - i) * sizeof p->page[0]);
}

void vm_remove(struct mproc *p, long va, long n)
{
    for (int i = p->npages - 1; i >= 0; i--)
        if (p->page[i].va >= va && p->page[i].va < va + n * PAGE)
            remove_at(p, i);
}

void vm_remove_mapping(struct mproc *p, int mapping)
{
    for (int i = p->npages - 1; i >= 0; i--)
        if (p->page[i].mapping == mapping)
            remove_at(p, i);
}

struct mvm *vm_insert(struct mproc *p, const struct mvm *page)
{
    int i = p->npages++;
    for (; i > 0 && p->page[i - 1].va > page->va; i--)
        p->page[i] = p->page[i - 1];
    p->page[i] = *page;
    return &p->page[i];
}

void vm_map(struct model *m, struct mproc *p, long n, const struct mvm *first)
{
    struct mvm page = *first;
    vm_remove(p, first->va, n);
    page.mapping = first->ctx >= 0 ? ++m->last_mapping : 0;
    for (long i = 0; i < n; i++) {
        vm_insert(p, &page);
        page.va += PAGE;
        page.idx++;
    }
}

/* Any free place, but not those that are asked for by address. */
bool vm_choice(const struct mproc *p, long va, long n)
{
    return va > 0 && va % PAGE == 0 && va + n * PAGE <= USER_LIMIT &&
           (va >= ARENA + ARENA_PAGES * PAGE || va + n * PAGE <= ARENA) && vm_free(p, va, n);
}

/* S1, S2: FRY is the process's own page, SHRIMP its parent's; there from the
 * first touch. */
static struct mvm *shrimpy(struct model *m, struct mproc *p, long va)
{
    int kin = va == (long)FRY ? p->kin : va == (long)SHRIMP ? m->kin[p->kin].parent : -1;
    if (kin < 0)
        return NULL;
    if (m->kin[kin].fry < 0)
        m->kin[kin].fry = ctx_index(m, ctx_new(m, p, K_FRY, PAGE, 0600));
    vm_map(m, p, 1,
           &(struct mvm){.va = va,
                         .ctx = m->kin[kin].fry,
                         .prot = PROT_READ | PROT_WRITE,
                         .max_prot = PROT_READ | PROT_WRITE,
                         .shared = true,
                         .no_fork = true});
    return vm_at(p, va);
}

/* One access: 0 and the contents, or the signal (A6, P2). */
long vm_touch(struct model *m, struct mproc *p, long va, bool write, struct mword **page)
{
    struct mvm *v = vm_at(p, va);
    if (!v)
        v = shrimpy(m, p, va / PAGE * PAGE);
    if (!v || !(write ? v->prot & PROT_WRITE : v->prot)) /* whatever is allowed, reading is */
        return SIGSEGV;
    struct mctx *c = v->ctx >= 0 ? &m->ctx[v->ctx] : NULL;
    if (c && v->idx >= ctx_pages(c))
        return SIGBUS;
    if (c && !v->copied)
        ctx_fill(c, v->idx);
    if (write && !v->shared && !v->copied) {
        v->own = c ? c->page[v->idx] : (struct mword){0};
        v->copied = true;
    }
    static struct mword zero;
    zero = (struct mword){0};
    *page = v->copied ? &v->own : c ? &c->page[v->idx] : &zero;
    return 0;
}

/* Touches every page, as it is best used; stops at the first that cannot be. */
void vm_populate(struct model *m, struct mproc *p, long va, long n)
{
    struct mword *page;
    for (long i = 0; i < n; i++) {
        struct mvm *v = vm_at(p, va + i * PAGE);
        if (vm_touch(m, p, va + i * PAGE, v && (v->prot & PROT_WRITE), &page))
            return;
    }
}
