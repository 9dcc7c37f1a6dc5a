/* An address space: memregions over a page table.  Functions are called with no lock held unless
 * they say otherwise. */
#pragma once

#include <kernel/mm/memstore.h>
#include <lib/rbtree.h>

/* Layout of user space: programs and their heap at the bottom; mmap from MMAP_TOP down; the main
 * stack; and a few pages at the very top that are kept for fixed uses (S1). */
#define STACK_TOP       (USER_END - 0x10000)
#define STACK_MAX_BYTES ((size_t)8 << 20)
#define MMAP_TOP        (STACK_TOP - STACK_MAX_BYTES - 0x100000)

/* One mapping of a store, as one map call made it; memregions are its pieces after partial unmaps
 * and mprotects. Backends hear `mapped` and `unmapped` once for each of these (R8: each mapping is
 * counted, in pieces or whole). */
struct mapping {
    struct memstore *store; /* c  one reference */
    refcount_t pieces;      /* a  memregions */
    uint64_t id;            /* c  never reused in this addrspace */
    struct mapping *twin;   /* A of the parent, during fork: the child's copy */
};

/* c constant while linked   A addrspace.lock, exclusive to write */
struct memregion {
    struct rbnode node;      /* A */
    struct addrspace *as;    /* c */
    uintptr_t beg, end;      /* A  [beg, end), page aligned */
    unsigned prot, max_prot; /* A  VP_*; mprotect may not go beyond max_prot */
    bool shared;             /* c  writes reach the store */
    bool no_fork;            /* c  a child does not inherit it */
    bool stack;              /* c  a main thread's stack, for people to read */
    struct mapping *mapping; /* c  NULL: anonymous private memory */
    size_t store_page;       /* A  page of the store at beg */
    struct list rmap_node;   /* the store's rmap_lock */
};

/* Counters of one addrspace, for /proc and benchmarks. */
struct vm_stats {
    uint64_t faults, faults_spurious, faults_copied, faults_filled; /* a */
};

/* c constant   a atomic   A lock   v pt_lock */
struct addrspace {
    struct rwlock lock;         /* A: rank ADDRSPACE; faults take it shared, changes exclusive */
    struct spinlock pt_lock;    /* v: rank VPMAP; every change of a page table entry */
    struct vpmap vpmap;         /* v */
    uint32_t unflushed;         /* a  changes that CPUs may not know yet; raised under v */
    refcount_t refs;            /* a  one a process (vfork shares): the mappings live by it */
    refcount_t holds;           /* a  one for all of refs, one a look from outside */
    struct rbtree regions;      /* A  by address, disjoint */
    size_t mapped_pages;        /* A  sum of all regions; /proc reads it without */
    uintptr_t brk_beg, brk_end; /* A  heap: [brk_beg, brk_end), not rounded */
    uintptr_t search_top;       /* A  where the search for room begins, downward */
    uint64_t next_mapping_id;   /* a */
    uint64_t id;                /* c  of memory_id_new */
    struct vm_stats stats;
};

enum map_place {
    MAP_ANYWHERE, /* at or near `addr` when free, else where there is room */
    MAP_AT,       /* exactly there, replacing what is there (MAP_FIXED) */
    MAP_AT_FREE,  /* exactly there, -EEXIST when occupied (MAP_FIXED_NOREPLACE) */
};

struct map_request {
    uintptr_t addr;
    size_t bytes; /* rounded up to pages; > 0 */
    enum map_place place;
    unsigned prot, max_prot;
    bool shared;
    bool stack;
    bool no_fork;
    enum mapping_reason reason; /* for the store; MAPPING_NEW is 0 */
    struct memstore *store;     /* NULL: anonymous private.  The call takes its own reference */
    size_t store_page;
};

/* An empty one with one reference; NULL when out of memory. */
struct addrspace *addrspace_create(void);
void addrspace_get(struct addrspace *as);
void addrspace_put(struct addrspace *as)
    EXCLUDES(as->lock); /* the last unmaps everything; may sleep */

/* For a look at somebody else's: the structure stays, but no mapping lives longer for it (A4). */
void addrspace_hold(struct addrspace *as);
void addrspace_unhold(struct addrspace *as);

/* A copy for fork: shared mappings are inherited (and refused or counted by `mapped`), private
 * pages become copy on write.  -ENOMEM or a backend's refusal: the parent is unchanged. */
err_t addrspace_fork(struct addrspace *parent, struct addrspace **child) EXCLUDES(parent->lock);

/* Maps.  *addr gets the place.  -EINVAL (no bytes, or an address that is not aligned), -ENOMEM (no
 * room, or a place outside user space), -EACCES (prot beyond max_prot: A9 for whoever sets that),
 * -EEXIST (MAP_AT_FREE), or a refusal of the store.  On failure nothing has changed. */
err_t addrspace_map(struct addrspace *as, const struct map_request *req, uintptr_t *addr)
    EXCLUDES(as->lock);

/* Touches every page, so that later accesses find them; stops at the first that cannot be touched
 * (mmap(2), MAP_POPULATE). */
void addrspace_populate(struct addrspace *as, uintptr_t addr, size_t bytes, unsigned prot)
    EXCLUDES(as->lock);

/* Unmaps every page of [addr, addr + bytes); parts without a mapping are skipped.  When it returns,
 * no CPU reaches the pages through these addresses (A6).  -EINVAL, -ENOMEM (a split needs memory;
 * nothing has changed). */
err_t addrspace_unmap(struct addrspace *as, uintptr_t addr, size_t bytes) EXCLUDES(as->lock);

/* Unmaps all that is left of the mapping of `store` that has a piece at `addr` (R8).  -ENOENT. */
err_t addrspace_unmap_mapping(struct addrspace *as, struct memstore *store, uintptr_t addr)
    EXCLUDES(as->lock);

/* Unmaps all mappings of `store`. */
void addrspace_unmap_store(struct addrspace *as, const struct memstore *store) EXCLUDES(as->lock);

/* mprotect(2).  -ENOMEM (a gap, or no memory for a split), -EACCES (beyond max_prot), -EINVAL. */
err_t addrspace_protect(struct addrspace *as, uintptr_t addr, size_t bytes, unsigned prot)
    EXCLUDES(as->lock);

/* Drops the contents of private pages in the range (MADV_DONTNEED): the next touch sees zeros or
 * the store again.  -ENOMEM when part of the range is not mapped; then nothing is dropped (Linux
 * drops what there is, and says -ENOMEM afterwards). */
err_t addrspace_discard(struct addrspace *as, uintptr_t addr, size_t bytes) EXCLUDES(as->lock);

/* mremap(2). */
struct remap_request {
    uintptr_t addr;
    size_t old_bytes, new_bytes; /* rounded up to pages; > 0 */
    bool may_move;
    bool fixed; /* to new_addr, replacing what is there */
    uintptr_t new_addr;
};

/* Makes a mapping longer or shorter, and moves it where that needs it.  *addr gets the place.
 * -EINVAL, -EFAULT (not one mapping), -ENOMEM; on failure nothing has changed. */
err_t addrspace_remap(struct addrspace *as, const struct remap_request *req, uintptr_t *addr)
    EXCLUDES(as->lock);

/* ---- Asking, and advice: what is mapped at [addr, addr + bytes).  -ENOMEM: not all of it is. */
err_t addrspace_check_mapped(struct addrspace *as, uintptr_t addr, size_t bytes) EXCLUDES(as->lock);

/* The same, and it is private memory without a file, else -EINVAL. */
err_t addrspace_check_anonymous(struct addrspace *as, uintptr_t addr, size_t bytes);

/* present[i] becomes 1 or 0: a touch of page i would find it in memory. */
err_t addrspace_resident(struct addrspace *as, uintptr_t addr, size_t npages, uint8_t *present);

/* Writes shared pages back to where their stores keep them (msync(2)): goes on behind a gap or an
 * error, and says so in the end. */
err_t addrspace_sync(struct addrspace *as, uintptr_t addr, size_t bytes);

/* Brings every page in; private ones that may be written become the process's own.  -ENOMEM also
 * for what cannot be touched, -EAGAIN: no memory, -EINTR: killed. */
err_t addrspace_bring_in(struct addrspace *as, uintptr_t addr, size_t bytes);

/* brk(2): moves the end of the heap; returns the end there is afterwards. */
uintptr_t addrspace_brk(struct addrspace *as, uintptr_t want);
void addrspace_set_brk(struct addrspace *as, uintptr_t beg);

/* Writes into, or zeroes, another address space than the current (exec): through the fault path,
 * -EFAULT. */
err_t addrspace_write(struct addrspace *as, uintptr_t addr, const void *data, size_t bytes);
err_t addrspace_zero(struct addrspace *as, uintptr_t addr, size_t bytes);

/* What `addr` shows, as a name that does not depend on who asks, and that nothing else ever has:
 * when the mapping is shared, the id of its store and a byte offset; otherwise the id of the
 * address space and the address.  It keeps nothing alive.  -EFAULT: not mapped. */
err_t addrspace_locate(struct addrspace *as, uintptr_t addr, uint64_t *id, uint64_t *offset);

/* Calls fn for each memregion in address order, A held shared.  Stops when fn returns false. */
void addrspace_for_each(struct addrspace *as, bool (*fn)(const struct memregion *r, void *arg),
                        void *arg) EXCLUDES(as->lock);

enum fault_result {
    FAULT_DONE,       /* try the instruction again */
    FAULT_NO_REGION,  /* SIGSEGV, SEGV_MAPERR */
    FAULT_NO_RIGHT,   /* SIGSEGV, SEGV_ACCERR */
    FAULT_BEYOND_END, /* SIGBUS, BUS_ADRERR: past the end of the store, or its fill failed */
    FAULT_NO_MEMORY,  /* SIGBUS, BUS_ADRERR: no frame for the page */
};

/* Makes one access of `access` (one of VP_*) at `addr` possible.  May sleep.  Never called with A
 * held. */
enum fault_result vm_fault(struct addrspace *as, uintptr_t addr, unsigned access)
    EXCLUDES(as->lock);

/* Invariant walker (addrspace_check.c), at any time, of an address space that is held: panics on
 * the first violation. */
void addrspace_check(struct addrspace *as) EXCLUDES(as->lock);
