/* The reference: what the region service and the memory calls must do
 * (regions.md), as plain arrays and loops.  No locks, nothing lazy, nothing
 * counted that can be looked up: how often a context is mapped is a walk over
 * all processes.  A model has no pointers, so that it can be copied. */
#pragma once

#include "step.h"

#define CTX_PAGES  24 /* pages of a context whose contents are followed */
#define CTXS       128
#define KINS       64
#define VM_PAGES   320
#define NAMES_MAX  16 /* of a region */
#define HALVES     2  /* a page's contents: words at its beginning and its middle, else zeros */
#define HALF_BYTES (PAGE / HALVES)
#define USER_LIMIT 0x7fffffffe000l

enum kind {
    K_REGION,
    K_XV6,
    K_ZONE,
    K_SYSV,
    K_FRY,
    K_MEMFD,
    K_ANON
};

struct mword {
    uint32_t word[HALVES];
};

/* A context (A1). */
struct mctx {
    enum kind kind;
    bool alive;
    bool closing;        /* R5 */
    bool persist;        /* R4; a file of /dev/shm */
    bool noreserve;      /* A7 */
    bool removed;        /* IPC_RMID */
    bool locked;         /* SHM_LOCK */
    bool owner_died;     /* R10: and nobody has heard */
    int key;             /* the number of all kinds but regions */
    int first_name;      /* what a region is made with; without a name it is listed as that */
    int name[NAMES_MAX]; /* of a region, by place; -1: none */
    long bytes, mode, uid, gid, cuid, id;
    long creator_pid; /* R4: with which it lives; 0: none */
    long cpid;        /* of System V */
    int owner;        /* seat + 1 of the lock's holder (R9) */
    long locked_at;   /* model.locks when it got it */
    int waiter[SEATS], nwaiters;
    int opens[SEATS]; /* X2 */
    uint64_t listed_id;
    long fills;
    bool resident[CTX_PAGES];
    struct mword page[CTX_PAGES];
};

/* A page of an address space. */
struct mvm {
    long va;
    int ctx;     /* -1: private, without a context */
    int mapping; /* which map call it is from; 0 when ctx is -1 */
    long idx;    /* page of the context */
    unsigned prot, max_prot;
    bool shared, no_fork;
    bool copied; /* private, and written: `own` is what it shows */
    struct mword own;
};

struct mfd {
    int fd; /* -1: closed */
    int ctx;
    bool readable, writable;
};

struct mproc {
    bool alive;
    long pid, euid, saved_uid;
    int kin;
    int npages;
    struct mvm page[VM_PAGES]; /* by address */
    struct mfd fd[SLOTS];
    bool asleep; /* in `call` */
    struct call call;
    int wait_ctx; /* whose end a DESTROY waits for */
    bool woken;   /* the call is over, with this: */
    long woken_ret;
};

/* Who shares Shrimpy's pages (S1): one a process that ever was; 0 is init's. */
struct mkin {
    long pid; /* 0: not a process any more */
    int parent, fry;
};

struct model {
    struct mproc proc[SEATS];
    struct mctx ctx[CTXS];
    struct mkin kin[KINS];
    int nctx, nkin, last_mapping;
    long locks;
    int wrong; /* a rule that is turned round, for tests of the tests */
};

/* Only init is there, and its first child. */
void model_init(struct model *m, long first_pid, int wrong);

/* Is the call one whose outcome the model knows, and small enough to follow? */
bool model_applies(const struct model *m, const struct call *c);

/* Must the call sleep now? */
bool model_sleeps(const struct model *m, const struct call *c);
void model_sleep(struct model *m, const struct call *c);

/* Does the sleep of this seat end by now?  Its answer is then for model_wake.
 */
bool model_wakes(const struct model *m, int seat);
void model_wake(struct model *m, int seat, const struct answer *got, struct answer *want);

/* Makes the call: *want is what must have been answered.  What the kernel may
 * choose (addresses, ids, descriptors, pids) is taken from *got if it is a
 * valid choice. */
void model_apply(struct model *m, const struct call *c, const struct answer *got,
                 struct answer *want);

/* ---- model.c: contexts */
struct mctx *ctx_new(struct model *m, const struct mproc *p, enum kind kind, long bytes, long mode);
struct mctx *ctx_find(struct model *m, enum kind kind, int key); /* but regions */
struct mctx *region_find(struct model *m, long name);
int ctx_names(const struct mctx *c);
void region_unname(struct mctx *c, long name); /* -1: all its names */
static inline int ctx_index(const struct model *m, const struct mctx *c)
{
    return (int)(c - m->ctx);
}
static inline long ctx_pages(const struct mctx *c)
{
    return (c->bytes + PAGE - 1) / PAGE;
}
bool ctx_may(const struct mctx *c, const struct mproc *p, unsigned want);
bool ctx_mine(const struct mctx *c, const struct mproc *p);
int ctx_mappings(const struct model *m, int ctx);
int ctx_users(const struct model *m, int ctx);
bool ctx_promise_fails(long bytes);
void ctx_resize(struct model *m, struct mctx *c, long bytes);
void ctx_fill(struct mctx *c, long idx);
void model_settle(struct model *m); /* after each call: what is over ends, locks pass on */

/* ---- model_vm.c: pages of processes */
#define MAY_R 4u
#define MAY_W 2u
int mapped_times(const struct mproc *p, int ctx);
struct mvm *vm_at(struct mproc *p, long va);
bool vm_free(const struct mproc *p, long va, long n);
void vm_remove(struct mproc *p, long va, long n);
void vm_remove_mapping(struct mproc *p, int mapping);
struct mvm *vm_insert(struct mproc *p, const struct mvm *page);
void vm_map(struct model *m, struct mproc *p, long n, const struct mvm *first);
bool vm_choice(const struct mproc *p, long va, long n); /* may the kernel have chosen it? */
long vm_touch(struct model *m, struct mproc *p, long va, bool write, struct mword **page);
void vm_populate(struct model *m, struct mproc *p, long va, long n);

/* Do they look as if one call had mapped them? */
bool vm_alike(const struct mvm *low, const struct mvm *high);

/* ---- the calls */
#define X(name)                                                                                    \
    long do_##name(struct model *m, struct mproc *p, const long a[], const struct answer *got,     \
                   struct answer *want);
OPS(X)
#undef X
