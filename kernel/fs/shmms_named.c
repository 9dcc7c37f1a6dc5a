/* Named regions: the native calls but for the lock (R1 to R8, A9).
 *
 * Model: tests/spin/names.pml
 */
#include "shmms.h"

#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/vnode.h>
#include <lib/string.h>

#define DEFAULT_MODE 0600

err_t shm_name_check(const char *name, size_t length)
{
    if (length == 0 || length > RS_NAME_MAX || memchr(name, '/', length))
        return -EINVAL;
    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return -EINVAL;
    return 0;
}

err_t shm_create(const struct shm_caller *who, const char *name, size_t size_bytes, unsigned flags)
{
    if (size_bytes == 0 || ALIGN_UP_OVERFLOWS(size_bytes, PAGE_BYTES) ||
        (flags & ~(RS_PERSIST | RS_NORESERVE)))
        return -EINVAL;
    struct shm_spec spec = {
        .kind = SHM_NAMED,
        .key = name,
        .size_bytes = ALIGN_UP(size_bytes, PAGE_BYTES),
        .flags = flags,
        .mode = DEFAULT_MODE,
        .lives_with_creator = !(flags & RS_PERSIST),
    };
    struct smemcontext *ctx;
    err_t err = context_create(who, &spec, &ctx);
    if (!err)
        context_drop(ctx);
    return err;
}

/* Waits for a closing region to lose its name.  T held on entry, not on return; the caller holds a
 * use. */
static err_t wait_until_unnamed(struct smemcontext *ctx, uint64_t deadline_ns) RELEASE(ctable_lock)
{
    err_t err = 0;
    while (ctx->named && !err)
        err = waitq_sleep(&ctx->unnamed_wait, &ctable_lock, SLEEP_INTERRUPTIBLE, deadline_ns);
    if (!ctx->named)
        err = 0;
    spin_unlock(&ctable_lock);
    return err;
}

/* May this destroy begin?  T held. */
static err_t check_destroy(const struct smemcontext *ctx, const struct shm_caller *who,
                           unsigned how) REQUIRES(ctable_lock)
{
    if (!ctx || ctx->state == SHM_CLOSING)
        return -ENOENT;
    if (!context_may_control(ctx, who->cred))
        return -EACCES;
    if (how != RS_UNLINK && attach_find((struct smemcontext *)ctx, who->as))
        return -EINVAL;
    if (how == RS_NOWAIT && ctx->mappings > 0)
        return -EBUSY;
    return 0;
}

err_t shm_destroy(const struct shm_caller *who, const char *name, unsigned how,
                  uint64_t deadline_ns)
{
    if (how > RS_UNLINK)
        return -EINVAL;
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    err_t err = check_destroy(ctx, who, how);
    if (err) {
        spin_unlock(&ctable_lock);
        return err;
    }
    context_hold_locked(ctx);
    if (how == RS_UNLINK || ctx->mappings == 0) {
        (void)(how == RS_UNLINK ? context_unlink(ctx, name)
                                : context_unname(ctx)); /* not over: we use it */
        spin_unlock(&ctable_lock);
    } else {
        ctx->state = SHM_CLOSING;
        who->thread->closed = ctx->id;
        err = wait_until_unnamed(ctx, deadline_ns);
    }
    context_drop(ctx);
    return err;
}

err_t shm_destroy_resume(const struct shm_caller *who, uint64_t deadline_ns)
{
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find_id(who->thread->closed);
    if (!ctx || !ctx->named) {
        spin_unlock(&ctable_lock);
        return 0;
    }
    context_hold_locked(ctx);
    err_t err = wait_until_unnamed(ctx, deadline_ns);
    context_drop(ctx);
    return err;
}

/* The active region of this name, with a use; waits for it to exist until the deadline (0: not at
 * all). */
static err_t hold_active(const char *name, uint64_t deadline_ns, struct smemcontext **out)
{
    err_t err = 0;
    spin_lock(&ctable_lock);
    for (;;) {
        struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
        if (ctx && ctx->state == SHM_ACTIVE) {
            context_hold_locked(ctx);
            *out = ctx;
            err = 0;
            break;
        }
        if (!deadline_ns)
            err = -ENOENT;
        if (err)
            break;
        err = ctable_wait_created(deadline_ns);
    }
    spin_unlock(&ctable_lock);
    return err;
}

/* Turns what the caller asks for into a request, by what the region and its rights allow.  T held.
 */
static err_t make_request(struct smemcontext *ctx, const struct shm_caller *who,
                          const struct shm_map_how *how, struct map_request *req)
    REQUIRES(ctable_lock)
{
    size_t size_bytes = memstore_npages(&ctx->store) << PAGE_SHIFT;
    if (!context_may(ctx, who->cred, MAY_READ))
        return -EACCES;
    if (!IS_ALIGNED(how->offset_bytes, PAGE_BYTES) || how->offset_bytes >= size_bytes ||
        how->length_bytes > size_bytes - how->offset_bytes)
        return -EINVAL;
    *req = (struct map_request){
        .addr = how->addr,
        .bytes = how->length_bytes ? how->length_bytes : size_bytes - how->offset_bytes,
        .place = how->flags & RM_FIXED ? MAP_AT_FREE : MAP_ANYWHERE,
        .prot = how->flags & RM_RDONLY ? VP_READ : VP_READ | VP_WRITE,
        .max_prot = VP_READ, /* addrspace_map refuses a prot beyond it (A9) */
        .shared = !(how->flags & RM_PRIVATE),
        .reason = MAPPING_BY_NAME,
        .store = &ctx->store,
        .store_page = how->offset_bytes >> PAGE_SHIFT,
    };
    if ((how->flags & RM_PRIVATE) || context_may(ctx, who->cred, MAY_WRITE))
        req->max_prot |= VP_WRITE;
    return 0;
}

/* A mapping that the user could not be told of does not stay.  It is found again by its place: the
 * region may have lost its name since.  The caller has a use. */
static err_t map_and_tell(struct smemcontext *ctx, const struct shm_caller *who,
                          const struct shm_map_how *how, uintptr_t result)
{
    struct map_request req;
    uintptr_t addr;
    spin_lock(&ctable_lock);
    err_t err = make_request(ctx, who, how, &req);
    spin_unlock(&ctable_lock);
    if (!err)
        err = addrspace_map(who->as, &req, &addr); /* the table counts it in shm_store_mapped */
    if (err)
        return err;
    if (how->flags & RM_POPULATE)
        addrspace_populate(who->as, addr, req.bytes, req.prot);
    err = copy_to_user(result, &addr, sizeof addr);
    if (err)
        (void)addrspace_unmap_mapping(who->as, &ctx->store, addr);
    return err;
}

err_t shm_map(const struct shm_caller *who, const char *name, const struct shm_map_how *how,
              uintptr_t result)
{
    if (how->flags & ~RM_ALL)
        return -EINVAL;
    struct smemcontext *ctx;
    err_t err = hold_active(name, how->flags & RM_WAIT ? how->deadline_ns : 0, &ctx);
    if (err)
        return err;
    err = map_and_tell(ctx, who, how, result);
    context_drop(ctx);
    return err;
}

/* A closing region can still be unmapped by its name. */
err_t shm_unmap(const struct shm_caller *who, const char *name, uintptr_t addr)
{
    struct smemcontext *ctx = context_hold(SHM_NAMED, name);
    if (!ctx)
        return -ENOENT;
    err_t err = addrspace_unmap_mapping(who->as, &ctx->store, addr);
    context_drop(ctx);
    return err;
}

err_t shm_stat(const struct shm_caller *who, const char *name, struct region_stat *out)
{
    struct smemcontext *ctx = context_hold(SHM_NAMED, name);
    if (!ctx)
        return -ENOENT;
    memset(out, 0, sizeof *out);
    spin_lock(&ctable_lock);
    err_t err = context_may(ctx, who->cred, MAY_READ) ? 0 : -EACCES;
    out->id = ctx->id;
    out->size_bytes = memstore_npages(&ctx->store) << PAGE_SHIFT;
    out->mappings = ctx->mappings;
    out->mode = ctx->mode;
    out->uid = ctx->uid;
    out->gid = ctx->gid;
    out->flags = ctx->flags;
    out->closing = ctx->state == SHM_CLOSING;
    out->creator_pid = ctx->creator ? ctx->creator->pid : 0;
    out->lock_owner_tid = ctx->lock_owner ? ctx->lock_owner->tid : 0;
    out->lock_waiters = region_lock_waiters(ctx);
    spin_unlock(&ctable_lock);
    out->resident_bytes = memstore_resident(&ctx->store) << PAGE_SHIFT;
    context_drop(ctx);
    return err;
}

err_t shm_chmod(const struct shm_caller *who, const char *name, unsigned mode)
{
    if (mode & ~0777u)
        return -EINVAL;
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    err_t err = !ctx ? -ENOENT : context_may_control(ctx, who->cred) ? 0 : -EACCES;
    if (!err) {
        ctx->mode = (uint16_t)mode;
        shm_file_mode_changed(ctx);
    }
    spin_unlock(&ctable_lock);
    return err;
}
