/* Inside of the region service: contexts and the table.  Doors (shm_*.c) and the other shmms_*.c
 * files include this. */
#pragma once

#include <kernel/fs/shm.h>

extern struct spinlock ctable_lock GUARDED_BY(ctable_lock); /* T */

/* Who ends and has many regions or locks lets go of T after so many. */
#define SHM_EXIT_PIECE 64u

struct shm_user;
struct vnode;

enum shm_kind {
    SHM_NAMED, /* the native calls, and files of /dev/shm */
    SHM_XV6,
    SHM_ZONE,
    SHM_SYSV,
    SHM_KIN,   /* fry pages */
    SHM_MEMFD, /* no key */
    SHM_ANON,  /* no key: shared anonymous memory */
    SHM_KINDS
};

enum shm_state {
    SHM_ACTIVE,
    SHM_CLOSING, /* being destroyed: the key is taken, new mappings by name are refused; loses its
                    key with the last one */
    SHM_DEAD,    /* nobody can find or use it; memory goes with the last reference */
};

/* Who has a context mapped, and how often.  One for each address space that does. */
struct shm_attach {
    struct rbnode node GUARDED_BY(ctable_lock); /* T  of smemcontext.attaches, by address of `as` */
    struct addrspace *
        as GUARDED_BY(ctable_lock);            /* T  only compared; alive, since it has a mapping */
    unsigned mappings GUARDED_BY(ctable_lock); /* T  > 0 */
    unsigned opens GUARDED_BY(ctable_lock);    /* T  a door's own count (X2); inherited by fork */
};

/* System V's part of a context (shmctl(2)). */
struct shm_sysv {
    int id;                          /* c  once it has one */
    int key GUARDED_BY(ctable_lock); /* T  IPC_PRIVATE once removed */
    int64_t attach_s GUARDED_BY(ctable_lock), detach_s GUARDED_BY(ctable_lock),
        change_s GUARDED_BY(ctable_lock); /* T  since 1970; 0: never */
    uint32_t creator_pid GUARDED_BY(ctable_lock), last_pid GUARDED_BY(ctable_lock); /* T */
    uint32_t creator_uid, creator_gid;                                              /* c */
};

/* A context as a file: of the kinds context_has_file() names (shm_file.c, shmms_link.c). */
struct shm_as_file {
    struct vnode *vnode
        GUARDED_BY(ctable_lock); /* T  shows the context, not counted; NULL when there is none */
    struct list links GUARDED_BY(ctable_lock); /* T  its other names */
    int64_t atime_ns GUARDED_BY(ctable_lock), mtime_ns GUARDED_BY(ctable_lock),
        ctime_ns GUARDED_BY(ctable_lock); /* T  what the vnode last showed; 0: nobody has looked */
};

/* c constant   T ctable lock.
 * How long it lives: while it is mapped, or somebody uses it (an open file, a call in progress), or
 * its rule keeps it (context_is_kept).  Each mapping and each use holds a reference to the store,
 * so that dead memory is never touched. */
struct smemcontext {
    struct memstore store;
    struct rbnode key_node GUARDED_BY(ctable_lock); /* T  of the tree of keys, while `named` */
    struct rbnode id_node GUARDED_BY(ctable_lock);  /* T  of the tree of all contexts, until dead */
    uint64_t hash;                                  /* c */
    char *key;   /* c  key_bytes with the NUL; "" when it never had one */
    uint64_t id; /* c  never reused (A8) */
    size_t size_bytes
        GUARDED_BY(ctable_lock); /* T  rounded up to pages, but for files (P2): as ftruncate said */
    uint16_t key_bytes;          /* c */
    uint16_t mode GUARDED_BY(ctable_lock);    /* T  permission bits (A9) */
    uint8_t kind;                             /* c  enum shm_kind */
    uint8_t state GUARDED_BY(ctable_lock);    /* T  enum shm_state */
    uint8_t flags;                            /* c  RS_PERSIST, RS_NORESERVE */
    bool named : 1 GUARDED_BY(ctable_lock);   /* T  can be found by a name */
    bool has_key : 1 GUARDED_BY(ctable_lock); /* T  by its own: in the tree of keys */
    bool owner_died : 1 GUARDED_BY(
        ctable_lock); /* T  while nobody has the lock: the last owner left without unlocking */
    bool sysv_removed : 1 GUARDED_BY(ctable_lock); /* T  IPC_RMID: only mappings keep it */
    bool sysv_locked : 1 GUARDED_BY(ctable_lock);  /* T  SHM_LOCK */
    uint32_t uid GUARDED_BY(ctable_lock), gid GUARDED_BY(ctable_lock); /* T */
    uint32_t users GUARDED_BY(ctable_lock);                            /* T */
    uint32_t mappings GUARDED_BY(ctable_lock);                         /* T  sum over attaches */
    struct rbtree attaches GUARDED_BY(ctable_lock);                    /* T */
    struct shm_process *
        creator GUARDED_BY(ctable_lock); /* T  of a context that lives while its creator lives; NULL
                                            once it has exited */
    struct list creator_node
        GUARDED_BY(ctable_lock); /* T  of creator->created; of a local list on its way out */
    struct waitq unnamed_wait GUARDED_BY(ctable_lock);     /* T  destroyers */
    struct shm_thread *lock_owner GUARDED_BY(ctable_lock); /* T */
    struct addrspace *
        lock_as GUARDED_BY(ctable_lock);           /* T  through which the owner has it mapped */
    struct list held_node GUARDED_BY(ctable_lock); /* T  of lock_owner->held */
    struct list
        lock_waiters GUARDED_BY(ctable_lock); /* T  struct lock_waiter, in order of arrival */
    struct shm_user *
        account GUARDED_BY(ctable_lock); /* T  of the user whom it is charged to (A7) */
    union {
        struct shm_sysv sysv; /* of kind SHM_SYSV */
        struct shm_as_file file;
    };
};

/* ---- shmms.c: the table, and how long contexts live. */

struct shm_spec {
    enum shm_kind kind;
    const char *key; /* NULL: none */
    size_t size_bytes;
    unsigned flags; /* RS_PERSIST, RS_NORESERVE */
    unsigned mode;
    bool lives_with_creator; /* R4 */
};

/* Makes a context, promises its memory (A7), charges it to the user, and enters it; the caller is
 * its first user (context_drop).  -EEXIST, -ENOMEM (a size that cannot be rounded, too). */
err_t context_create(const struct shm_caller *who, const struct shm_spec *spec,
                     struct smemcontext **out) EXCLUDES(ctable_lock);

/* The named context of this kind and key, active or closing.  T held. */
struct smemcontext *ctable_find(enum shm_kind kind, const char *key) REQUIRES(ctable_lock);

/* The context of this id, NULL when it is over.  T held. */
struct smemcontext *ctable_find_id(uint64_t id) REQUIRES(ctable_lock);

/* The same by name, with a use for the caller (context_drop); NULL when there is none.  T not held.
 */
struct smemcontext *context_hold(enum shm_kind kind, const char *key) EXCLUDES(ctable_lock);

/* One more use.  T held, and the context is not dead. */
void context_hold_locked(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* One use less; the last may end the context.  T not held; may sleep. */
void context_drop(struct smemcontext *ctx) EXCLUDES(ctable_lock);

/* Takes the key away, and wakes destroyers.  True when the context is over: the caller then calls
 * context_bury without T.  T held. */
bool context_unname(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* The same for one name only (RS_UNLINK). */
bool context_unlink(struct smemcontext *ctx, const char *key) REQUIRES(ctable_lock);

/* Is nobody left that keeps the context?  Then it is dead from here on (true, once) and the caller
 * calls context_bury. T held. */
bool context_check_over(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* Does its rule keep a context that nobody uses or has mapped?  T held. */
bool context_is_kept(const struct smemcontext *ctx) REQUIRES(ctable_lock);

/* Drops the table's reference to a dead context.  T not held; may sleep. */
void context_bury(struct smemcontext *ctx) EXCLUDES(ctable_lock);

/* The context after `ctx` in order of creation (NULL: the first) whose id is at most `last`, with a
 * reference to its store that the caller drops; the reference to `ctx` is dropped.  A walk that
 * does not say where it ends can be kept going by whoever makes contexts.  T not held; may sleep.
 */
struct smemcontext *context_next(struct smemcontext *ctx, uint64_t last) EXCLUDES(ctable_lock);

/* The id of the newest context.  T not held. */
uint64_t context_last_id(void) EXCLUDES(ctable_lock);

/* Contexts of a kind that are alive, and whoever waits for one to come (Z1, R7).  T held. */
unsigned ctable_count_kind(enum shm_kind kind) REQUIRES(ctable_lock);
err_t ctable_wait_created(uint64_t deadline_ns) REQUIRES(ctable_lock);
void ctable_created(void) REQUIRES(ctable_lock); /* there is one more name: wakes them */

/* How the owner and mode of a context allow `want` (MAY_*).  T held. */
bool context_may(const struct smemcontext *ctx, const struct cred *cred, unsigned want)
    REQUIRES(ctable_lock);

/* May the caller change or destroy it: owner or root?  T held. */
bool context_may_control(const struct smemcontext *ctx, const struct cred *cred)
    REQUIRES(ctable_lock);

/* Changes the size, promise and charge included: -ENOMEM.  May sleep; T not held; the caller
 * serializes. */
err_t context_resize(struct smemcontext *ctx, size_t size_bytes) EXCLUDES(ctable_lock);

static inline struct smemcontext *context_of(struct memstore *store)
{
    return container_of(store, struct smemcontext, store);
}
static inline bool context_has_file(const struct smemcontext *ctx)
{
    return ctx->kind == SHM_NAMED || ctx->kind == SHM_MEMFD;
}
bool store_is_context(const struct memstore *store);

uint64_t ctable_hash(enum shm_kind kind, const char *key);

/* ---- shmms_link.c: more names than one.  T held but for context_link. */

/* One more name.  -EEXIST, -ENOENT (it has none any more), -EMLINK, -ENOMEM. */
err_t context_link(struct smemcontext *ctx, const char *key) EXCLUDES(ctable_lock);
struct smemcontext *link_find(uint64_t hash, const char *key) REQUIRES(ctable_lock);

/* Removes the link of that name, or with NULL all links; was it there? */
bool links_remove(struct smemcontext *ctx, const char *key) REQUIRES(ctable_lock);
unsigned context_names(const struct smemcontext *ctx) REQUIRES(ctable_lock);

/* The name in place `i` of CONTEXT_NAMES_MAX, or NULL.  It keeps its place as long as it is there,
 * whatever others do. */
#define CONTEXT_NAMES_MAX 16u
const char *context_name(const struct smemcontext *ctx, unsigned i) REQUIRES(ctable_lock);

/* ---- shmms_map.c */
err_t shm_store_mapped(struct memstore *store, const struct mapping_event *event)
    EXCLUDES(ctable_lock);
void shm_store_unmapped(struct memstore *store, struct addrspace *as) EXCLUDES(ctable_lock);
struct shm_attach *attach_find(struct smemcontext *ctx, struct addrspace *as)
    REQUIRES(ctable_lock); /* T held */

/* ---- shmms_limits.c: what each user may have at once (A7).  T held. */

/* Charges one context of `pages` to uid; -ENOMEM past a limit, or without memory for the account.
 */
err_t account_charge(uint32_t uid, size_t pages, struct shm_user **account) REQUIRES(ctable_lock);
err_t account_resize(struct shm_user *account, size_t old_pages, size_t new_pages)
    REQUIRES(ctable_lock);
void account_release(struct shm_user *account, size_t pages) REQUIRES(ctable_lock);

/* ---- shmms_lock.c.  T held. */

/* The address space has no mapping left: its threads lose and stop waiting for the lock (R9, R10).
 */
void region_lock_detached(struct smemcontext *ctx, struct addrspace *as) REQUIRES(ctable_lock);

/* The region has no name any more: who waits for its lock hears that it is gone (R9). */
void region_lock_closed(struct smemcontext *ctx) REQUIRES(ctable_lock);
unsigned region_lock_waiters(const struct smemcontext *ctx) REQUIRES(ctable_lock);

/* ---- shm_file.c.  T held: the vnode of the context, if there is one, shows its new mode; or that
 * it has no name any more. */
void shm_file_mode_changed(struct smemcontext *ctx) REQUIRES(ctable_lock);
void shm_file_names_changed(struct smemcontext *ctx) REQUIRES(ctable_lock);

/* ---- shm_sysv.c, shm_sysv_ids.c: what the table tells the System V door.  T held. */
void shm_sysv_mapped(struct smemcontext *ctx) REQUIRES(ctable_lock);
void shm_sysv_unmapped(struct smemcontext *ctx) REQUIRES(ctable_lock);
void shm_sysv_over(struct smemcontext *ctx)
    REQUIRES(ctable_lock); /* dead: its id means nothing any more */
void shm_sysv_check(const struct smemcontext *ctx)
    REQUIRES(ctable_lock); /* invariants (shmms_check.c) */
