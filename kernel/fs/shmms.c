/* The table of contexts: keys, ids, and how long a context lives (A1, A3, A8).
 *
 * Model: tests/spin/names.pml
 */
#include "shmms.h"

#include <kernel/base/audit.h>
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>
#include <lib/hash.h>
#include <lib/string.h>

struct spinlock ctable_lock = SPINLOCK_INIT("ctable", RANK_CTABLE);

/* T  Named contexts, ordered by hash of kind and key: the depth does not depend on how alike keys
 * are, growth needs no memory, and the worst case is still logarithmic. */
static struct rbtree by_key GUARDED_BY(ctable_lock);
static struct rbtree by_id GUARDED_BY(ctable_lock);       /* T  all that are not dead */
static size_t ncontexts GUARDED_BY(ctable_lock);          /* T */
static unsigned nkind[SHM_KINDS] GUARDED_BY(ctable_lock); /* T */
static uint64_t last_id GUARDED_BY(ctable_lock);          /* T */
static struct waitq created_wait GUARDED_BY(ctable_lock) = {
    LIST_INIT(created_wait.waiters)}; /* T */

static struct kmem_cache context_cache = KMEM_CACHE("smemcontext", struct smemcontext);
_Static_assert(
    KERNEL_DEBUG || sizeof(struct smemcontext) <= 448,
    "nine in a slab: with its name, a region nobody has touched takes less than 512 bytes");

uint64_t ctable_hash(enum shm_kind kind, const char *key)
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
    uint64_t hash = ctable_hash(kind, key);
    struct rbnode *node = by_key.root;
    while (node) {
        struct smemcontext *ctx = rb_entry(node, struct smemcontext, key_node);
        int order = compare(hash, kind, key, ctx);
        if (order == 0)
            return ctx;
        node = order < 0 ? node->left : node->right;
    }
    return kind == SHM_NAMED ? link_find(hash, key) : NULL;
}

/* The key is free.  T held. */
static void insert_key(struct smemcontext *ctx) REQUIRES(ctable_lock)
{
    struct rbnode *parent = NULL, **link = &by_key.root;
    while (*link) {
        parent = *link;
        int order =
            compare(ctx->hash, ctx->kind, ctx->key, rb_entry(parent, struct smemcontext, key_node));
        ASSERT(order != 0);
        link = order < 0 ? &parent->left : &parent->right;
    }
    rb_insert(&by_key, &ctx->key_node, parent, link);
    ctx->named = ctx->has_key = true;
}

/* Ids grow: the new one is the last.  T held. */
static void insert_id(struct smemcontext *ctx) REQUIRES(ctable_lock)
{
    struct rbnode *last = rb_last(&by_id);
    ctx->id = ++last_id;
    rb_insert(&by_id, &ctx->id_node, last, last ? &last->right : &by_id.root);
    ncontexts++;
    nkind[ctx->kind]++;
}

unsigned ctable_count_kind(enum shm_kind kind)
{
    return nkind[kind];
}

err_t ctable_wait_created(uint64_t deadline_ns)
{
    return waitq_sleep(&created_wait, &ctable_lock, SLEEP_INTERRUPTIBLE, deadline_ns);
}

void ctable_created(void)
{
    waitq_wake_all(&created_wait);
}

static void context_free(struct smemcontext *ctx)
{
    kmem_free_bytes(ctx->key, ctx->key_bytes);
    kmem_free(&context_cache, ctx);
}

/* The last reference to the store is gone.  Not analysed: nobody else knows the context any more,
 * as nobody does yet in context_new. */
static void context_release(struct memstore *store) NO_THREAD_SAFETY_ANALYSIS
{
    struct smemcontext *ctx = context_of(store);
    ASSERT(ctx->mappings == 0 && ctx->users == 0 && !ctx->lock_owner &&
           list_empty(&ctx->lock_waiters));
    context_free(ctx);
}

static const struct memstore_ops shm_store_ops = {
    .name = "shm",
    .fill = memstore_fill_zero,
    .mapped = shm_store_mapped,
    .unmapped = shm_store_unmapped,
    .release = context_release,
};

bool store_is_context(const struct memstore *store)
{
    return store->ops == &shm_store_ops;
}

static struct smemcontext *context_new(const struct shm_caller *who,
                                       const struct shm_spec *spec) NO_THREAD_SAFETY_ANALYSIS
{
    struct smemcontext *ctx = kmem_alloc(&context_cache);
    if (!ctx)
        return NULL;
    const char *key = spec->key ? spec->key : "";
    ctx->key_bytes = (uint16_t)(strlen(key) + 1);
    ctx->key = kmem_alloc_bytes(ctx->key_bytes);
    if (!ctx->key) {
        kmem_free(&context_cache, ctx);
        return NULL;
    }
    memcpy(ctx->key, key, ctx->key_bytes);
    memstore_init(&ctx->store, &shm_store_ops,
                  ALIGN_UP(spec->size_bytes, PAGE_BYTES) >> PAGE_SHIFT);
    ctx->hash = ctable_hash(spec->kind, key);
    ctx->kind = (uint8_t)spec->kind;
    ctx->size_bytes = spec->size_bytes;
    ctx->flags = (uint8_t)spec->flags;
    ctx->mode = (uint16_t)(spec->mode & 07777);
    ctx->uid = who->cred->euid;
    ctx->gid = who->cred->egid;
    ctx->users = 1;
    if (context_has_file(ctx))
        list_init(&ctx->file.links);
    list_init(&ctx->creator_node);
    list_init(&ctx->held_node);
    list_init(&ctx->lock_waiters);
    waitq_init(&ctx->unnamed_wait);
    return ctx;
}

/* Charges and enters a new context.  T held. */
static err_t enter(struct smemcontext *ctx, const struct shm_caller *who,
                   const struct shm_spec *spec) REQUIRES(ctable_lock)
{
    if (spec->key && ctable_find(spec->kind, spec->key))
        return -EEXIST;
    err_t err = account_charge(ctx->uid, ctx->store.npages, &ctx->account);
    if (err)
        return err;
    if (spec->key)
        insert_key(ctx);
    insert_id(ctx);
    if (spec->lives_with_creator) {
        ctx->creator = who->process;
        list_push_back(&who->process->created, &ctx->creator_node);
    }
    memstore_get(&ctx->store); /* the first user's; the one from memstore_init is the table's */
    ctable_created();
    return 0;
}

static bool key_is_taken(const struct shm_spec *spec)
{
    spin_lock(&ctable_lock);
    bool taken = spec->key && ctable_find(spec->kind, spec->key);
    spin_unlock(&ctable_lock);
    return taken;
}

err_t context_create(const struct shm_caller *who, const struct shm_spec *spec,
                     struct smemcontext **out)
{
    if (ALIGN_UP_OVERFLOWS(spec->size_bytes, PAGE_BYTES))
        return -ENOMEM;
    if (key_is_taken(spec)) /* before memory is promised, which others would miss for a moment */
        return -EEXIST;
    struct smemcontext *ctx = context_new(who, spec);
    if (!ctx)
        return -ENOMEM;
    err_t err = spec->flags & RS_NORESERVE ? 0 : memstore_promise(&ctx->store); /* A7 */
    if (!err) {
        spin_lock(&ctable_lock);
        err = enter(ctx, who, spec);
        spin_unlock(&ctable_lock);
        if (err)
            memstore_unpromise(&ctx->store);
    }
    if (err)
        context_free(ctx);
    else
        *out = ctx;
    return err;
}

bool context_is_kept(const struct smemcontext *ctx)
{
    return ctx->named && ctx->state == SHM_ACTIVE && ((ctx->flags & RS_PERSIST) || ctx->creator);
}

/* Takes one name away (NULL: every name), and tells who cares when it was the last.  T held. */
static void remove_key(struct smemcontext *ctx, const char *key) REQUIRES(ctable_lock)
{
    if (!ctx->named)
        return;
    if (ctx->has_key && (!key || !strcmp(key, ctx->key))) {
        rb_remove(&by_key, &ctx->key_node);
        ctx->has_key = false;
    } else {
        links_remove(ctx, key);
    }
    if (!key)
        links_remove(ctx, NULL);
    ctx->named = context_names(ctx) > 0;
    shm_file_names_changed(ctx);
    if (ctx->named)
        return;
    waitq_wake_all(&ctx->unnamed_wait);
    region_lock_closed(ctx);
}

bool context_check_over(struct smemcontext *ctx)
{
    if (ctx->state == SHM_CLOSING && ctx->mappings == 0)
        remove_key(ctx, NULL); /* R5: gone for whoever waits, though a file may still be open */
    if (ctx->state == SHM_DEAD || ctx->mappings || ctx->users || context_is_kept(ctx))
        return false;
    remove_key(ctx, NULL);
    rb_remove(&by_id, &ctx->id_node);
    ncontexts--;
    nkind[ctx->kind]--;
    if (ctx->kind == SHM_SYSV)
        shm_sysv_over(ctx);
    ctx->state = SHM_DEAD;
    ctx->creator = NULL;
    list_remove(&ctx->creator_node);
    account_release(ctx->account, ctx->store.npages);
    return true;
}

void context_bury(struct smemcontext *ctx)
{
    memstore_put(&ctx->store);
}

bool context_unname(struct smemcontext *ctx)
{
    remove_key(ctx, NULL);
    return context_check_over(ctx);
}

bool context_unlink(struct smemcontext *ctx, const char *key)
{
    remove_key(ctx, key);
    return context_check_over(ctx);
}

void context_hold_locked(struct smemcontext *ctx)
{
    ASSERT(ctx->state != SHM_DEAD);
    ctx->users++;
    memstore_get(&ctx->store);
}

struct smemcontext *context_hold(enum shm_kind kind, const char *key)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(kind, key);
    if (ctx)
        context_hold_locked(ctx);
    spin_unlock(&ctable_lock);
    return ctx;
}

void context_drop(struct smemcontext *ctx)
{
    spin_lock(&ctable_lock);
    ASSERT(ctx->users > 0);
    ctx->users--;
    bool over = context_check_over(ctx);
    spin_unlock(&ctable_lock);
    if (over)
        context_bury(ctx);
    memstore_put(&ctx->store);
}

/* The first context whose id is greater than `id`.  T held. */
static struct smemcontext *first_after(uint64_t id) REQUIRES(ctable_lock)
{
    struct smemcontext *best = NULL;
    struct rbnode *node = by_id.root;
    while (node) {
        struct smemcontext *ctx = rb_entry(node, struct smemcontext, id_node);
        if (ctx->id > id)
            best = ctx;
        node = ctx->id > id ? node->left : node->right;
    }
    return best;
}

struct smemcontext *ctable_find_id(uint64_t id)
{
    struct smemcontext *ctx = first_after(id - 1);
    return ctx && ctx->id == id ? ctx : NULL;
}

uint64_t context_last_id(void)
{
    spin_lock(&ctable_lock);
    uint64_t id = last_id;
    spin_unlock(&ctable_lock);
    return id;
}

struct smemcontext *context_next(struct smemcontext *ctx, uint64_t last)
{
    spin_lock(&ctable_lock);
    struct smemcontext *next = first_after(ctx ? ctx->id : 0);
    if (next && next->id > last)
        next = NULL;
    if (next)
        memstore_get(&next->store);
    spin_unlock(&ctable_lock);
    if (ctx)
        memstore_put(&ctx->store);
    return next;
}

bool context_may(const struct smemcontext *ctx, const struct cred *cred, unsigned want)
{
    return cred_may(cred, ctx->uid, ctx->gid, ctx->mode, want);
}

bool context_may_control(const struct smemcontext *ctx, const struct cred *cred)
{
    return cred->euid == 0 || cred->euid == ctx->uid;
}

err_t context_resize(struct smemcontext *ctx, size_t size_bytes)
{
    if (ALIGN_UP_OVERFLOWS(size_bytes, PAGE_BYTES))
        return -EFBIG;
    size_t old_pages = ctx->store.npages,
           new_pages = ALIGN_UP(size_bytes, PAGE_BYTES) >> PAGE_SHIFT;
    spin_lock(&ctable_lock);
    err_t err = account_resize(ctx->account, old_pages, new_pages);
    spin_unlock(&ctable_lock);
    if (err)
        return err;
    err = memstore_resize(&ctx->store, new_pages);
    spin_lock(&ctable_lock);
    if (err)
        account_resize(ctx->account, new_pages,
                       old_pages); /* back to what was allowed: cannot fail */
    else
        ctx->size_bytes = size_bytes;
    spin_unlock(&ctable_lock);
    return err;
}

void shm_process_init(struct shm_process *p, uint32_t pid)
{
    list_init(&p->created);
    p->pid = pid;
}

/* The creator of the first few goes; what is over then goes to `over`.  True: there are more.  T
 * held. */
static bool leave_created(struct shm_process *p, struct list *over) REQUIRES(ctable_lock)
{
    struct list *node;
    for (unsigned i = 0; i < SHM_EXIT_PIECE && (node = list_pop_front(&p->created)); i++) {
        struct smemcontext *ctx = list_entry(node, struct smemcontext, creator_node);
        ctx->creator = NULL;
        if (context_check_over(ctx))
            list_push_back(over, &ctx->creator_node);
    }
    return !list_empty(&p->created);
}

/* No thread is left that could create more. */
void shm_process_exit(struct shm_process *p)
{
    bool more = true;
    while (more) {
        struct list over = LIST_INIT(over);
        struct list *node;
        spin_lock(&ctable_lock);
        more = leave_created(p, &over);
        spin_unlock(&ctable_lock);
        while ((node = list_pop_front(&over)))
            context_bury(list_entry(node, struct smemcontext, creator_node));
    }
    shm_kin_exit(p);
}

void shm_shutdown(void)
{
    struct smemcontext *ctx = NULL;
    shm_sysv_shutdown();
    while ((ctx = context_next(ctx, UINT64_MAX))) {
        spin_lock(&ctable_lock);
        bool over = context_unname(ctx);
        spin_unlock(&ctable_lock);
        if (over)
            context_bury(ctx);
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
