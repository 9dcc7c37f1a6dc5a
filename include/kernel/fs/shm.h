/* The region service: one locked table (ctable) of contexts, and the doors onto it (regions.md).
 *
 * A context (struct smemcontext, kernel/fs/shmms.h inside) is a memstore with a key, a lifetime
 * rule, a count of who has it mapped, and a lock.  Nothing here knows processes: a caller says who
 * it is with a struct shm_caller. */
#pragma once

#include <abi/region.h>
#include <kernel/mm/addrspace.h>

/* What a process is to the table: the creator of contexts that live while it lives (R4).  Embedded
 * in a process. */
struct shm_process {
    struct list created; /* T  contexts by smemcontext.creator_node */
    uint32_t pid;        /* c  for people to read */
};

/* What a thread is to the table: the holder of region locks (R9, R10).  Embedded in a user thread.
 */
struct shm_thread {
    struct list held; /* T  contexts by smemcontext.held_node */
    uint64_t id;      /* c  thread generation, never reused */
    uint32_t tid;     /* c  for people to read */
};

/* On whose behalf a call is made. */
struct shm_caller {
    struct addrspace *as;
    struct shm_process *process;
    struct shm_thread *thread;
};

void shm_process_init(struct shm_process *p, uint32_t pid);
void shm_thread_init(struct shm_thread *t, uint64_t id, uint32_t tid);

/* The creator has exited, its mappings are gone: contexts that live by it alone go too (R4). */
void shm_process_exit(struct shm_process *p);

/* The thread dies or execs: its region locks pass on (R10). */
void shm_thread_exit(struct shm_thread *t);

/* 0, or -EINVAL if `name` is not a region name (R1). */
err_t shm_name_check(const char *name, size_t length);

/* The native calls; `name` is in kernel memory and checked.  Errors as regions.md gives them
 * (negative errno). */
err_t shm_create(const struct shm_caller *who, const char *name, size_t size_bytes, unsigned flags);
err_t shm_destroy(const struct shm_caller *who, const char *name);
err_t shm_map(const struct shm_caller *who, const char *name, uintptr_t *addr);
err_t shm_unmap(const struct shm_caller *who, const char *name, uintptr_t addr);
err_t shm_lock(const struct shm_caller *who, const char *name, bool wait);
err_t shm_unlock(const struct shm_caller *who, const char *name);

/* Walks the table, one context after another in table order, T not held during fn. */
struct shm_info {
    const char *kind;
    char key[RS_NAME_MAX + 1];
    uint64_t id;
    size_t size_bytes;
    size_t resident_pages;
    unsigned mappings;
    uint32_t creator_pid;    /* 0 when it is gone */
    uint32_t lock_owner_tid; /* 0 when free */
    unsigned lock_waiters;
    bool closing; /* being destroyed */
};
void shm_for_each(void (*fn)(const struct shm_info *info, void *arg), void *arg);

/* Boot: /proc/regions. */
void shm_proc_init(void);

/* Invariants of the table (shmms_check.c); panics on the first violation.  Quiet points only. */
void shm_check(void);

/* Contexts in the table. */
size_t shm_count(void);

struct audit;
void shm_audit(struct audit *audit);

/* Shutdown: removes persistent contexts.  No process is left. */
void shm_shutdown(void);
