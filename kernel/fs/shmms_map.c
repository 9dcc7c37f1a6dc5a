/* What the virtual memory layer tells the table about mappings of contexts (R7, R8, A4, A5).
 *
 * Model: tests/spin/names.pml
 * Model: tests/spin/regionlock.pml
 */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

static struct kmem_cache attach_cache = KMEM_CACHE("shm_attach", struct shm_attach);

struct shm_attach *attach_find(struct smemcontext *ctx, struct addrspace *as)
{
    struct rbnode *node = ctx->attaches.root;
    while (node) {
        struct shm_attach *a = rb_entry(node, struct shm_attach, node);
        if (as == a->as)
            return a;
        node = (uintptr_t)as < (uintptr_t)a->as ? node->left : node->right;
    }
    return NULL;
}

/* T held. */
static void attach_insert(struct smemcontext *ctx, struct shm_attach *a) REQUIRES(ctable_lock)
{
    struct rbnode *parent = NULL, **link = &ctx->attaches.root;
    while (*link) {
        parent = *link;
        bool before = (uintptr_t)a->as < (uintptr_t)rb_entry(parent, struct shm_attach, node)->as;
        link = before ? &parent->left : &parent->right;
    }
    rb_insert(&ctx->attaches, &a->node, parent, link);
}

/* The first mapping of this context by an address space; a fork's child has what its parent had.  T
 * held. */
static void attach_begin(struct smemcontext *ctx, struct shm_attach *a,
                         const struct mapping_event *event) REQUIRES(ctable_lock)
{
    struct shm_attach *from = event->parent ? attach_find(ctx, event->parent) : NULL;
    a->as = event->as;
    a->opens = from ? from->opens : 0;
    attach_insert(ctx, a);
}

/* Counts a mapping, unless the name that led to the context has closed since; a fork may still
 * inherit then, and an open file may be mapped as long as it is open.  T held.  Uses *spare for a
 * first mapping, and sets it to NULL. */
static err_t count_mapping(struct smemcontext *ctx, const struct mapping_event *event,
                           struct shm_attach **spare) REQUIRES(ctable_lock)
{
    if (event->reason == MAPPING_BY_NAME && (ctx->state != SHM_ACTIVE || !ctx->named))
        return -ENOENT;
    ASSERTF(ctx->state != SHM_DEAD, "context %s is mapped by who does not keep it", ctx->key);
    struct shm_attach *a = attach_find(ctx, event->as);
    if (!a) {
        a = *spare;
        *spare = NULL;
        attach_begin(ctx, a, event);
    }
    /* A door maps anew only where its page is not mapped, though the end of an earlier mapping, by
     * hand, may not have been counted yet: the opens were that mapping's (X2). */
    if (!event->parent)
        a->opens = 0;
    a->mappings++;
    ctx->mappings++;
    if (ctx->kind == SHM_SYSV)
        shm_sysv_mapped(ctx);
    return 0;
}

err_t shm_store_mapped(struct memstore *store, const struct mapping_event *event)
{
    struct shm_attach *spare = kmem_alloc(&attach_cache);
    if (!spare)
        return -ENOMEM;
    spin_lock(&ctable_lock);
    err_t err = count_mapping(context_of(store), event, &spare);
    spin_unlock(&ctable_lock);
    if (spare)
        kmem_free(&attach_cache, spare);
    return err;
}

void shm_store_unmapped(struct memstore *store, struct addrspace *as)
{
    struct smemcontext *ctx = context_of(store);
    struct shm_attach *gone = NULL;
    spin_lock(&ctable_lock);
    struct shm_attach *a = attach_find(ctx, as);
    ASSERT(a && a->mappings > 0 && ctx->mappings > 0);
    ctx->mappings--;
    if (ctx->kind == SHM_SYSV)
        shm_sysv_unmapped(ctx);
    if (--a->mappings == 0) {
        rb_remove(&ctx->attaches, &a->node);
        gone = a;
        region_lock_detached(ctx, as);
    }
    bool over = context_check_over(ctx);
    spin_unlock(&ctable_lock);
    if (gone)
        kmem_free(&attach_cache, gone);
    if (over)
        context_bury(ctx);
}
