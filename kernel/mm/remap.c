/* mremap(2): a mapping becomes longer or shorter, in its place or elsewhere.  The mapping stays the
 * same one: its backend hears nothing, its pages move with it.
 *
 * Model: tests/spin/tlb.pml
 */
#include <kernel/base/panic.h>

#include "mm.h"

/* A request with its sums done. */
struct remap {
    uintptr_t beg, end; /* what is there */
    uintptr_t keep_end; /* of that, what stays: up to here */
    size_t new_bytes;
    uintptr_t to; /* where a move goes */
    const struct remap_request *req;
};

static err_t parse_request(const struct remap_request *req, struct remap *m)
{
    if (!IS_ALIGNED(req->addr, PAGE_BYTES) || req->old_bytes == 0 || req->new_bytes == 0 ||
        req->new_bytes > USER_END || (req->fixed && !req->may_move))
        return -EINVAL;
    m->req = req;
    m->beg = req->addr;
    m->end = vmrange_end(req->addr, req->old_bytes);
    m->new_bytes = ALIGN_UP(req->new_bytes, PAGE_BYTES);
    if (!m->end)
        return -EFAULT;
    m->keep_end = m->beg + MIN(m->end - m->beg, m->new_bytes);
    if (req->fixed) {
        uintptr_t to_end = vmrange_end(req->new_addr, m->new_bytes);
        if (!to_end || (req->new_addr < m->end && to_end > m->beg))
            return -EINVAL;
    }
    return 0;
}

static err_t shrink(struct addrspace *as, const struct remap *m, struct list *dead)
    REQUIRES(as->lock)
{
    if (m->keep_end == m->end)
        return 0;
    err_t err = vmrange_isolate(as, m->keep_end, m->end);
    if (!err)
        vmrange_remove(as, m->keep_end, m->end, dead);
    return err;
}

/* False when there is no room behind it. */
static bool grow_in_place(struct addrspace *as, const struct remap *m, struct memregion *r,
                          struct list *dead) REQUIRES(as->lock)
{
    uintptr_t new_end = vmrange_end(m->beg, m->new_bytes);
    if (m->end != r->end || !new_end || !region_is_free(as, m->end, new_end))
        return false;
    region_set_end(r, new_end);
    vmrange_merge(as, r->beg, new_end, dead);
    return true;
}

/* All of a move that can fail.  What was cut is whole again in vmrange_merge. */
static err_t prepare_move(struct addrspace *as, const struct remap *m) REQUIRES(as->lock)
{
    uintptr_t to_end = m->to + m->new_bytes;
    err_t err = vmrange_isolate(as, m->beg, m->end);
    if (!err)
        err = vmrange_isolate(as, m->beg, m->keep_end);
    if (!err)
        err = vmrange_isolate(as, m->to, to_end);
    if (!err)
        err = pt_reserve(as, m->beg, m->keep_end, m->to);
    if (err && region_is_free(as, m->to, to_end))
        pt_free_tables(as, m->to, to_end, region_floor(as, m->to), region_ceiling(as, to_end));
    return err;
}

/* Tables go last: before the move, those reserved at `to` look like nobody's. */
static void commit_move(struct addrspace *as, const struct remap *m, struct list *dead)
    REQUIRES(as->lock)
{
    uintptr_t to_end = m->to + m->new_bytes;
    vmrange_clear(as, m->to, to_end, dead);
    vmrange_clear(as, m->keep_end, m->end, dead);
    struct memregion *r = region_at_or_above(as, m->beg);
    ASSERT(r && r->beg == m->beg && r->end == m->keep_end);
    r->stack = false;
    region_move(r, m->to, to_end);
    pt_free_tables(as, m->beg, m->end, region_floor(as, m->beg), region_ceiling(as, m->end));
}

static err_t move(struct addrspace *as, struct remap *m, struct list *dead) REQUIRES(as->lock)
{
    m->to = m->req->fixed ? m->req->new_addr : region_find_room(as, m->new_bytes);
    if (!m->to)
        return -ENOMEM;
    err_t err = prepare_move(as, m);
    if (!err)
        commit_move(as, m, dead);
    vmrange_merge(as, m->keep_end, m->end, dead);
    vmrange_merge(as, m->beg, m->keep_end, dead);
    vmrange_merge(as, m->to, m->to + m->new_bytes, dead);
    return err;
}

/* A held exclusive. */
static err_t remap_locked(struct addrspace *as, struct remap *m, uintptr_t *addr, struct list *dead)
    REQUIRES(as->lock)
{
    struct memregion *r = region_at_or_above(as, m->beg);
    if (!r || r->beg > m->beg || m->end > r->end)
        return -EFAULT;
    err_t err = 0;
    bool grows = m->beg + m->new_bytes > m->end;
    m->to = m->beg;
    if (!m->req->fixed && !grows)
        err = shrink(as, m, dead);
    else if (m->req->fixed || !grow_in_place(as, m, r, dead))
        err = m->req->may_move ? move(as, m, dead) : -ENOMEM;
    *addr = m->to;
    return err;
}

err_t addrspace_remap(struct addrspace *as, const struct remap_request *req, uintptr_t *addr)
{
    struct remap m;
    err_t err = parse_request(req, &m);
    if (err)
        return err;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    err = remap_locked(as, &m, addr, &dead);
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    return err;
}
