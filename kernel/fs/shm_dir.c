/* /dev/shm: the named regions of the table as a directory (P1).  It holds nothing itself: each walk
 * asks the table, and a file's cookie is its context's id. */
#include "shm_file.h"

#include <kernel/fs/ramfs.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define SHM_DIR_INO  ((uint64_t)INT64_MAX) /* files have their contexts' ids */
#define SHM_DIR_MODE 01777

static struct kmem_cache dir_cache = KMEM_CACHE("shm directory", struct vnode);

/* The active region of this name, with a use.  T not held. */
static struct smemcontext *hold_active(const char *name)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    if (ctx && ctx->state != SHM_ACTIVE)
        ctx = NULL;
    if (ctx)
        context_hold_locked(ctx);
    spin_unlock(&ctable_lock);
    return ctx;
}

/* A region that is being destroyed is not found, though its name is taken (R5). */
static err_t shm_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    if (strlen(name) > RS_NAME_MAX)
        return -ENAMETOOLONG;
    struct smemcontext *ctx = hold_active(name);
    if (!ctx)
        return -ENOENT;
    struct shm_file *spare = shm_file_alloc();
    if (!spare) {
        context_drop(ctx);
        return -ENOMEM;
    }
    *out = shm_file_show(ctx, spare);
    return 0;
}

/* A file made here is a persistent region of no size yet, whose growth is promised. */
static err_t shm_dir_create(struct vnode *dir, const char *name, const struct vnode_new *how,
                            struct vnode **out)
{
    if (!S_ISREG(how->mode))
        return -EPERM;
    struct cred owner = {.euid = how->uid, .egid = how->gid};
    struct shm_caller who = {.cred = &owner};
    struct shm_spec spec = {
        .kind = SHM_NAMED,
        .key = name,
        .flags = RS_PERSIST,
        .mode = how->mode,
    };
    struct smemcontext *ctx;
    struct shm_file *file = shm_file_alloc();
    if (!file)
        return -ENOMEM;
    err_t err = context_create(&who, &spec, &ctx);
    if (err) {
        shm_file_free(file);
        return err;
    }
    *out = shm_file_show(ctx, file);
    vnode_modified(dir);
    return 0;
}

/* RS_UNLINK.  The sticky directory has let nobody through but the owner and root. */
static err_t shm_unlink(struct vnode *dir, const char *name, struct vnode *child)
{
    struct smemcontext *ctx = shm_file_context(child);
    spin_lock(&ctable_lock);
    /* The native calls need no tree lock: the name may have gone, and be another region's. */
    bool found = ctable_find(SHM_NAMED, name) == ctx && ctx->state == SHM_ACTIVE;
    if (found)
        (void)context_unlink(ctx, name); /* not over: the file uses it */
    spin_unlock(&ctable_lock);
    if (!found)
        return -ENOENT;
    vnode_changed(child);
    vnode_modified(dir);
    return 0;
}

/* One more name for a region.  sem_open(3) makes a semaphore under a name of its own and links it
 * to the name it was asked for. */
static err_t shm_link(struct vnode *dir, const char *name, struct vnode *target)
{
    if (strlen(name) > RS_NAME_MAX)
        return -ENAMETOOLONG;
    err_t err = context_link(shm_file_context(target), name);
    if (err)
        return err;
    vnode_changed(target);
    vnode_modified(dir);
    return 0;
}

/* The name in place `i` of a context that is a file of the directory. */
static bool entry_name(struct smemcontext *ctx, unsigned i, char name[RS_NAME_MAX + 1])
{
    spin_lock(&ctable_lock);
    bool shown = ctx->kind == SHM_NAMED && ctx->state == SHM_ACTIVE;
    const char *s = shown ? context_name(ctx, i) : NULL;
    if (s)
        str_copy(name, s, RS_NAME_MAX + 1);
    spin_unlock(&ctable_lock);
    return s != NULL;
}

static err_t shm_readdir(struct vnode *dir, uint64_t cookie, struct dir_sink *sink)
{
    uint64_t first = cookie - DIR_COOKIE_FIRST;
    uint64_t last = context_last_id();
    struct smemcontext *ctx = NULL;
    char name[RS_NAME_MAX + 1];
    while ((ctx = context_next(ctx, last))) {
        uint64_t at = ctx->id * CONTEXT_NAMES_MAX; /* a cookie for each place of a name */
        unsigned i = first > at ? (unsigned)MIN(first - at, (uint64_t)CONTEXT_NAMES_MAX) : 0;
        for (; i < CONTEXT_NAMES_MAX; i++) {
            if (entry_name(ctx, i, name) &&
                !sink->emit(sink, name, ctx->id, S_IFREG, DIR_COOKIE_FIRST + at + i + 1)) {
                memstore_put(&ctx->store);
                return 0;
            }
        }
    }
    return 0;
}

static uint64_t shm_readdir_end(struct vnode *dir)
{
    return DIR_COOKIE_FIRST + (context_last_id() + 1) * CONTEXT_NAMES_MAX;
}

static void shm_dir_release(struct vnode *v)
{
    kmem_free(&dir_cache, v);
}

static const struct vnode_ops shm_dir_ops = {
    .lookup = shm_lookup,
    .create = shm_dir_create,
    .link = shm_link,
    .unlink = shm_unlink,
    .readdir = shm_readdir,
    .readdir_end = shm_readdir_end,
    .release = shm_dir_release,
};

err_t shm_file_init(struct vnode *dev)
{
    static const struct vnode_new how = {.mode = S_IFDIR | SHM_DIR_MODE};
    struct vnode *dir = kmem_alloc(&dir_cache);
    if (!dir)
        return -ENOMEM;
    vnode_init(dir, &shm_dir_ops, VNODE_DEV_SHM, SHM_DIR_INO, &how);
    dir->nlink = 2;
    err_t err = ramfs_attach(dev, "shm", dir);
    vnode_put(dir);
    return err;
}
