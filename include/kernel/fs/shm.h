/* The region service: one locked table (ctable) of contexts, and the doors onto it (regions.md).
 *
 * A context (struct smemcontext, kernel/fs/shmms.h inside) is a memstore with a key, a lifetime
 * rule, rights, a count of who has it mapped, and a lock.  Nothing here knows processes: a caller
 * says who it is with a struct shm_caller. */
#pragma once

#include <abi/region.h>
#include <kernel/fs/cred.h>
#include <kernel/fs/vnode.h>
#include <kernel/mm/addrspace.h>

extern struct spinlock ctable_lock; /* T, which only the region service takes */

struct file;
struct shm_kin;
struct vnode;

/* What a process is to the table.  Embedded in a process. */
struct shm_process {
    struct list created GUARDED_BY(
        ctable_lock); /* T  contexts that live while it lives (R4), by smemcontext.creator_node */
    uint32_t pid;     /* c  for people to read */
    struct shm_kin *kin; /* c after shm_kin_init: its fry page, and through it its parent's (S1) */
};

/* What a thread is to the table: the holder of region locks (R9, R10).  Embedded in a user thread.
 */
struct shm_thread {
    struct list held GUARDED_BY(ctable_lock); /* T  contexts by smemcontext.held_node */
    uint64_t id;                              /* c  thread generation, never reused */
    uint64_t closed; /* o  context whose end its last shm_destroy has waited for */
    uint32_t tid;    /* c  for people to read */
};

/* On whose behalf a call is made. */
struct shm_caller {
    struct addrspace *as;
    struct shm_process *process;
    struct shm_thread *thread;
    const struct cred *cred;
};

void shm_process_init(struct shm_process *p, uint32_t pid);
void shm_thread_init(struct shm_thread *t, uint64_t id, uint32_t tid);

/* The creator has exited, its mappings are gone: contexts that live by it alone go too (R4). */
void shm_process_exit(struct shm_process *p);

/* The thread dies or execs: its region locks pass on (R10). */
void shm_thread_exit(struct shm_thread *t);

/* ---- Named regions: shmms_named.c, shmms_lock.c.  `name` is in kernel memory and checked.  Errors
 * as regions.md gives them (negative errno). */

/* 0, or -EINVAL if `name` is not a region name (R1). */
err_t shm_name_check(const char *name, size_t length);

err_t shm_create(const struct shm_caller *who, const char *name, size_t size_bytes, unsigned flags);

/* `how`: RS_WAIT, RS_NOWAIT or RS_UNLINK (R6); the deadline is RS_WAIT's.  After -EINTR the thread
 * may go on waiting for the region that it has closed, whatever its name means by then. */
err_t shm_destroy(const struct shm_caller *who, const char *name, unsigned how,
                  uint64_t deadline_ns);
err_t shm_destroy_resume(const struct shm_caller *who, uint64_t deadline_ns);

/* What createMappingWith asks for (R7). */
struct shm_map_how {
    unsigned flags;       /* RM_* */
    size_t offset_bytes;  /* page aligned */
    size_t length_bytes;  /* 0: to the end */
    uintptr_t addr;       /* with RM_FIXED */
    uint64_t deadline_ns; /* with RM_WAIT */
};
/* The place of the mapping goes to the user's `result`; -EFAULT if it cannot, and nothing is
 * mapped.
 */
err_t shm_map(const struct shm_caller *who, const char *name, const struct shm_map_how *how,
              uintptr_t result);
err_t shm_unmap(const struct shm_caller *who, const char *name, uintptr_t addr);

/* Waits for the lock until the deadline; 0: does not wait at all (tryLockRegion). */
err_t shm_lock(const struct shm_caller *who, const char *name, uint64_t deadline_ns);
err_t shm_unlock(const struct shm_caller *who, const char *name);
err_t shm_stat(const struct shm_caller *who, const char *name, struct region_stat *out);
err_t shm_chmod(const struct shm_caller *who, const char *name, unsigned mode);

/* ---- xv6 pages: shm_xv6.c (X1, X2).  -1 of the user's call is any error here. */
err_t shm_xv6_open(const struct shm_caller *who, int id, uintptr_t *addr);
err_t shm_xv6_close(const struct shm_caller *who, int id);

/* ---- Zones: shm_zone.c (Z1, Z2). */
err_t shm_zone_get(const struct shm_caller *who, int id, unsigned flags, int size_pages,
                   uintptr_t *addr);

/* ---- Shrimpy: shm_kin.c (S1 to S3). */

/* A new process, child of `parent` (NULL: of nobody); before it runs.  `shared`: the parent's
 * address space, when the child runs in it until it execs; else NULL.  -ENOMEM. */
err_t shm_kin_init(struct shm_process *p, struct shm_process *parent,
                   const struct addrspace *shared);
void shm_kin_exit(struct shm_process *p);

/* A fault at an address without a memregion.  FAULT_DONE: it was the fry or shrimp page, which is
 * mapped now; FAULT_NO_MEMORY: it would be; FAULT_NO_REGION: it is neither, or there is no parent.
 * May sleep. */
enum fault_result shm_kin_fault(const struct shm_caller *who, uintptr_t addr);

/* ---- System V: shm_sysv.c (V1).  As the manual pages say; structures in abi/sysv.h. */
long shm_sysv_get(const struct shm_caller *who, int key, size_t size_bytes, int flags);
long shm_sysv_attach(const struct shm_caller *who, int id, uintptr_t addr, int flags);
long shm_sysv_detach(const struct shm_caller *who, uintptr_t addr);
long shm_sysv_control(const struct shm_caller *who, int id, int command, uintptr_t user_buf);
void shm_sysv_init(void);     /* boot */
void shm_sysv_shutdown(void); /* removes every segment; no process is left */
struct textbuf;
void shm_sysv_print(struct textbuf *b); /* /proc/sysvipc/shm */

/* ---- Regions as files: shm_file.c (P1, P2), memfd_create, shared anonymous memory. */

/* Boot: enters the table as directory `shm` of dev.  Tree lock held; -EEXIST, -ENOMEM. */
err_t shm_file_init(struct vnode *dev) REQUIRES(names_lock);

/* A file of memory without a name, open for reading and writing.  -ENOMEM. */
err_t shm_memfd_create(const struct shm_caller *who, struct file **out);

/* A store of zeros for one shared anonymous mapping; shm_anon_done when mapped or given up. */
err_t shm_anon_create(const struct shm_caller *who, size_t size_bytes, bool reserve,
                      struct memstore **out);
void shm_anon_done(struct memstore *store);

/* ---- Looking in. */

/* Walks the table in order of creation, T not held during fn. */
struct shm_info {
    const char *kind;
    char key[RS_NAME_MAX + 1];
    uint64_t id;
    size_t size_bytes;
    size_t resident_pages;
    unsigned mappings;    /* of all processes */
    unsigned processes;   /* address spaces that have it mapped */
    unsigned users;       /* open files and the like */
    uint32_t creator_pid; /* 0 when it is gone */
    uint32_t uid, gid, mode;
    uint32_t lock_owner_tid; /* 0 when free */
    unsigned lock_waiters;
    uint64_t nfills;
    bool closing; /* being destroyed */
    bool named;   /* false: unlinked, or never had a name */
};
void shm_for_each(void (*fn)(const struct shm_info *info, void *arg), void *arg);

/* The kind and key of the context behind a mapping, for /proc/PID/maps; false when the store is no
 * context. */
bool shm_describe_store(const struct memstore *store, const char **kind, const char **key,
                        uint64_t *id);

/* Boot: /proc/regions and /proc/sysvipc/shm. */
void shm_proc_init(void);

/* Invariants of the table (shmms_check.c), at any time; panics on the first violation. */
void shm_check(void);

/* Contexts in the table. */
size_t shm_count(void);

struct audit;
void shm_audit(struct audit *audit);

/* Shutdown: removes persistent contexts.  No process is left. */
void shm_shutdown(void);
