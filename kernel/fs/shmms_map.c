/* Mappings of contexts, and what the virtual memory layer tells the table about them (R7, R8, A4,
 * A5). */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

static struct kmem_cache attach_cache = KMEM_CACHE("shm_attach", struct shm_attach);

static struct smemcontext *context_of(struct memstore *store)
{
    return container_of(store, struct smemcontext, store);
}

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
static void attach_insert(struct smemcontext *ctx, struct shm_attach *a)
{
    struct rbnode *parent = NULL, **link = &ctx->attaches.root;
    while (*link) {
        parent = *link;
        bool before = (uintptr_t)a->as < (uintptr_t)rb_entry(parent, struct shm_attach, node)->as;
        link = before ? &parent->left : &parent->right;
    }
    rb_insert(&ctx->attaches, &a->node, parent, link);
}

/* Counts a mapping, unless the name has closed since the caller found it; a fork may still inherit
 * then.  T held. Uses *spare for a first mapping, and sets it to NULL. */
static err_t count_mapping(struct smemcontext *ctx, struct addrspace *as, enum mapping_reason why,
                           struct shm_attach **spare)
{
    if (why == MAPPING_NEW && ctx->state != SHM_ACTIVE)
        return -ENOENT;
    struct shm_attach *a = attach_find(ctx, as);
    if (!a) {
        a = *spare;
        *spare = NULL;
        a->as = as;
        attach_insert(ctx, a);
    }
    a->mappings++;
    ctx->mappings++;
    return 0;
}

err_t shm_store_mapped(struct memstore *store, struct addrspace *as, enum mapping_reason why)
{
    struct shm_attach *spare = kmem_alloc(&attach_cache);
    if (!spare)
        return -ENOMEM;
    spin_lock(&ctable_lock);
    err_t err = count_mapping(context_of(store), as, why, &spare);
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
    if (--a->mappings == 0) {
        rb_remove(&ctx->attaches, &a->node);
        gone = a;
        region_lock_detached(ctx, as);
    }
    bool over = ctable_is_over(ctx);
    if (over)
        ctable_retire(ctx);
    spin_unlock(&ctable_lock);
    if (gone)
        kmem_free(&attach_cache, gone);
    if (over)
        memstore_put(store);
}

/* The active context of this name, with a reference. */
static struct smemcontext *get_active(const char *name)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    if (ctx && ctx->state != SHM_ACTIVE)
        ctx = NULL;
    if (ctx)
        memstore_get(&ctx->store);
    spin_unlock(&ctable_lock);
    return ctx;
}

err_t shm_map(const struct shm_caller *who, const char *name, uintptr_t *addr)
{
    struct smemcontext *ctx = get_active(name);
    if (!ctx)
        return -ENOENT;
    struct map_request req = {
        .bytes = memstore_npages(&ctx->store) << PAGE_SHIFT,
        .prot = VP_READ | VP_WRITE,
        .max_prot = VP_READ | VP_WRITE,
        .shared = true,
        .store = &ctx->store,
    };
    err_t err = addrspace_map(who->as, &req, addr); /* the table counts it in shm_store_mapped */
    memstore_put(&ctx->store);
    return err;
}

/* A closing region can still be unmapped by its name. */
err_t shm_unmap(const struct shm_caller *who, const char *name, uintptr_t addr)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    if (ctx)
        memstore_get(&ctx->store);
    spin_unlock(&ctable_lock);
    if (!ctx)
        return -ENOENT;
    err_t err = addrspace_unmap_mapping(who->as, &ctx->store, addr);
    memstore_put(&ctx->store);
    return err;
}
