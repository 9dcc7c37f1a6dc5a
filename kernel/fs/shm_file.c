/* A context as a file: what shows regions of /dev/shm and memfds to open, read, write, truncate and
 * map (P1, P2); and shared anonymous memory, which is the same without a file.
 *
 * One vnode a context, made when somebody looks and gone with its last user; ctx->file.vnode finds
 * it meanwhile, and is no reference.  Size, rights and times are the context's; the vnode shows
 * them.
 */
#include "shm_file.h"

#include <kernel/fs/file.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define MEMFD_MODE 0777
#define ANON_MODE  0600

/* A region may be larger than an offset in a file can say (R2): this much of it is shown. */
#define SHOWN_BYTES_MAX ALIGN_DOWN((uint64_t)INT64_MAX, PAGE_BYTES)

/* c constant */
struct shm_file {
    struct vnode vnode;
    struct smemcontext *ctx; /* c  one use */
};

static struct kmem_cache file_cache = KMEM_CACHE("shm file", struct shm_file);

static struct shm_file *file_of(struct vnode *v)
{
    return container_of(v, struct shm_file, vnode);
}

struct smemcontext *shm_file_context(struct vnode *v)
{
    return file_of(v)->ctx;
}

static struct memstore *shm_file_store(struct vnode *v)
{
    struct memstore *store = &file_of(v)->ctx->store;
    memstore_get(store);
    return store;
}

/* Zeroes what mappings may have written behind `pos`, the end of the file, in its page.  A page
 * that is absent is zero already. */
static void zero_tail(struct memstore *store, uint64_t pos)
{
    size_t offset = pos % PAGE_BYTES;
    struct page *page = offset ? memstore_page_cached(store, pos / PAGE_BYTES) : NULL;
    if (!page)
        return;
    memset((char *)page_to_ptr(page) + offset, 0, PAGE_BYTES - offset);
    page_unpin(page);
}

/* P2.  vnode->lock held: it serializes.  -EFBIG, -ENOMEM (A7: growth is promised). */
static err_t shm_file_resize(struct vnode *v, uint64_t size_bytes) REQUIRES(v->lock)
{
    struct smemcontext *ctx = file_of(v)->ctx;
    if (size_bytes > FILE_BYTES_MAX)
        return -EFBIG;
    err_t err = context_resize(ctx, size_bytes);
    if (err)
        return err;
    zero_tail(&ctx->store, MIN(v->size_bytes, size_bytes));
    v->size_bytes = size_bytes;
    return 0;
}

/* Gives the context what the vnode is about to get. */
static err_t shm_file_setattr(struct vnode *v, const struct vnode_attr *attr)
{
    struct smemcontext *ctx = file_of(v)->ctx;
    spin_lock(&ctable_lock);
    if (attr->valid & ATTR_MODE)
        ctx->mode = (uint16_t)(attr->mode & 07777);
    if (attr->valid & (ATTR_UID | ATTR_GID))
        ctx->mode &= (uint16_t) ~(S_ISUID | S_ISGID);
    if (attr->valid & ATTR_UID)
        ctx->uid = attr->uid;
    if (attr->valid & ATTR_GID)
        ctx->gid = attr->gid;
    spin_unlock(&ctable_lock);
    return 0;
}

/* T held. */
static void keep_times(struct smemcontext *ctx, const struct vnode *v) REQUIRES(ctable_lock)
{
    ctx->file.atime_ns = v->atime_ns;
    ctx->file.mtime_ns = v->mtime_ns;
    ctx->file.ctime_ns = v->ctime_ns;
}

/* The last user is gone; another may have looked since, and made a new one: that one has the times
 * of this, and perhaps later ones. */
static void shm_file_release(struct vnode *v)
{
    struct smemcontext *ctx = file_of(v)->ctx;
    spin_lock(&ctable_lock);
    if (ctx->file.vnode == v) {
        keep_times(ctx, v);
        ctx->file.vnode = NULL;
    }
    spin_unlock(&ctable_lock);
    kmem_free(&file_cache, file_of(v));
    context_drop(ctx);
}

static const struct vnode_ops shm_file_ops = {
    .store = shm_file_store,
    .resize = shm_file_resize,
    .setattr = shm_file_setattr,
    .release = shm_file_release,
};

/* T held. */
static void show_rights(const struct smemcontext *ctx, struct vnode *v) REQUIRES(ctable_lock)
{
    __atomic_store_n(&v->mode, S_IFREG | ctx->mode, __ATOMIC_RELAXED);
    __atomic_store_n(&v->uid, ctx->uid, __ATOMIC_RELAXED);
    __atomic_store_n(&v->gid, ctx->gid, __ATOMIC_RELAXED);
}

/* A new file becomes the one of its context.  The one before, if there is any, has no user left and
 * waits for T to be released: nobody changes its times any more.  T held. */
static void show_context(struct shm_file *file, struct smemcontext *ctx) REQUIRES(ctable_lock)
{
    struct vnode *v = &file->vnode;
    file->ctx = ctx;
    v->ino = ctx->id;
    v->nlink = context_names(ctx);
    v->size_bytes = MIN(ctx->size_bytes, SHOWN_BYTES_MAX);
    show_rights(ctx, v);
    if (ctx->file.vnode)
        keep_times(ctx, ctx->file.vnode);
    if (ctx->file.ctime_ns) {
        v->atime_ns = ctx->file.atime_ns;
        v->mtime_ns = ctx->file.mtime_ns;
        v->ctime_ns = ctx->file.ctime_ns;
    }
    ctx->file.vnode = v;
}

void shm_file_mode_changed(struct smemcontext *ctx)
{
    if (ctx->file.vnode)
        show_rights(ctx, ctx->file.vnode);
}

/* Its links are the region's names, which the native calls take away as well: no tree lock. */
void shm_file_names_changed(struct smemcontext *ctx)
{
    if (context_has_file(ctx) && ctx->file.vnode)
        __atomic_store_n(&ctx->file.vnode->nlink, context_names(ctx), __ATOMIC_RELAXED);
}

struct shm_file *shm_file_alloc(void)
{
    static const struct vnode_new how = {.mode = S_IFREG};
    struct shm_file *file = kmem_alloc(&file_cache);
    if (file)
        vnode_init(&file->vnode, &shm_file_ops, VNODE_DEV_SHM, 0, &how);
    return file;
}

void shm_file_free(struct shm_file *file)
{
    kmem_free(&file_cache, file);
}

struct vnode *shm_file_show(struct smemcontext *ctx, struct shm_file *spare)
{
    spin_lock(&ctable_lock);
    struct vnode *v = ctx->file.vnode;
    bool there = v && ref_get_unless_zero(&v->refs);
    if (there) {
        show_rights(ctx, v); /* a chmod of the file may have raced with one of the region */
    } else {
        show_context(spare, ctx);
        v = &spare->vnode;
    }
    spin_unlock(&ctable_lock);
    if (there) {
        shm_file_free(spare);
        context_drop(ctx);
    }
    return v;
}

err_t shm_memfd_create(const struct shm_caller *who, struct file **out)
{
    struct shm_spec spec = {.kind = SHM_MEMFD, .mode = MEMFD_MODE};
    struct smemcontext *ctx;
    struct shm_file *file = shm_file_alloc();
    if (!file)
        return -ENOMEM;
    err_t err = context_create(who, &spec, &ctx);
    if (err) {
        shm_file_free(file);
        return err;
    }
    struct vnode *v = shm_file_show(ctx, file);
    err = vnode_open(v, O_RDWR, out);
    vnode_put(v);
    return err;
}

err_t shm_anon_create(const struct shm_caller *who, size_t size_bytes, bool reserve,
                      struct memstore **out)
{
    struct shm_spec spec = {
        .kind = SHM_ANON,
        .size_bytes = size_bytes,
        .flags = reserve ? 0 : RS_NORESERVE,
        .mode = ANON_MODE,
    };
    struct smemcontext *ctx;
    err_t err = context_create(who, &spec, &ctx);
    if (!err)
        *out = &ctx->store;
    return err;
}

void shm_anon_done(struct memstore *store)
{
    context_drop(context_of(store));
}
