/* Birth, death, heap and walks of an address space. */
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

#include "mm.h"

static struct kmem_cache addrspace_cache = KMEM_CACHE("addrspace", struct addrspace);

struct addrspace *addrspace_create(void)
{
    struct addrspace *as = kmem_alloc(&addrspace_cache);
    if (!as)
        return NULL;
    if (vpmap_init(&as->vpmap)) {
        kmem_free(&addrspace_cache, as);
        return NULL;
    }
    rwlock_init(&as->lock, "addrspace", RANK_ADDRSPACE);
    spin_init(&as->pt_lock, "vpmap", RANK_VPMAP);
    ref_init(&as->refs, 1);
    ref_init(&as->holds, 1);
    as->search_top = MMAP_TOP;
    as->id = memory_id_new();
    return as;
}

void addrspace_get(struct addrspace *as)
{
    ref_get(&as->refs);
}

void addrspace_put(struct addrspace *as)
{
    if (!ref_put(&as->refs))
        return;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&as->lock);
    vmrange_remove(as, USER_BEG, USER_END, &dead);
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    vpmap_destroy(&as->vpmap);
    addrspace_unhold(as);
}

void addrspace_hold(struct addrspace *as)
{
    ref_get(&as->holds);
}

void addrspace_unhold(struct addrspace *as)
{
    if (ref_put(&as->holds))
        kmem_free(&addrspace_cache, as);
}

void addrspace_set_brk(struct addrspace *as, uintptr_t beg)
{
    rwlock_write(&as->lock);
    as->brk_beg = as->brk_end = beg;
    rwlock_write_done(&as->lock);
}

/* The heap's pages are [brk_beg rounded up, brk_end rounded up): an ordinary anonymous mapping. */
static err_t heap_grow(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
    REQUIRES(as->lock)
{
    struct memregion *r = region_is_free(as, beg, end) ? region_new() : NULL;
    if (!r)
        return -ENOMEM;
    r->beg = beg;
    r->end = end;
    r->prot = VP_READ | VP_WRITE;
    r->max_prot = VP_READ | VP_WRITE | VP_EXEC;
    region_link(as, r);
    vmrange_merge(as, beg, end, dead);
    return 0;
}

static err_t heap_shrink(struct addrspace *as, uintptr_t beg, uintptr_t end, struct list *dead)
    REQUIRES(as->lock)
{
    err_t err = vmrange_isolate(as, beg, end);
    if (!err)
        vmrange_remove(as, beg, end, dead);
    return err;
}

/* One step under A, from the look at the end to its change: others that share the memory may move
 * it too. */
uintptr_t addrspace_brk(struct addrspace *as, uintptr_t want)
{
    struct list dead = LIST_INIT(dead);
    err_t err = 0;
    rwlock_write(&as->lock);
    uintptr_t old_top = ALIGN_UP(as->brk_end, PAGE_BYTES);
    if (want < as->brk_beg || want > MMAP_TOP)
        err = -EINVAL;
    else if (ALIGN_UP(want, PAGE_BYTES) > old_top)
        err = heap_grow(as, old_top, ALIGN_UP(want, PAGE_BYTES), &dead);
    else if (ALIGN_UP(want, PAGE_BYTES) < old_top)
        err = heap_shrink(as, ALIGN_UP(want, PAGE_BYTES), old_top, &dead);
    if (!err)
        as->brk_end = want;
    uintptr_t end = as->brk_end;
    rwlock_write_done(&as->lock);
    regions_dispose(as, &dead);
    return end;
}

void addrspace_for_each(struct addrspace *as, bool (*fn)(const struct memregion *r, void *arg),
                        void *arg)
{
    rwlock_read(&as->lock);
    for (struct memregion *r = region_at_or_above(as, 0); r && fn(r, arg); r = region_next(r))
        ;
    rwlock_read_done(&as->lock);
}

err_t addrspace_locate(struct addrspace *as, uintptr_t addr, uint64_t *id, uint64_t *offset)
{
    err_t err = 0;
    *id = as->id;
    *offset = addr;
    rwlock_read(&as->lock);
    struct memregion *r = region_at_or_above(as, addr);
    if (!r || r->beg > addr) {
        err = -EFAULT;
    } else if (r->shared) {
        *id = r->mapping->store->id;
        *offset = ((uint64_t)region_page_idx(r, addr) << PAGE_SHIFT) + addr % PAGE_BYTES;
    }
    rwlock_read_done(&as->lock);
    return err;
}
