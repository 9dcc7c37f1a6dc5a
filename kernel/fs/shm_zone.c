/* Zones: shmem() by number, at addresses that grow from SHMBASE (Z1, Z2). */
#include "shmms.h"

#include <abi/zone.h>
#include <kernel/sched/mutex.h>
#include <kernel/sched/timer.h>
#include <lib/fmt.h>

#define ZONE_MODE 0600
#define KEY_BYTES 4

/* Held over a whole get but for waiting: nobody finds a zone whose creator may still fail (A3), and
 * a process's zones are counted and placed one after the other. */
static struct mutex zone_lock = {
    .inner = SPINLOCK_INIT("zone", RANK_SLEEPLOCK),
    .waiters = {LIST_INIT(zone_lock.waiters.waiters)},
    .rank = RANK_SHM_DOOR,
};

/* What is mapped already, and where one more zone fits. */
struct zone_place {
    size_t bytes;
    unsigned zones; /* mappings of zones, the first ZONES_MAX of them; each get makes one */
    const struct mapping *seen[ZONES_MAX];
    uintptr_t top; /* end of what was seen in [SHMBASE, SHMTOP) */
    uintptr_t gap; /* the lowest room below that, 0: none */
};

/* A zone may be in pieces, and others between them (mremap(2)). */
static void zone_count(struct zone_place *place, const struct mapping *m)
{
    for (unsigned i = 0; i < place->zones; i++)
        if (place->seen[i] == m)
            return;
    if (place->zones < ZONES_MAX)
        place->seen[place->zones++] = m;
}

static bool zone_look(const struct memregion *r, void *arg)
{
    struct zone_place *place = arg;
    const struct mapping *m = r->mapping;
    if (m && store_is_context(m->store) && context_of(m->store)->kind == SHM_ZONE)
        zone_count(place, m);
    if (r->end <= SHMBASE || r->beg >= SHMTOP)
        return true;
    if (!place->gap && r->beg > place->top && r->beg - place->top >= place->bytes)
        place->gap = place->top;
    place->top = r->end;
    return true;
}

/* The next address upward; when the end is reached, the lowest that has become free.  -EMFILE: the
 * process has its zones; -ENOMEM: no room. */
static err_t zone_choose(struct addrspace *as, size_t bytes, uintptr_t *addr)
{
    struct zone_place place = {.bytes = bytes, .top = SHMBASE};
    addrspace_for_each(as, zone_look, &place);
    if (place.zones >= ZONES_MAX)
        return -EMFILE;
    *addr = place.top < SHMTOP && SHMTOP - place.top >= bytes ? place.top : place.gap;
    return *addr ? 0 : -ENOMEM;
}

/* Turns a get into a request by what the zone and its rights allow. */
static err_t zone_request(struct smemcontext *ctx, const struct shm_caller *who, unsigned flags,
                          size_t pages, struct map_request *req)
{
    spin_lock(&ctable_lock);
    bool may = context_may(ctx, who->cred, MAY_READ | MAY_WRITE); /* ZONE_MODE: both or none */
    spin_unlock(&ctable_lock);
    if (!may)
        return -EACCES;
    if (pages > memstore_npages(&ctx->store))
        return -EINVAL;
    *req = (struct map_request){
        .bytes = (pages ? pages : memstore_npages(&ctx->store)) << PAGE_SHIFT,
        .place = MAP_AT_FREE,
        .prot = flags & M_RDONLY ? VP_READ : VP_READ | VP_WRITE,
        .max_prot = VP_READ | VP_WRITE,
        .shared = true,
        .store = &ctx->store,
    };
    return 0;
}

/* zone_lock held. */
static err_t zone_map(struct smemcontext *ctx, const struct shm_caller *who, unsigned flags,
                      size_t pages, uintptr_t *addr) REQUIRES(zone_lock)
{
    struct map_request req;
    err_t err = zone_request(ctx, who, flags, pages, &req);
    if (err)
        return err;
    do { /* -EEXIST: another thread has mapped something there since, by hand */
        err = zone_choose(who->as, req.bytes, &req.addr);
        if (!err)
            err = addrspace_map(who->as, &req, addr);
    } while (err == -EEXIST);
    return err;
}

static err_t zone_create(const struct shm_caller *who, const char *key, size_t pages,
                         struct smemcontext **ctx)
{
    struct shm_spec spec = {
        .kind = SHM_ZONE,
        .key = key,
        .size_bytes = pages << PAGE_SHIFT,
        .mode = ZONE_MODE,
    };
    return context_create(who, &spec, ctx);
}

/* Sleeps until there is a zone of this key.  -EINTR.  zone_lock not held. */
static err_t zone_wait(const char *key) EXCLUDES(zone_lock, ctable_lock)
{
    err_t err = 0;
    bool found;
    spin_lock(&ctable_lock);
    while (!(found = ctable_find(SHM_ZONE, key) != NULL) && !err)
        err = ctable_wait_created(NS_NEVER);
    spin_unlock(&ctable_lock);
    return found ? 0 : err;
}

/* The zone of this key, with a use.  zone_lock held, but not while waiting for it to exist. */
static err_t zone_hold(const char *key, bool wait, struct smemcontext **ctx) REQUIRES(zone_lock)
{
    while (!(*ctx = context_hold(SHM_ZONE, key))) {
        if (!wait)
            return -ENOENT;
        mutex_unlock(&zone_lock);
        err_t err = zone_wait(key);
        mutex_lock(&zone_lock);
        if (err)
            return err;
    }
    return 0;
}

/* Z1's errors that need no look at the table. */
static err_t zone_check(int id, unsigned flags, int size_pages)
{
    if (id < 0 || id >= ZONE_IDS || (flags & ~(unsigned)(M_CREATE | M_WAIT | M_RDONLY)))
        return -EINVAL;
    if (size_pages < 0 || size_pages > ZONE_PAGES_MAX)
        return -EINVAL;
    return (flags & M_CREATE) && ((flags & M_WAIT) || size_pages == 0) ? -EINVAL : 0;
}

err_t shm_zone_get(const struct shm_caller *who, int id, unsigned flags, int size_pages,
                   uintptr_t *addr)
{
    struct smemcontext *ctx;
    char key[KEY_BYTES];
    err_t err = zone_check(id, flags, size_pages);
    if (err)
        return err;
    fmt_snprint(key, sizeof key, "%d", id);
    mutex_lock(&zone_lock);
    if (flags & M_CREATE)
        err = zone_create(who, key, (size_t)size_pages, &ctx);
    else
        err = zone_hold(key, flags & M_WAIT, &ctx);
    if (!err) {
        err = zone_map(ctx, who, flags, (size_t)size_pages, addr);
        context_drop(ctx);
    }
    mutex_unlock(&zone_lock);
    return err;
}
