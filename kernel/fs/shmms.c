/* The table of contexts: names, lifetime, create and destroy (regions.md R1 to R5). */
#include "shmms.h"

#include <kernel/base/audit.h>
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>
#include <lib/hash.h>
#include <lib/string.h>

struct spinlock ctable_lock = SPINLOCK_INIT("ctable", RANK_CTABLE);

/* T  A tree by hash of the key: its depth does not depend on how alike the keys are, its growth
 * needs no memory, and its worst case is still logarithmic. */
static struct rbtree ctable;
static size_t ncontexts; /* T */
static uint64_t last_id; /* T */

static struct kmem_cache context_cache = KMEM_CACHE("smemcontext", struct smemcontext);

static uint64_t key_hash(enum shm_kind kind, const char *key)
{
    return hash_bytes(HASH_SEED + kind, key, strlen(key));
}

static int compare(uint64_t hash, enum shm_kind kind, const char *key,
                   const struct smemcontext *ctx)
{
    if (hash != ctx->hash)
        return hash < ctx->hash ? -1 : 1;
    if (kind != ctx->kind)
        return kind < ctx->kind ? -1 : 1;
    return strcmp(key, ctx->key);
}

struct smemcontext *ctable_find(enum shm_kind kind, const char *key)
{
    uint64_t hash = key_hash(kind, key);
    struct rbnode *node = ctable.root;
    while (node) {
        struct smemcontext *ctx = rb_entry(node, struct smemcontext, node);
        int order = compare(hash, kind, key, ctx);
        if (order == 0)
            return ctx;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

struct smemcontext *ctable_first(void)
{
    struct rbnode *node = rb_first(&ctable);
    return node ? rb_entry(node, struct smemcontext, node) : NULL;
}

struct smemcontext *ctable_after(uint64_t hash, enum shm_kind kind, const char *key)
{
    struct smemcontext *best = NULL;
    struct rbnode *node = ctable.root;
    while (node) {
        struct smemcontext *ctx = rb_entry(node, struct smemcontext, node);
        bool after = compare(hash, kind, key, ctx) < 0;
        if (after)
            best = ctx;
        node = after ? node->left : node->right;
    }
    return best;
}

/* False when the key is taken.  T held. */
static bool ctable_insert(struct smemcontext *ctx)
{
    struct rbnode *parent = NULL, **link = &ctable.root;
    while (*link) {
        parent = *link;
        int order =
            compare(ctx->hash, ctx->kind, ctx->key, rb_entry(parent, struct smemcontext, node));
        if (order == 0)
            return false;
        link = order < 0 ? &parent->left : &parent->right;
    }
    rb_insert(&ctable, &ctx->node, parent, link);
    ctx->id = ++last_id;
    ncontexts++;
    return true;
}

void ctable_retire(struct smemcontext *ctx)
{
    ASSERT(ctx->state != SHM_DEAD && ctx->mappings == 0);
    rb_remove(&ctable, &ctx->node);
    ncontexts--;
    ctx->state = SHM_DEAD;
    ctx->creator = NULL;
    list_remove(&ctx->creator_node);
    waitq_wake_all(&ctx->dead_wait);
}

bool ctable_is_over(const struct smemcontext *ctx)
{
    if (ctx->mappings > 0 || ctx->state == SHM_DEAD)
        return false;
    return ctx->state == SHM_CLOSING || (!(ctx->flags & RS_PERSIST) && !ctx->creator);
}

void shm_process_init(struct shm_process *p, uint32_t pid)
{
    list_init(&p->created);
    p->pid = pid;
}

err_t shm_name_check(const char *name, size_t length)
{
    if (length == 0 || length > RS_NAME_MAX || memchr(name, '/', length))
        return -EINVAL;
    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return -EINVAL;
    return 0;
}

static void context_free(struct smemcontext *ctx)
{
    kmem_free_bytes(ctx->key, ctx->key_bytes);
    kmem_free(&context_cache, ctx);
}

/* The last reference to the store is gone. */
static void context_release(struct memstore *store)
{
    struct smemcontext *ctx = container_of(store, struct smemcontext, store);
    ASSERT(ctx->mappings == 0 && !ctx->lock_owner && list_empty(&ctx->lock_waiters));
    context_free(ctx);
}

static const struct memstore_ops shm_store_ops = {
    .name = "shm",
    .fill = memstore_fill_zero,
    .mapped = shm_store_mapped,
    .unmapped = shm_store_unmapped,
    .release = context_release,
};

static struct smemcontext *context_new(enum shm_kind kind, const char *key, size_t size_bytes,
                                       unsigned flags)
{
    struct smemcontext *ctx = kmem_alloc(&context_cache);
    if (!ctx)
        return NULL;
    ctx->key_bytes = strlen(key) + 1;
    ctx->key = kmem_alloc_bytes(ctx->key_bytes);
    if (!ctx->key) {
        kmem_free(&context_cache, ctx);
        return NULL;
    }
    memcpy(ctx->key, key, ctx->key_bytes);
    memstore_init(&ctx->store, &shm_store_ops, size_bytes >> PAGE_SHIFT);
    ctx->hash = key_hash(kind, key);
    ctx->kind = kind;
    ctx->size_bytes = size_bytes;
    ctx->flags = flags;
    list_init(&ctx->creator_node);
    list_init(&ctx->held_node);
    list_init(&ctx->lock_waiters);
    waitq_init(&ctx->dead_wait);
    return ctx;
}

err_t shm_create(const struct shm_caller *who, const char *name, size_t size_bytes, unsigned flags)
{
    if (size_bytes == 0 || ALIGN_UP_OVERFLOWS(size_bytes, PAGE_BYTES) || (flags & ~RS_PERSIST))
        return -EINVAL;
    struct smemcontext *ctx = context_new(SHM_NAMED, name, ALIGN_UP(size_bytes, PAGE_BYTES), flags);
    if (!ctx)
        return -ENOMEM;
    if (memstore_promise(&ctx->store)) { /* A7 */
        context_free(ctx);
        return -ENOMEM;
    }
    spin_lock(&ctable_lock);
    bool inserted = ctable_insert(ctx);
    if (inserted) {
        ctx->creator = who->process;
        list_push_back(&who->process->created, &ctx->creator_node);
    }
    spin_unlock(&ctable_lock);
    if (!inserted) {
        pmem_unpromise(ctx->store.promised);
        context_free(ctx);
    }
    return inserted ? 0 : -EEXIST;
}

/* Waits for a closing context to go.  T held on entry, not on return; `ctx` is kept by a reference
 * of the caller's. */
static err_t wait_until_dead(struct smemcontext *ctx)
{
    err_t err = 0;
    while (ctx->state != SHM_DEAD && !err)
        err = waitq_sleep(&ctx->dead_wait, &ctable_lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
    if (ctx->state == SHM_DEAD)
        err = 0;
    spin_unlock(&ctable_lock);
    return err;
}

err_t shm_destroy(const struct shm_caller *who, const char *name)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    err_t err = 0;
    if (!ctx || ctx->state == SHM_CLOSING)
        err = -ENOENT;
    else if (attach_find(ctx, who->as))
        err = -EINVAL;
    if (err) {
        spin_unlock(&ctable_lock);
        return err;
    }
    if (ctx->mappings == 0) {
        ctable_retire(ctx);
        spin_unlock(&ctable_lock);
    } else {
        ctx->state = SHM_CLOSING;
        memstore_get(&ctx->store);
        err = wait_until_dead(ctx);
    }
    memstore_put(&ctx->store);
    return err;
}

void shm_process_exit(struct shm_process *p)
{
    struct list over = LIST_INIT(over);
    struct list *node;
    spin_lock(&ctable_lock);
    while ((node = list_pop_front(&p->created))) {
        struct smemcontext *ctx = list_entry(node, struct smemcontext, creator_node);
        ctx->creator = NULL;
        if (ctable_is_over(ctx)) {
            ctable_retire(ctx);
            list_push_back(&over, &ctx->creator_node);
        }
    }
    spin_unlock(&ctable_lock);
    while ((node = list_pop_front(&over)))
        memstore_put(&list_entry(node, struct smemcontext, creator_node)->store);
}

void shm_shutdown(void)
{
    for (;;) {
        spin_lock(&ctable_lock);
        struct smemcontext *ctx = ctable_first();
        if (ctx)
            ctable_retire(ctx);
        spin_unlock(&ctable_lock);
        if (!ctx)
            return;
        memstore_put(&ctx->store);
    }
}

size_t shm_count(void)
{
    spin_lock(&ctable_lock);
    size_t n = ncontexts;
    spin_unlock(&ctable_lock);
    return n;
}

void shm_audit(struct audit *audit)
{
    audit_add(audit, "contexts", shm_count());
}
