/* The ids of System V segments (A8): a table of places, each with a generation.
 *
 * An id uses its segment (a use, as an open file's) from shmget to IPC_RMID; from then on mappings
 * alone keep it, and it can still be found by its id until the last of them goes. */
#include "shm_sysv.h"

#include <kernel/base/panic.h>

#define ID_GENERATION_MAX ((1u << (31 - ID_INDEX_BITS)) - 1)
#define NO_INDEX          UINT16_MAX

/* One place of the table of ids. */
struct slot {
    struct smemcontext *ctx GUARDED_BY(ctable_lock); /* T  NULL: free */
    uint16_t generation GUARDED_BY(ctable_lock);     /* T  of the id it has, or will have next */
    uint16_t next_free GUARDED_BY(ctable_lock);      /* T  NO_INDEX: none, or not on the list */
};

static struct slot slots[SYSV_IDS_MAX];
_Static_assert(SYSV_IDS_MAX <= 1 << ID_INDEX_BITS, "an index fits an id");
static unsigned
    nslots GUARDED_BY(ctable_lock); /* T  those below have been used; the others are fresh */
static uint16_t
    oldest_free GUARDED_BY(ctable_lock) = NO_INDEX; /* T  free for longest, so used first */
static uint16_t newest_free GUARDED_BY(ctable_lock) = NO_INDEX; /* T */
static uint64_t total_pages GUARDED_BY(ctable_lock);            /* T */

bool sysv_has_room(size_t npages)
{
    return npages <= ALL_PAGES_MAX - total_pages &&
           (nslots < SYSV_IDS_MAX || oldest_free != NO_INDEX);
}

/* T held; there is one. */
static unsigned slot_take(void) REQUIRES(ctable_lock)
{
    if (nslots < SYSV_IDS_MAX)
        return nslots++;
    unsigned index = oldest_free;
    oldest_free = slots[index].next_free;
    if (oldest_free == NO_INDEX)
        newest_free = NO_INDEX;
    return index;
}

/* A place whose generations are used up is never used again: that would repeat an id (A8).  T held.
 */
static void slot_release(unsigned index) REQUIRES(ctable_lock)
{
    struct slot *slot = &slots[index];
    slot->ctx = NULL;
    slot->next_free = NO_INDEX;
    if (slot->generation == ID_GENERATION_MAX)
        return;
    slot->generation++;
    if (newest_free == NO_INDEX)
        oldest_free = (uint16_t)index;
    else
        slots[newest_free].next_free = (uint16_t)index;
    newest_free = (uint16_t)index;
}

struct smemcontext *sysv_at(unsigned index)
{
    return index < nslots ? slots[index].ctx : NULL;
}

err_t sysv_find(int id, struct smemcontext **out)
{
    unsigned index = (unsigned)id & ((1u << ID_INDEX_BITS) - 1);
    struct smemcontext *ctx = id < 0 ? NULL : sysv_at(index);
    if (!ctx || (ctx->sysv_removed && ctx->mappings == 0))
        return -EINVAL;
    if (ctx->sysv.id != id)
        return -EIDRM;
    *out = ctx;
    return 0;
}

unsigned sysv_top_index(void)
{
    unsigned index = nslots;
    while (index > 0 && !slots[index - 1].ctx)
        index--;
    return index > 0 ? index - 1 : 0;
}

uint64_t sysv_total_pages(void)
{
    return total_pages;
}

int sysv_enter(struct smemcontext *ctx)
{
    unsigned index = slot_take();
    slots[index].ctx = ctx;
    total_pages += ctx->store.npages;
    return slots[index].generation << ID_INDEX_BITS | (int)index;
}

void shm_sysv_over(struct smemcontext *ctx)
{
    total_pages -= ctx->store.npages;
    slot_release((unsigned)ctx->sysv.id & ((1u << ID_INDEX_BITS) - 1));
}

bool sysv_remove(struct smemcontext *ctx)
{
    if (ctx->sysv_removed)
        return false;
    ctx->sysv_removed = true;
    ctx->sysv.key = IPC_PRIVATE;
    (void)context_unname(ctx); /* not over: its id uses it */
    return true;
}

void shm_sysv_shutdown(void)
{
    spin_lock(&ctable_lock);
    unsigned n = nslots;
    spin_unlock(&ctable_lock);
    for (unsigned index = 0; index < n; index++) {
        spin_lock(&ctable_lock);
        struct smemcontext *ctx = sysv_at(index);
        bool drop = ctx && sysv_remove(ctx);
        spin_unlock(&ctable_lock);
        if (drop)
            context_drop(ctx);
    }
}

void shm_sysv_check(const struct smemcontext *ctx)
{
    unsigned index = (unsigned)ctx->sysv.id & ((1u << ID_INDEX_BITS) - 1);
    if (ctx->sysv.creator_pid == 0)
        return; /* shmget(2) is about to give it its id */
    ASSERTF(sysv_at(index) == ctx, "segment %d is not in its place", ctx->sysv.id);
    ASSERT((unsigned)ctx->sysv.id >> ID_INDEX_BITS == slots[index].generation);
    /* A use is the id's own, or a call's that is under way. */
    ASSERTF(ctx->sysv_removed ? (ctx->mappings || ctx->users) && !ctx->named : ctx->users > 0,
            "segment %d: %u mappings, %u users", ctx->sysv.id, ctx->mappings, ctx->users);
}
