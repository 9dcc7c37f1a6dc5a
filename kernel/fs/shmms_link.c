/* More names for a named region: hard links in /dev/shm, which sem_open(3) of C libraries makes.
 * A region has up to CONTEXT_NAMES_MAX names, each in a place: the one it was made with in place 0.
 * It can be found while it has any. */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

/* All fields: T. */
struct shm_link {
    struct rbnode node;   /* of `links`, by (hash, key) */
    struct list ctx_node; /* of ctx->file.links */
    uint64_t hash;
    struct smemcontext *ctx;
    unsigned place; /* below CONTEXT_NAMES_MAX; 0 only once the region has lost its own name */
    char key[RS_NAME_MAX + 1];
};

static struct kmem_cache link_cache = KMEM_CACHE("shm_link", struct shm_link);
static struct rbtree links GUARDED_BY(ctable_lock); /* T */

static int compare(uint64_t hash, const char *key, const struct rbnode *node)
{
    const struct shm_link *l = rb_entry(node, const struct shm_link, node);
    if (hash != l->hash)
        return hash < l->hash ? -1 : 1;
    return strcmp(key, l->key);
}

struct smemcontext *link_find(uint64_t hash, const char *key)
{
    struct rbnode *node = links.root;
    while (node) {
        int order = compare(hash, key, node);
        if (order == 0)
            return rb_entry(node, struct shm_link, node)->ctx;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

static void insert(struct shm_link *l)
{
    struct rbnode *parent = NULL, **link = &links.root;
    while (*link) {
        parent = *link;
        link = compare(l->hash, l->key, parent) < 0 ? &parent->left : &parent->right;
    }
    rb_insert(&links, &l->node, parent, link);
}

static void remove(struct shm_link *l)
{
    rb_remove(&links, &l->node);
    list_remove(&l->ctx_node);
    kmem_free(&link_cache, l);
}

unsigned context_names(const struct smemcontext *ctx)
{
    unsigned n = ctx->has_key;
    if (!context_has_file(ctx))
        return n;
    list_for_each (node, &ctx->file.links)
        n++;
    return n;
}

const char *context_name(const struct smemcontext *ctx, unsigned i)
{
    if (i == 0 && ctx->has_key)
        return ctx->key;
    if (!context_has_file(ctx))
        return NULL;
    list_for_each (node, &ctx->file.links) {
        const struct shm_link *l = list_entry(node, struct shm_link, ctx_node);
        if (l->place == i)
            return l->key;
    }
    return NULL;
}

/* T held. */
static err_t enter_link(struct smemcontext *ctx, struct shm_link *l) REQUIRES(ctable_lock)
{
    if (ctable_find(SHM_NAMED, l->key))
        return -EEXIST;
    if (!ctx->named || ctx->state != SHM_ACTIVE)
        return -ENOENT;
    l->place = 0;
    while (l->place < CONTEXT_NAMES_MAX && context_name(ctx, l->place))
        l->place++;
    if (l->place == CONTEXT_NAMES_MAX)
        return -EMLINK;
    l->ctx = ctx;
    list_push_back(&ctx->file.links, &l->ctx_node);
    insert(l);
    shm_file_names_changed(ctx);
    ctable_created();
    return 0;
}

err_t context_link(struct smemcontext *ctx, const char *key)
{
    struct shm_link *l = kmem_alloc(&link_cache);
    if (!l)
        return -ENOMEM;
    str_copy(l->key, key, sizeof l->key);
    l->hash = ctable_hash(SHM_NAMED, key);
    spin_lock(&ctable_lock);
    err_t err = enter_link(ctx, l);
    spin_unlock(&ctable_lock);
    if (err)
        kmem_free(&link_cache, l);
    return err;
}

bool links_remove(struct smemcontext *ctx, const char *key)
{
    if (!context_has_file(ctx))
        return false;
    list_for_each_safe (node, &ctx->file.links) {
        struct shm_link *l = list_entry(node, struct shm_link, ctx_node);
        if (key && strcmp(l->key, key))
            continue;
        remove(l);
        if (key)
            return true;
    }
    return false;
}
