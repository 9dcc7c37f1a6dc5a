/* shmctl(2) and /proc/sysvipc/shm (V1). */
#include "shm_sysv.h"

#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/procfs.h>
#include <kernel/fs/vnode.h>
#include <lib/string.h>

/* T held. */
static void describe(const struct smemcontext *ctx, struct linux_shmid_ds *ds) REQUIRES(ctable_lock)
{
    const struct shm_sysv *sysv = &ctx->sysv;
    *ds = (struct linux_shmid_ds){
        .perm = {.key = sysv->key,
                 .uid = ctx->uid,
                 .gid = ctx->gid,
                 .cuid = sysv->creator_uid,
                 .cgid = sysv->creator_gid,
                 .mode = ctx->mode | (ctx->sysv_removed ? SHM_DEST : 0) |
                         (ctx->sysv_locked ? SHM_LOCKED : 0),
                 .seq = (uint16_t)((unsigned)sysv->id >> ID_INDEX_BITS)},
        .segsz_bytes = ctx->size_bytes,
        .atime_s = sysv->attach_s,
        .dtime_s = sysv->detach_s,
        .ctime_s = sysv->change_s,
        .cpid = (int32_t)sysv->creator_pid,
        .lpid = (int32_t)sysv->last_pid,
        .nattch = ctx->mappings,
    };
}

/* Calls fn for every segment, T not held during it. */
struct segment {
    struct linux_shmid_ds ds;
    int id;
    size_t resident_pages;
};

static void for_each_segment(void (*fn)(const struct segment *s, void *arg), void *arg)
{
    for (unsigned index = 0; index < SYSV_IDS_MAX; index++) {
        struct segment s;
        spin_lock(&ctable_lock);
        struct smemcontext *ctx = sysv_at(index);
        if (ctx) {
            describe(ctx, &s.ds);
            s.id = ctx->sysv.id;
            memstore_get(&ctx->store);
        }
        spin_unlock(&ctable_lock);
        if (!ctx)
            continue;
        s.resident_pages = memstore_resident(&ctx->store);
        memstore_put(&ctx->store);
        fn(&s, arg);
    }
}

static void count_segment(const struct segment *s, void *arg)
{
    struct linux_shm_info *info = arg;
    info->used_ids++;
    info->resident_pages += s->resident_pages;
}

/* IPC_INFO, SHM_INFO: the result is the highest index, for SHM_STAT. */
static long give_info(const void *info, size_t bytes, uintptr_t user_buf)
{
    spin_lock(&ctable_lock);
    unsigned top = sysv_top_index();
    spin_unlock(&ctable_lock);
    return copy_to_user(user_buf, info, bytes) ? -EFAULT : (long)top;
}

static long give_limits(uintptr_t user_buf)
{
    struct linux_shminfo info = {
        .shmmax_bytes = SEGMENT_BYTES_MAX,
        .shmmin_bytes = 1,
        .shmmni = SYSV_IDS_MAX,
        .shmseg = SYSV_IDS_MAX,
        .shmall_pages = ALL_PAGES_MAX,
    };
    return give_info(&info, sizeof info, user_buf);
}

static long give_usage(uintptr_t user_buf)
{
    struct linux_shm_info info = {.used_ids = 0};
    for_each_segment(count_segment, &info);
    spin_lock(&ctable_lock);
    info.total_pages = sysv_total_pages();
    spin_unlock(&ctable_lock);
    return give_info(&info, sizeof info, user_buf);
}

/* IPC_STAT of an id; SHM_STAT and SHM_STAT_ANY of an index, with the id as result. */
static long give_status(const struct shm_caller *who, int id, int command, uintptr_t user_buf)
{
    struct smemcontext *ctx;
    struct linux_shmid_ds ds;
    long result = 0;
    spin_lock(&ctable_lock);
    if (command == IPC_STAT)
        result = sysv_find(id, &ctx);
    else
        result = (ctx = sysv_at((unsigned)id)) ? ctx->sysv.id : -EINVAL;
    if (result >= 0 && command != SHM_STAT_ANY && !sysv_may(ctx, who->cred, MAY_READ))
        result = -EACCES;
    if (result >= 0)
        describe(ctx, &ds);
    spin_unlock(&ctable_lock);
    if (result >= 0 && copy_to_user(user_buf, &ds, sizeof ds))
        return -EFAULT;
    return result;
}

/* The segment of an id, when the caller may change or remove it.  T held. */
static err_t find_own(const struct shm_caller *who, int id, struct smemcontext **out)
    REQUIRES(ctable_lock)
{
    err_t err = sysv_find(id, out);
    if (err)
        return err;
    uint32_t euid = who->cred->euid;
    return euid == 0 || euid == (*out)->uid || euid == (*out)->sysv.creator_uid ? 0 : -EPERM;
}

static long set_owner(const struct shm_caller *who, int id, uintptr_t user_buf)
{
    struct linux_shmid_ds ds;
    struct smemcontext *ctx;
    if (copy_from_user(&ds, user_buf, sizeof ds))
        return -EFAULT;
    spin_lock(&ctable_lock);
    err_t err = find_own(who, id, &ctx);
    if (!err && (ds.perm.uid == UINT32_MAX || ds.perm.gid == UINT32_MAX))
        err = -EINVAL;
    if (!err) {
        ctx->uid = ds.perm.uid;
        ctx->gid = ds.perm.gid;
        ctx->mode = ds.perm.mode & 0777;
        ctx->sysv.change_s = fs_now_ns() / (int64_t)NS_PER_S;
    }
    spin_unlock(&ctable_lock);
    return err;
}

static long remove_segment(const struct shm_caller *who, int id)
{
    struct smemcontext *ctx;
    bool drop = false;
    spin_lock(&ctable_lock);
    err_t err = find_own(who, id, &ctx);
    if (!err)
        drop = sysv_remove(ctx);
    spin_unlock(&ctable_lock);
    if (drop)
        context_drop(ctx);
    return err;
}

/* There is no swap: all segments are locked in memory as it is, and this is only said. */
static long set_locked(const struct shm_caller *who, int id, bool locked)
{
    struct smemcontext *ctx;
    spin_lock(&ctable_lock);
    err_t err = find_own(who, id, &ctx);
    if (!err)
        ctx->sysv_locked = locked;
    spin_unlock(&ctable_lock);
    return err;
}

long shm_sysv_control(const struct shm_caller *who, int id, int command, uintptr_t user_buf)
{
    if (id < 0)
        return -EINVAL;
    command &= ~IPC_64;
    switch (command) {
    case IPC_INFO:
        return give_limits(user_buf);
    case SHM_INFO:
        return give_usage(user_buf);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return give_status(who, id, command, user_buf);
    case IPC_SET:
        return set_owner(who, id, user_buf);
    case IPC_RMID:
        return remove_segment(who, id);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return set_locked(who, id, command == SHM_LOCK);
    default:
        return -EINVAL;
    }
}

static void print_segment(const struct segment *s, void *arg)
{
    const struct linux_shmid_ds *ds = &s->ds;
    textbuf_print(
        arg, "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21zu %21u\n",
        ds->perm.key, s->id, ds->perm.mode, ds->segsz_bytes, ds->cpid, ds->lpid, ds->nattch,
        ds->perm.uid, ds->perm.gid, ds->perm.cuid, ds->perm.cgid, ds->atime_s, ds->dtime_s,
        ds->ctime_s, s->resident_pages << PAGE_SHIFT, 0u);
}

void shm_sysv_print(struct textbuf *b)
{
    textbuf_print(b, "%10s %10s %5s %21s %5s %5s %6s %5s %5s %5s %5s %10s %10s %10s %21s %21s\n",
                  "key", "shmid", "perms", "size", "cpid", "lpid", "nattch", "uid", "gid", "cuid",
                  "cgid", "atime", "dtime", "ctime", "rss", "swap");
    for_each_segment(print_segment, b);
}
