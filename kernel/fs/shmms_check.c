/* The table seen from outside: walking it, and its invariants. */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <lib/string.h>

static const char *const kind_names[SHM_KINDS] = {[SHM_NAMED] = "region"};

/* What T protects of a context.  T held. */
static void describe(struct smemcontext *ctx, struct shm_info *info)
{
    info->kind = kind_names[ctx->kind];
    str_copy(info->key, ctx->key, sizeof info->key);
    info->id = ctx->id;
    info->size_bytes = ctx->size_bytes;
    info->mappings = ctx->mappings;
    info->creator_pid = ctx->creator ? ctx->creator->pid : 0;
    info->lock_owner_tid = ctx->lock_owner ? ctx->lock_owner->tid : 0;
    info->lock_waiters = region_lock_waiters(ctx);
    info->closing = ctx->state == SHM_CLOSING;
}

/* Goes on by key, so that T is free between two contexts and the table may change. */
void shm_for_each(void (*fn)(const struct shm_info *info, void *arg), void *arg)
{
    struct smemcontext *ctx, *last = NULL;
    for (;;) {
        struct shm_info info;
        spin_lock(&ctable_lock);
        ctx = last ? ctable_after(last->hash, last->kind, last->key) : ctable_first();
        if (ctx) {
            memstore_get(&ctx->store);
            describe(ctx, &info);
        }
        spin_unlock(&ctable_lock);
        if (last)
            memstore_put(&last->store);
        if (!ctx)
            return;
        info.resident_pages = memstore_resident(&ctx->store);
        fn(&info, arg);
        last = ctx;
    }
}

/* T held. */
static void check_context(struct smemcontext *ctx)
{
    unsigned mappings = 0;
    ASSERTF(ctx->state != SHM_DEAD, "dead context %s in the table", ctx->key);
    ASSERTF(ref_read(&ctx->store.refs) >= 1 + ctx->mappings, "context %s lacks references",
            ctx->key);
    ASSERT(rb_valid(&ctx->attaches));
    for (struct rbnode *n = rb_first(&ctx->attaches); n; n = rb_next(n)) {
        struct shm_attach *a = rb_entry(n, struct shm_attach, node);
        ASSERT(a->mappings > 0);
        mappings += a->mappings;
    }
    ASSERTF(mappings == ctx->mappings, "context %s: %u mappings attached, %u counted", ctx->key,
            mappings, ctx->mappings);
    ASSERTF(!ctable_is_over(ctx), "context %s outlived its rule", ctx->key);
    ASSERT(ctx->state != SHM_CLOSING || ctx->mappings > 0);
    if (ctx->lock_owner)
        ASSERTF(attach_find(ctx, ctx->lock_as), "context %s is locked by who has it not mapped",
                ctx->key);
    else
        ASSERTF(list_empty(&ctx->lock_waiters), "context %s is free and has waiters", ctx->key);
}

void shm_check(void)
{
    size_t n = 0;
    struct smemcontext *ctx;
    spin_lock(&ctable_lock);
    for (ctx = ctable_first(); ctx; ctx = ctable_after(ctx->hash, ctx->kind, ctx->key)) {
        ASSERT(ctable_find(ctx->kind, ctx->key) == ctx);
        check_context(ctx);
        n++;
    }
    spin_unlock(&ctable_lock);
    ASSERTF(n == shm_count(), "%zu contexts in the tree", n);
}
