/* Shrimpy: the page a process shares with its children (S1 to S3).
 *
 * Each process has a kin.  Its fry page is made when somebody touches it: the process at FRY, or a
 * child at SHRIMP.  The page is found by a fault, never inherited, since a child's FRY is another
 * page than its parent's.  An address space that a child shares until it execs (vfork) shows what
 * it shows to the parent: the child is a guest there. */
#include "shmms.h"

#include <abi/zone.h>
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

#define FRY_MODE 0600

_Static_assert(SHRIMPY_TOP == USER_END, "the pages are below the top of user space");
_Static_assert(SHRIMP >= STACK_TOP, "no stack gets there");

/* c constant   a atomic   T ctable lock.
 * A kin lets go of its parent, host and host's parent when its process exits, so that a chain of
 * processes that each leave one child behind does not become a chain of kins. */
struct shm_kin {
    refcount_t refs; /* a  its process, its children's kins, and faults in progress */
    struct shm_kin *
        parent GUARDED_BY(ctable_lock); /* T  a reference; NULL: none, or the process has exited */
    struct shm_kin *host GUARDED_BY(
        ctable_lock); /* T  a reference, or NULL: whose pages it sees in its host's space */
    struct shm_kin *host_parent GUARDED_BY(
        ctable_lock); /* T  a reference, or NULL: that host's parent, should the host exit first */
    uint64_t host_as; /* c  id of that address space */
    struct smemcontext *fry GUARDED_BY(ctable_lock); /* T  a use; NULL until touched */
};

static struct kmem_cache kin_cache = KMEM_CACHE("shm_kin", struct shm_kin);

/* T not held; may sleep.  Not analysed: the last reference is gone. */
static void kin_put(struct shm_kin *kin) NO_THREAD_SAFETY_ANALYSIS EXCLUDES(ctable_lock)
{
    if (!kin || !ref_put(&kin->refs))
        return;
    ASSERT(!kin->parent && !kin->host && !kin->host_parent);
    if (kin->fry)
        context_drop(kin->fry);
    kmem_free(&kin_cache, kin);
}

/* Whose pages the process of `kin` sees in the address space `as`.  T held. */
static struct shm_kin *kin_seen(struct shm_kin *kin, const struct addrspace *as)
    REQUIRES(ctable_lock)
{
    return kin->host && kin->host_as == as->id ? kin->host : kin;
}

/* The parent of the one kin_seen() says; NULL: none.  T held. */
static struct shm_kin *kin_seen_parent(struct shm_kin *kin, const struct addrspace *as)
    REQUIRES(ctable_lock)
{
    return kin_seen(kin, as) == kin ? kin->parent : kin->host_parent;
}

err_t shm_kin_init(struct shm_process *p, struct shm_process *parent,
                   const struct addrspace *shared)
{
    struct shm_kin *kin = kmem_alloc(&kin_cache);
    if (!kin)
        return -ENOMEM;
    ref_init(&kin->refs, 1);
    spin_lock(&ctable_lock);
    if (parent) {
        kin->parent = parent->kin;
        ref_get(&kin->parent->refs);
    }
    if (shared) {
        kin->host = kin_seen(parent->kin, shared);
        kin->host_as = shared->id;
        ref_get(&kin->host->refs);
        kin->host_parent = kin_seen_parent(parent->kin, shared);
        if (kin->host_parent)
            ref_get(&kin->host_parent->refs);
    }
    spin_unlock(&ctable_lock);
    p->kin = kin;
    return 0;
}

void shm_kin_exit(struct shm_process *p)
{
    struct shm_kin *kin = p->kin;
    if (!kin)
        return;
    p->kin = NULL;
    spin_lock(&ctable_lock);
    struct shm_kin *parent = kin->parent, *host = kin->host, *host_parent = kin->host_parent;
    kin->parent = kin->host = kin->host_parent = NULL;
    spin_unlock(&ctable_lock);
    kin_put(parent);
    kin_put(host);
    kin_put(host_parent);
    kin_put(kin);
}

/* The kin whose fry page the caller sees at `page`, with a reference; NULL when there is none (S2).
 */
static struct shm_kin *kin_behind(const struct shm_caller *who, uintptr_t page)
{
    spin_lock(&ctable_lock);
    struct shm_kin *self = who->process->kin;
    struct shm_kin *kin = kin_seen(self, who->as);
    if (page == SHRIMP)
        kin = kin_seen_parent(self, who->as);
    if (kin)
        ref_get(&kin->refs);
    spin_unlock(&ctable_lock);
    return kin;
}

/* Another use of the fry page; `made` becomes it when it has none yet.  NULL: neither. */
static struct smemcontext *fry_hold(struct shm_kin *kin, struct smemcontext *made)
{
    spin_lock(&ctable_lock);
    if (!kin->fry && made) {
        kin->fry = made;
        context_hold_locked(made); /* for the kin; the maker keeps its own */
    }
    struct smemcontext *fry = kin->fry;
    if (fry)
        context_hold_locked(fry);
    spin_unlock(&ctable_lock);
    return fry;
}

/* The fry page of `kin`, made when this is the first touch (by whom it is charged, A7), with a use.
 * -ENOMEM. */
static err_t fry_get(struct shm_kin *kin, const struct shm_caller *who, struct smemcontext **fry)
{
    struct shm_spec spec = {.kind = SHM_KIN, .size_bytes = PAGE_BYTES, .mode = FRY_MODE};
    struct smemcontext *made;
    *fry = fry_hold(kin, NULL);
    if (*fry)
        return 0;
    err_t err = context_create(who, &spec, &made);
    if (err)
        return err;
    *fry = fry_hold(kin, made);
    context_drop(made); /* another toucher may have been faster */
    return 0;
}

/* After a failed touch: nobody else has the page, and nobody has seen it.  The caller has a use. */
static void fry_forget(struct shm_kin *kin, struct smemcontext *fry)
{
    spin_lock(&ctable_lock);
    bool unseen = kin->fry == fry && fry->users == 2 && !fry->mappings && !fry->store.nfills;
    if (unseen)
        kin->fry = NULL;
    spin_unlock(&ctable_lock);
    if (unseen)
        context_drop(fry);
}

static err_t fry_map(struct smemcontext *fry, struct addrspace *as, uintptr_t page)
{
    struct map_request req = {
        .addr = page,
        .bytes = PAGE_BYTES,
        .place = MAP_AT_FREE,
        .prot = VP_READ | VP_WRITE,
        .max_prot = VP_READ | VP_WRITE,
        .shared = true,
        .no_fork = true,
        .store = &fry->store,
    };
    uintptr_t addr;
    return addrspace_map(as, &req, &addr);
}

enum fault_result shm_kin_fault(const struct shm_caller *who, uintptr_t addr)
{
    uintptr_t page = ALIGN_DOWN(addr, PAGE_BYTES);
    if (page != FRY && page != SHRIMP)
        return FAULT_NO_REGION;
    struct shm_kin *kin = kin_behind(who, page);
    if (!kin)
        return FAULT_NO_REGION;
    struct smemcontext *fry;
    err_t err = fry_get(kin, who, &fry);
    if (!err) {
        err = fry_map(fry, who->as, page);
        if (err == -EEXIST)
            err = 0; /* another thread of the process was faster */
        if (err)
            fry_forget(kin, fry);
        context_drop(fry);
    }
    kin_put(kin);
    return err ? FAULT_NO_MEMORY : FAULT_DONE;
}
