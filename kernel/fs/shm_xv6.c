/* xv6's shared pages: shm_open and shm_close by number (X1, X2). */
#include "shmms.h"

#include <kernel/sched/mutex.h>
#include <lib/fmt.h>

#define XV6_IDS_MAX 64
#define XV6_MODE    0600
#define KEY_BYTES   12 /* of any int in decimal */

/* Held over a whole open or close: looking for the page, mapping it and counting are one step for
 * everybody, and so are counting the ids and making one more. */
static struct mutex xv6_lock = {
    .inner = SPINLOCK_INIT("xv6", RANK_SLEEPLOCK),
    .waiters = {LIST_INIT(xv6_lock.waiters.waiters)},
    .rank = RANK_SHM_DOOR,
};

/* The page of this id, with a use; makes it when there is none.  xv6_lock held.  -ENOSPC: there are
 * enough. */
static err_t page_hold(const struct shm_caller *who, const char *key, struct smemcontext **ctx)
    REQUIRES(xv6_lock)
{
    *ctx = context_hold(SHM_XV6, key);
    if (*ctx)
        return 0;
    spin_lock(&ctable_lock);
    bool full = ctable_count_kind(SHM_XV6) >= XV6_IDS_MAX;
    spin_unlock(&ctable_lock);
    if (full)
        return -ENOSPC;
    struct shm_spec spec = {
        .kind = SHM_XV6,
        .key = key,
        .size_bytes = PAGE_BYTES,
        .mode = XV6_MODE,
    };
    return context_create(who, &spec, ctx);
}

struct page_search {
    const struct memstore *store;
    uintptr_t addr; /* 0: not found */
};

static bool match_page(const struct memregion *r, void *arg)
{
    struct page_search *search = arg;
    if (r->mapping && r->mapping->store == search->store && r->store_page == 0)
        search->addr = r->beg;
    return search->addr == 0;
}

/* Where the address space has the page, 0: nowhere.  mremap(2) may have moved it, or made the
 * mapping longer, and munmap(2) may have taken the page and left the rest. */
static uintptr_t page_find(struct smemcontext *ctx, struct addrspace *as)
{
    struct page_search search = {.store = &ctx->store};
    addrspace_for_each(as, match_page, &search);
    return search.addr;
}

/* Counts one more open when the address space has the page.  A child that was forked by another
 * thread in the middle of an open has it mapped with no open counted: then this is the first.  So
 * it is after a new mapping (count_mapping). */
static bool count_open(struct smemcontext *ctx, struct addrspace *as)
{
    spin_lock(&ctable_lock);
    struct shm_attach *a = attach_find(ctx, as);
    if (a)
        a->opens++;
    spin_unlock(&ctable_lock);
    return a != NULL;
}

static err_t page_map(struct smemcontext *ctx, struct addrspace *as, uintptr_t *addr)
{
    struct map_request req = {
        .bytes = PAGE_BYTES,
        .place = MAP_ANYWHERE,
        .prot = VP_READ | VP_WRITE,
        .max_prot = VP_READ | VP_WRITE,
        .shared = true,
        .store = &ctx->store,
    };
    return addrspace_map(as, &req, addr);
}

/* The open itself.  xv6_lock held; the caller has a use of the page. */
static err_t page_open(const struct shm_caller *who, struct smemcontext *ctx, uintptr_t *addr)
    REQUIRES(xv6_lock)
{
    spin_lock(&ctable_lock);
    bool may = context_may(ctx, who->cred, MAY_READ | MAY_WRITE);
    spin_unlock(&ctable_lock);
    if (!may)
        return -EACCES;
    *addr = page_find(ctx, who->as);
    if (*addr && count_open(ctx, who->as))
        return 0;
    err_t err = page_map(ctx, who->as, addr);
    if (!err) /* nothing to count when another thread has unmapped it by hand already */
        (void)count_open(ctx, who->as);
    return err;
}

err_t shm_xv6_open(const struct shm_caller *who, int id, uintptr_t *addr)
{
    struct smemcontext *ctx;
    char key[KEY_BYTES];
    fmt_snprint(key, sizeof key, "%d", id);
    mutex_lock(&xv6_lock);
    err_t err = page_hold(who, key, &ctx);
    if (!err) {
        err = page_open(who, ctx, addr);
        context_drop(ctx);
    }
    mutex_unlock(&xv6_lock);
    return err;
}

/* One open less; *last: it was the only one, and the page has to go.  -EINVAL: not open here. */
static err_t count_close(struct smemcontext *ctx, struct addrspace *as, bool *last)
{
    spin_lock(&ctable_lock);
    struct shm_attach *a = attach_find(ctx, as);
    err_t err = a && a->opens > 0 ? 0 : -EINVAL;
    if (!err)
        *last = --a->opens == 0;
    spin_unlock(&ctable_lock);
    return err;
}

err_t shm_xv6_close(const struct shm_caller *who, int id)
{
    bool last;
    char key[KEY_BYTES];
    fmt_snprint(key, sizeof key, "%d", id);
    mutex_lock(&xv6_lock);
    struct smemcontext *ctx = context_hold(SHM_XV6, key);
    err_t err = ctx ? count_close(ctx, who->as, &last) : -EINVAL;
    if (!err && last)
        addrspace_unmap_store(who->as, &ctx->store);
    if (ctx)
        context_drop(ctx);
    mutex_unlock(&xv6_lock);
    return err;
}
