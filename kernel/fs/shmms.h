/* Inside of the region service: contexts and the table.  Doors and the other shmms_*.c files
 * include this. */
#pragma once

#include <kernel/fs/shm.h>

enum shm_kind {
    SHM_NAMED, /* the native calls */
    SHM_KINDS
};

enum shm_state {
    SHM_ACTIVE,
    SHM_CLOSING, /* being destroyed: the name is taken, but new mappings are refused; goes with the
                    last mapping */
    SHM_DEAD,    /* out of the table; memory goes with the last reference */
};

/* Who has a context mapped, and how often.  One for each address space that does. */
struct shm_attach {
    struct rbnode node;   /* T  of smemcontext.attaches, by address of `as` */
    struct addrspace *as; /* T  only compared; alive, since it has a mapping */
    unsigned mappings;    /* T  > 0 */
};

/* c constant   T ctable lock.
 * The table holds one reference to the store while the context is in the tree; a call in progress,
 * a sleeping locker or destroyer, and each mapping hold theirs. */
struct smemcontext {
    struct memstore store;
    struct rbnode node;            /* T  of ctable, by (hash, kind, key) */
    uint64_t hash;                 /* c */
    char *key;                     /* c  key_bytes with the NUL */
    size_t key_bytes;              /* c */
    uint64_t id;                   /* c  never reused (A8) */
    size_t size_bytes;             /* c  rounded up to pages (A1) */
    enum shm_kind kind;            /* c */
    unsigned flags;                /* c  RS_* */
    enum shm_state state;          /* T */
    unsigned mappings;             /* T  sum over attaches */
    struct rbtree attaches;        /* T */
    struct shm_process *creator;   /* T  NULL once it has exited */
    struct list creator_node;      /* T  of creator->created; of a local list on its way out */
    struct waitq dead_wait;        /* T  destroyers */
    struct shm_thread *lock_owner; /* T */
    struct addrspace *lock_as;     /* T  through which the owner has it mapped */
    struct list held_node;         /* T  of lock_owner->held */
    struct list lock_waiters;      /* T  struct lock_waiter, in order of arrival */
    bool owner_died; /* T  the last owner left without unlocking, and nobody has heard of it yet */
};

extern struct spinlock ctable_lock; /* T */

/* ---- shmms.c.  T held. */

/* The context of this kind and key that is in the table, active or closing; NULL. */
struct smemcontext *ctable_find(enum shm_kind kind, const char *key);
struct smemcontext *ctable_first(void);
struct smemcontext *ctable_after(uint64_t hash, enum shm_kind kind, const char *key);

/* Takes a context out of the table for good and wakes who waits for that.  The caller gets the
 * table's reference, and drops it without T. */
void ctable_retire(struct smemcontext *ctx);

/* Should an unmapped context go, by the rule of its kind (R4, R5)? */
bool ctable_is_over(const struct smemcontext *ctx);

/* ---- shmms_map.c */
err_t shm_store_mapped(struct memstore *store, struct addrspace *as, enum mapping_reason why);
void shm_store_unmapped(struct memstore *store, struct addrspace *as);
struct shm_attach *attach_find(struct smemcontext *ctx, struct addrspace *as); /* T held */

/* ---- shmms_lock.c.  T held. */

/* The address space has no mapping left: its threads lose and stop waiting for the lock (R9, R10).
 */
void region_lock_detached(struct smemcontext *ctx, struct addrspace *as);
unsigned region_lock_waiters(const struct smemcontext *ctx);
