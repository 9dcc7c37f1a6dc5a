/* What /proc/PID/maps shows of a process (A10) is what the model has mapped:
 * places, rights, offsets and, by the number of the file, which context. */
#include "run.h"

#include "../host/user.h"
#include <kernel/fs/vnode.h>
#include <sys/mman.h>

#define TEXT_BYTES (32ul << 10)

struct map_line {
    long beg, end, offset;
    char rights[5];
    unsigned dev;
    unsigned long ino;
};

/* The stretch of pages that begins with *at and looks like one; *at becomes
 * what follows. */
static struct map_line next_stretch(const struct model *m, const struct mproc *p, int *at)
{
    const struct mvm *v = &p->page[*at];
    struct map_line l = {.beg = v->va, .dev = v->ctx >= 0 ? VNODE_DEV_SHM : 0};
    snprintf(l.rights, sizeof l.rights, "%c%c-%c", v->prot & PROT_READ ? 'r' : '-',
             v->prot & PROT_WRITE ? 'w' : '-', v->shared ? 's' : 'p');
    l.offset = v->ctx >= 0 ? v->idx * PAGE : 0;
    l.ino = v->ctx >= 0 ? m->ctx[v->ctx].listed_id : 0;
    for (++*at; *at < p->npages && vm_alike(&p->page[*at - 1], &p->page[*at]); ++*at)
        ;
    l.end = p->page[*at - 1].va + PAGE;
    return l;
}

/* The next line of what the calls of the steps have mapped: the rest is the
 * program and its stack. */
static const char *next_line(const char *text, struct mproc *p, struct map_line *l)
{
    while (*text) {
        memset(l, 0, sizeof *l);
        int n = sscanf(text, "%lx-%lx %4s %lx 00:%x %lu", &l->beg, &l->end, l->rights, &l->offset,
                       &l->dev, &l->ino);
        U_CHECK(n == 6);
        text = strchr(text, '\n') + 1;
        bool ours = l->dev == VNODE_DEV_SHM;
        for (long va = l->beg; !ours && va < l->end; va += PAGE)
            ours = vm_at(p, va) != NULL;
        if (ours)
            return text;
    }
    memset(l, 0, sizeof *l);
    return text;
}

static void print_line(const struct map_line *l, char *to, size_t bytes)
{
    snprintf(to, bytes, "%lx-%lx %s %lx %x %lu", l->beg, l->end, l->rights, l->offset, l->dev,
             l->ino);
}

const char *maps_read(const struct model *m, int seat)
{
    static char text[TEXT_BYTES];
    char path[40];
    snprintf(path, sizeof path, "/proc/%ld/maps", m->proc[seat].pid);
    U_CHECK(read_proc(path, text, sizeof text) > 0);
    return text;
}

bool maps_fit(struct model *m, int seat, const char *text, char why[WHY_BYTES])
{
    char want_text[100], got_text[100];
    struct mproc *p = &m->proc[seat];
    for (int at = 0;;) {
        struct map_line want = {0}, got;
        text = next_line(text, p, &got);
        if (at < p->npages)
            want = next_stretch(m, p, &at);
        else if (!got.end)
            return true;
        print_line(&want, want_text, sizeof want_text);
        print_line(&got, got_text, sizeof got_text);
        if (strcmp(want_text, got_text) == 0)
            continue;
        snprintf(why, WHY_BYTES, "maps of seat %d says \"%s\", must \"%s\"", seat, got_text,
                 want_text);
        return false;
    }
}

void maps_compare(struct model *m, int seat)
{
    char why[WHY_BYTES];
    if (m->proc[seat].alive && !maps_fit(m, seat, maps_read(m, seat), why))
        run_fails("%s", why);
}
