/* The region lock (R9, R10): owned by a thread that has the region mapped, passed on in order of
 * arrival, and passed on with a warning when the owner leaves without unlocking.
 *
 * Model: tests/spin/regionlock.pml
 */
#include "shmms.h"

#include <kernel/base/panic.h>
#include <lib/string.h>

enum wait_result {
    WAITING,
    GRANTED,
    GRANTED_OWNER_DIED,
    REGION_GONE,
};

/* A thread asleep in shm_lock, on its stack. */
struct lock_waiter {
    struct list node GUARDED_BY(ctable_lock); /* T  of smemcontext.lock_waiters while WAITING */
    struct shm_thread *thread;                /* c */
    struct addrspace *as;                     /* c */
    enum wait_result result GUARDED_BY(ctable_lock); /* T */
    struct waitq wake GUARDED_BY(ctable_lock);       /* T  it alone */
};

void shm_thread_init(struct shm_thread *t, uint64_t id, uint32_t tid)
{
    list_init(&t->held);
    t->id = id;
    t->tid = tid;
}

static void set_owner(struct smemcontext *ctx, struct shm_thread *t, struct addrspace *as)
    REQUIRES(ctable_lock)
{
    ctx->lock_owner = t;
    ctx->lock_as = as;
    list_push_back(&t->held, &ctx->held_node);
}

static void settle(struct lock_waiter *w, enum wait_result result) REQUIRES(ctable_lock)
{
    list_remove(&w->node);
    w->result = result;
    waitq_wake_one(&w->wake);
}

/* The owner lets go: the first waiter has the lock, if there is one.  T held. */
static void pass_on(struct smemcontext *ctx, bool died) REQUIRES(ctable_lock)
{
    list_remove(&ctx->held_node);
    ctx->lock_owner = NULL;
    ctx->lock_as = NULL;
    ctx->owner_died = died;
    if (list_empty(&ctx->lock_waiters))
        return;
    struct lock_waiter *w = list_first(&ctx->lock_waiters, struct lock_waiter, node);
    set_owner(ctx, w->thread, w->as);
    settle(w, died ? GRANTED_OWNER_DIED : GRANTED);
}

void shm_thread_exit(struct shm_thread *t)
{
    bool more = true;
    while (more) {
        spin_lock(&ctable_lock);
        for (unsigned i = 0; i < SHM_EXIT_PIECE && !list_empty(&t->held); i++)
            pass_on(list_first(&t->held, struct smemcontext, held_node), true);
        more = !list_empty(&t->held);
        spin_unlock(&ctable_lock);
    }
}

void region_lock_detached(struct smemcontext *ctx, struct addrspace *as)
{
    list_for_each_safe (node, &ctx->lock_waiters) {
        struct lock_waiter *w = list_entry(node, struct lock_waiter, node);
        if (w->as == as)
            settle(w, REGION_GONE);
    }
    if (ctx->lock_owner && ctx->lock_as == as)
        pass_on(ctx, true);
}

void region_lock_closed(struct smemcontext *ctx)
{
    while (!list_empty(&ctx->lock_waiters))
        settle(list_first(&ctx->lock_waiters, struct lock_waiter, node), REGION_GONE);
}

unsigned region_lock_waiters(const struct smemcontext *ctx)
{
    unsigned n = 0;
    list_for_each (node, &ctx->lock_waiters)
        n++;
    return n;
}

/* The context that `who` has mapped under this name, active or closing, else NULL.  T held. */
static struct smemcontext *find_mapped(const struct shm_caller *who, const char *name)
    REQUIRES(ctable_lock)
{
    struct smemcontext *ctx = ctable_find(SHM_NAMED, name);
    return ctx && attach_find(ctx, who->as) ? ctx : NULL;
}

/* Sleeps until the lock is granted, the region goes, a signal comes, or it is too late.  T held on
 * entry, not on return. */
static err_t wait_for_lock(struct smemcontext *ctx, const struct shm_caller *who,
                           uint64_t deadline_ns) RELEASE(ctable_lock)
{
    struct lock_waiter w = {.thread = who->thread, .as = who->as, .result = WAITING};
    waitq_init(&w.wake);
    memstore_get(&ctx->store);
    list_push_back(&ctx->lock_waiters, &w.node);
    err_t err = waitq_sleep(&w.wake, &ctable_lock, SLEEP_INTERRUPTIBLE, deadline_ns);
    enum wait_result result = w.result;
    if (result == WAITING)
        list_remove(&w.node);
    spin_unlock(&ctable_lock);
    memstore_put(&ctx->store);
    switch (result) {
    case GRANTED:
        return 0;
    case GRANTED_OWNER_DIED:
        return -EOWNERDEAD;
    case REGION_GONE:
        return -ENOENT;
    default:
        return err;
    }
}

err_t shm_lock(const struct shm_caller *who, const char *name, uint64_t deadline_ns)
{
    err_t err = 0;
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = find_mapped(who, name);
    if (!ctx) {
        err = -ENOENT;
    } else if (ctx->lock_owner == who->thread) {
        err = -EDEADLK;
    } else if (!ctx->lock_owner) {
        set_owner(ctx, who->thread, who->as);
        err = ctx->owner_died ? -EOWNERDEAD : 0;
    } else if (deadline_ns == 0) {
        err = -EBUSY;
    } else {
        return wait_for_lock(ctx, who, deadline_ns);
    }
    spin_unlock(&ctable_lock);
    return err;
}

/* What the thread holds that was made with this name, and has lost it (RS_UNLINK), whatever links
 * are left.  T held. */
static struct smemcontext *find_held_made_as(struct shm_thread *t, const char *name)
    REQUIRES(ctable_lock)
{
    list_for_each (node, &t->held) {
        struct smemcontext *ctx = list_entry(node, struct smemcontext, held_node);
        if (!ctx->has_key && !strcmp(ctx->key, name))
            return ctx;
    }
    return NULL;
}

err_t shm_unlock(const struct shm_caller *who, const char *name)
{
    err_t err = 0;
    spin_lock(&ctable_lock);
    struct smemcontext *ctx = find_mapped(who, name);
    struct smemcontext *made_as = NULL;
    if (!ctx || ctx->lock_owner != who->thread)
        made_as = find_held_made_as(who->thread, name);
    if (made_as)
        ctx = made_as;
    if (!ctx)
        err = -ENOENT;
    else if (ctx->lock_owner != who->thread)
        err = -EINVAL;
    else
        pass_on(ctx, false);
    spin_unlock(&ctable_lock);
    return err;
}
