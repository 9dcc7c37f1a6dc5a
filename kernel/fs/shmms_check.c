/* The table seen from outside: walking it, and its invariants. */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <lib/string.h>

static const char *const kind_names[SHM_KINDS] = {
    [SHM_NAMED] = "region", [SHM_XV6] = "xv6",     [SHM_ZONE] = "zone", [SHM_SYSV] = "sysv",
    [SHM_KIN] = "fry",      [SHM_MEMFD] = "memfd", [SHM_ANON] = "anon",
};

static unsigned count_attaches(const struct smemcontext *ctx)
{
    unsigned n = 0;
    for (struct rbnode *node = rb_first(&ctx->attaches); node; node = rb_next(node))
        n++;
    return n;
}

/* What T protects of a context.  T held. */
static void describe(struct smemcontext *ctx, struct shm_info *info) REQUIRES(ctable_lock)
{
    info->kind = kind_names[ctx->kind];
    const char *name = NULL;
    for (unsigned i = 0; i < CONTEXT_NAMES_MAX && !name; i++)
        name = context_name(ctx, i);
    str_copy(info->key, name ? name : ctx->key, sizeof info->key);
    info->id = ctx->id;
    info->size_bytes = ctx->size_bytes;
    info->mappings = ctx->mappings;
    info->processes = count_attaches(ctx);
    info->users = ctx->users;
    info->creator_pid = ctx->creator ? ctx->creator->pid : 0;
    info->uid = ctx->uid;
    info->gid = ctx->gid;
    info->mode = ctx->mode;
    info->lock_owner_tid = ctx->lock_owner ? ctx->lock_owner->tid : 0;
    info->lock_waiters = region_lock_waiters(ctx);
    info->closing = ctx->state == SHM_CLOSING;
    info->named = ctx->named;
}

void shm_for_each(void (*fn)(const struct shm_info *info, void *arg), void *arg)
{
    struct smemcontext *ctx = NULL;
    uint64_t last = context_last_id();
    while ((ctx = context_next(ctx, last))) {
        struct shm_info info;
        spin_lock(&ctable_lock);
        bool dead = ctx->state == SHM_DEAD;
        describe(ctx, &info);
        spin_unlock(&ctable_lock);
        info.resident_pages = memstore_resident(&ctx->store);
        info.nfills = __atomic_load_n(&ctx->store.nfills, __ATOMIC_RELAXED);
        if (!dead)
            fn(&info, arg);
    }
}

bool shm_describe_store(const struct memstore *store, const char **kind, const char **key,
                        uint64_t *id)
{
    if (!store_is_context(store))
        return false;
    const struct smemcontext *ctx = container_of(store, const struct smemcontext, store);
    *kind = kind_names[ctx->kind];
    *key = ctx->key;
    *id = ctx->id;
    return true;
}

/* T held. */
static void check_context(struct smemcontext *ctx) REQUIRES(ctable_lock)
{
    unsigned mappings = 0;
    ASSERTF(ref_read(&ctx->store.refs) >= 1 + ctx->mappings + ctx->users,
            "context %s lacks references", ctx->key);
    ASSERT(rb_valid(&ctx->attaches));
    for (struct rbnode *n = rb_first(&ctx->attaches); n; n = rb_next(n)) {
        struct shm_attach *a = rb_entry(n, struct shm_attach, node);
        ASSERT(a->mappings > 0);
        mappings += a->mappings;
    }
    ASSERTF(mappings == ctx->mappings, "context %s: %u mappings attached, %u counted", ctx->key,
            mappings, ctx->mappings);
    ASSERTF(ctx->mappings || ctx->users || context_is_kept(ctx), "context %s outlived its rule",
            ctx->key);
    ASSERT(!ctx->has_key || ctable_find(ctx->kind, ctx->key) == ctx);
    ASSERT(ctx->named == (context_names(ctx) > 0));
    if (ctx->kind == SHM_SYSV)
        shm_sysv_check(ctx);
    ASSERT(ctx->state != SHM_CLOSING || !ctx->named || ctx->mappings > 0);
    if (ctx->lock_owner)
        ASSERTF(attach_find(ctx, ctx->lock_as), "context %s is locked by who has it not mapped",
                ctx->key);
    else
        ASSERTF(list_empty(&ctx->lock_waiters), "context %s is free and has waiters", ctx->key);
}

void shm_check(void)
{
    struct smemcontext *ctx = NULL;
    uint64_t last = context_last_id();
    while ((ctx = context_next(ctx, last))) {
        spin_lock(&ctable_lock);
        if (ctx->state != SHM_DEAD)
            check_context(ctx);
        spin_unlock(&ctable_lock);
    }
}
