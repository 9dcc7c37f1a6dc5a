/* System V shared memory: shmget, shmat and shmdt, and who may (V1, A9). */
#include "shm_sysv.h"

#include <arch/mmu.h>
#include <kernel/fs/vnode.h>
#include <kernel/sched/mutex.h>
#include <kernel/sched/thread.h>
#include <lib/fmt.h>

#define KEY_BYTES    sizeof "0x12345678"
#define HUGE_2M_BITS 21
#define HUGE_1G_BITS 30

/* Held from the look for a key to the id of the new segment, so that nobody finds one without an
 * id. */
static struct mutex get_lock;

void shm_sysv_init(void)
{
    mutex_init(&get_lock, "shmget", RANK_SHM_DOOR);
}

bool sysv_may(const struct smemcontext *ctx, const struct cred *cred, unsigned want)
{
    unsigned granted = ctx->mode;
    if (cred->euid == 0)
        return true;
    if (cred->euid == ctx->uid || cred->euid == ctx->sysv.creator_uid)
        granted >>= 6;
    else if (cred_in_group(cred, ctx->gid) || cred_in_group(cred, ctx->sysv.creator_gid))
        granted >>= 3;
    return (want & ~granted & 7u) == 0;
}

void shm_sysv_mapped(struct smemcontext *ctx)
{
    ctx->sysv.attach_s = fs_now_ns() / (int64_t)NS_PER_S;
    ctx->sysv.last_pid = (uint32_t)thread_current()->pid;
}

void shm_sysv_unmapped(struct smemcontext *ctx)
{
    ctx->sysv.detach_s = fs_now_ns() / (int64_t)NS_PER_S;
    ctx->sysv.last_pid = (uint32_t)thread_current()->pid;
}

/* Huge pages: none are set aside, as on a Linux that was not told to. */
static err_t check_huge(const struct shm_caller *who, int flags)
{
    unsigned bits = (unsigned)flags >> SHM_HUGE_SHIFT & SHM_HUGE_MASK;
    if (who->cred->euid != 0)
        return -EPERM;
    return bits == 0 || bits == HUGE_2M_BITS || bits == HUGE_1G_BITS ? -ENOMEM : -EINVAL;
}

/* What shmget(2) refuses before anything is made. */
static err_t check_new(const struct shm_caller *who, size_t size_bytes, int flags)
{
    if (size_bytes == 0 || size_bytes > SEGMENT_BYTES_MAX)
        return -EINVAL;
    if (flags & SHM_HUGETLB)
        return check_huge(who, flags);
    spin_lock(&ctable_lock);
    bool room = sysv_has_room(ALIGN_UP(size_bytes, PAGE_BYTES) >> PAGE_SHIFT);
    spin_unlock(&ctable_lock);
    return room ? 0 : -ENOSPC;
}

/* Gives a new segment its id, which takes over the creator's use.  T held. */
static int enter(struct smemcontext *ctx, const struct shm_caller *who, int key)
    REQUIRES(ctable_lock)
{
    ctx->sysv = (struct shm_sysv){
        .id = sysv_enter(ctx),
        .key = key,
        .change_s = fs_now_ns() / (int64_t)NS_PER_S,
        .creator_pid = who->process->pid,
        .creator_uid = who->cred->euid,
        .creator_gid = who->cred->egid,
    };
    return ctx->sysv.id;
}

/* get_lock held, and the key is free. */
static long create(const struct shm_caller *who, int key, const char *name, size_t size_bytes,
                   int flags) REQUIRES(get_lock) EXCLUDES(ctable_lock)
{
    err_t err = check_new(who, size_bytes, flags);
    if (err)
        return err;
    struct shm_spec spec = {
        .kind = SHM_SYSV,
        .key = name,
        .size_bytes = size_bytes,
        .flags = RS_PERSIST | (flags & SHM_NORESERVE ? RS_NORESERVE : 0),
        .mode = (unsigned)flags & 0777,
    };
    struct smemcontext *ctx;
    err = context_create(who, &spec, &ctx);
    if (err)
        return err;
    spin_lock(&ctable_lock);
    int id = enter(ctx, who, key);
    spin_unlock(&ctable_lock);
    return id;
}

/* The id of an existing segment, by the rules of shmget(2).  -ENOENT: there is none.  T held. */
static long find_by_key(const struct shm_caller *who, const char *name, size_t size_bytes,
                        int flags) REQUIRES(ctable_lock)
{
    struct smemcontext *ctx = ctable_find(SHM_SYSV, name);
    unsigned want = (unsigned)flags;
    if (!ctx)
        return -ENOENT;
    if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
        return -EEXIST;
    if (size_bytes > ctx->size_bytes)
        return -EINVAL;
    if (!sysv_may(ctx, who->cred, (want >> 6 | want >> 3 | want) & 7))
        return -EACCES;
    return ctx->sysv.id;
}

long shm_sysv_get(const struct shm_caller *who, int key, size_t size_bytes, int flags)
{
    char name[KEY_BYTES];
    fmt_snprint(name, sizeof name, "0x%08x", (unsigned)key);
    mutex_lock(&get_lock);
    long id = -ENOENT;
    if (key != IPC_PRIVATE) {
        spin_lock(&ctable_lock);
        id = find_by_key(who, name, size_bytes, flags);
        spin_unlock(&ctable_lock);
    }
    if (id == -ENOENT && (key == IPC_PRIVATE || (flags & IPC_CREAT)))
        id = create(who, key, key == IPC_PRIVATE ? NULL : name, size_bytes, flags);
    mutex_unlock(&get_lock);
    return id;
}

/* Where shmat(2) shall put it. */
static err_t choose_place(uintptr_t addr, int flags, struct map_request *req)
{
    if (!addr)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (flags & SHM_RND)
        addr = ALIGN_DOWN(addr, SHMLBA);
    if (!IS_ALIGNED(addr, PAGE_BYTES) || addr < USER_BEG || addr >= USER_END)
        return -EINVAL;
    req->addr = addr;
    req->place = flags & SHM_REMAP ? MAP_AT : MAP_AT_FREE;
    return 0;
}

/* Completes the request by what the segment is and allows.  T held. */
static err_t fill_request(struct smemcontext *ctx, const struct cred *cred, int flags,
                          struct map_request *req) REQUIRES(ctable_lock)
{
    unsigned want =
        MAY_READ | (flags & SHM_RDONLY ? 0 : MAY_WRITE) | (flags & SHM_EXEC ? MAY_EXEC : 0);
    if (!sysv_may(ctx, cred, want))
        return -EACCES;
    req->store = &ctx->store;
    req->bytes = ctx->store.npages << PAGE_SHIFT;
    req->shared = true;
    req->prot = VP_READ | (flags & SHM_RDONLY ? 0 : VP_WRITE) | (flags & SHM_EXEC ? VP_EXEC : 0);
    req->max_prot = req->prot | (sysv_may(ctx, cred, MAY_EXEC) ? VP_EXEC : 0); /* A9 */
    if (req->place != MAP_ANYWHERE && req->bytes > USER_END - req->addr)
        return -EINVAL;
    return 0;
}

long shm_sysv_attach(const struct shm_caller *who, int id, uintptr_t addr, int flags)
{
    struct map_request req = {.place = MAP_ANYWHERE, .reason = MAPPING_NEW};
    struct smemcontext *ctx;
    err_t err = choose_place(addr, flags, &req);
    if (err)
        return err;
    spin_lock(&ctable_lock);
    err = sysv_find(id, &ctx);
    if (!err)
        err = fill_request(ctx, who->cred, flags, &req);
    if (!err)
        context_hold_locked(ctx);
    spin_unlock(&ctable_lock);
    if (err)
        return err;
    err = addrspace_map(who->as, &req, &addr);
    context_drop(ctx);
    if (err == -EEXIST)
        return -EINVAL;
    return err ? err : (long)addr;
}

/* A piece of the attach that begins, or did before munmap, at `base`. */
struct attach_search {
    uintptr_t base;
    struct memstore *store; /* a reference once found */
    uintptr_t piece;
};

static bool match_attach(const struct memregion *r, void *arg)
{
    struct attach_search *search = arg;
    struct memstore *store = r->mapping ? r->mapping->store : NULL;
    if (!store || !store_is_context(store) || context_of(store)->kind != SHM_SYSV ||
        r->beg - (r->store_page << PAGE_SHIFT) != search->base)
        return true;
    memstore_get(store);
    search->store = store;
    search->piece = r->beg;
    return false;
}

/* As Linux: the address shmat gave, even when the first pages are gone by munmap. */
long shm_sysv_detach(const struct shm_caller *who, uintptr_t addr)
{
    struct attach_search search = {.base = addr};
    if (!IS_ALIGNED(addr, PAGE_BYTES))
        return -EINVAL;
    addrspace_for_each(who->as, match_attach, &search);
    if (!search.store)
        return -EINVAL;
    err_t err = addrspace_unmap_mapping(who->as, search.store, search.piece);
    memstore_put(search.store);
    return err == -ENOENT ? -EINVAL : err;
}
