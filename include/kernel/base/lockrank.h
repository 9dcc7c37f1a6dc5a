/* The order of all locks, checked at run time in debug builds.
 *
 * A thread may take a lock only if its rank is greater than that of every lock it holds (so never
 * two of one rank, but for the pairs that say so below).  Ranks below RANK_SPIN sleep; the others
 * spin with interrupts off. kernel/README.md has the table of which lock protects what. */
#pragma once

#include <lib/util.h>

enum lock_rank {
    /* locks that sleep */
    RANK_FS_TREE = 1, /* fs: names of all directories */
    RANK_VNODE,       /* fs: one file's data and size */
    RANK_SHM_DOOR,    /* fs: a door's whole call: xv6 and zone ids, System V keys */
    RANK_ADDRSPACE,   /* mm: A, the set of memregions; fork holds parent's then child's
                         (lock_rank_nested) */
    RANK_RMAP,        /* mm: the memregions that map a store */
    RANK_SPIN,
    /* locks that spin */
    RANK_CTABLE = RANK_SPIN, /* fs: T, names, lifetime, counts and owners of contexts */
    RANK_MEMSTORE,           /* mm: s, cached pages and their states */
    RANK_PROCTABLE,          /* proc: the process tree, pids, wait */
    RANK_SIGNAL,             /* proc: one process's signals and threads */
    RANK_FUTEX,              /* proc: who waits for which word */
    RANK_FDTABLE,            /* proc: descriptors of one process */
    RANK_FILE,               /* fs: offset of an open file, pipe state, console input */
    RANK_SLEEPLOCK,          /* sched: inside of a mutex or rwlock */
    RANK_VPMAP,              /* mm: page table of one addrspace */
    RANK_KMEM,               /* phys: one object cache */
    RANK_PMEM,               /* phys: buddy lists */
    RANK_TIMER,              /* sched: one CPU's timers */
    RANK_THREADS,            /* sched: list of all threads */
    RANK_RUNQ,               /* sched: one CPU's run queue */
    RANK_CONSOLE,            /* base: output */
    RANK_MAX
};

#define LOCKS_HELD_MAX 16

struct lock_held {
    const void *lock;
    const char *name;
    uintptr_t pc; /* where it was taken */
    enum lock_rank rank;
};

/* The locks one thread (or one CPU before it has threads) holds, in order. */
struct lock_stack {
    unsigned depth;
    struct lock_held held[LOCKS_HELD_MAX];
};

/* Makes `stack` the one this CPU records into (NULL: the CPU's own boot stack).  Interrupts off. */
void lock_rank_switch(struct lock_stack *stack);

/* Called by the locks.  Panic on a wrong order or a release of what is not held.  No-ops in release
 * builds. */
void lock_rank_acquire(const void *lock, const char *name, enum lock_rank rank, uintptr_t pc);
void lock_rank_acquire_nested(const void *lock, const char *name, enum lock_rank rank,
                              uintptr_t pc); /* same rank allowed */
void lock_rank_release(const void *lock);

/* Panics when this context may not sleep: interrupts off or a spin lock held.  `what` says who
 * asks. */
void assert_may_sleep(const char *what);

/* Panics when the current thread holds any lock (on return to user mode). */
void assert_no_locks(const char *what);

/* Does the current context hold a lock of `rank`?  Debug builds only; false in release. */
bool lock_rank_held(enum lock_rank rank);

/* Prints the held locks of this CPU's current context, one a line. */
void lock_rank_print(void);
