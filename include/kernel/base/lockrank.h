/* The order of all locks, checked at run time in debug builds.
 *
 * A thread may take a lock only if its rank is greater than that of every lock it holds (so never
 * two of one rank, but for the pairs that say so below).  Ranks below RANK_SPIN sleep; the others
 * spin with interrupts off. kernel/README.md has the table of which lock protects what.
 *
 * Every violation is a panic, which shows the calls that broke the rule and, for each lock held,
 * the calls that took it.  context.h has the rules about where code runs. */
#pragma once

#include <lib/util.h>

enum lock_rank {
    /* locks that sleep */
    RANK_FS_TREE = 1, /* fs: names of all directories */
    RANK_VNODE,       /* fs: one file's data and size */
    RANK_SHM_DOOR,    /* fs: a door's whole call: xv6 and zone ids, System V keys */
    RANK_ADDRSPACE,   /* mm: A, the set of memregions; fork holds parent's then child's
                         (rwlock_write_nested) */
    RANK_RMAP,        /* mm: the memregions that map a store */
    RANK_SPIN,
    /* locks that spin */
    RANK_CTABLE = RANK_SPIN, /* fs: T, names, lifetime, counts and owners of contexts */
    RANK_MEMSTORE,           /* mm: s, cached pages and their states */
    RANK_PROCTABLE,          /* proc: the process tree, pids, wait */
    RANK_SIGNAL,             /* proc: one process's signals and threads */
    RANK_FUTEX,              /* proc: who waits for which word */
    RANK_FDTABLE,            /* fs: descriptors of one process */
    RANK_FILE,               /* fs: state of a pipe, the poll queue, console input */
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

/* A release kernel keeps no record. */
#define LOCKS_HELD_MAX (KERNEL_DEBUG ? 16 : 1)
#define LOCK_CALLS_MAX 8

struct lock_held {
    const void *lock;
    const char *name;
    enum lock_rank rank;
    unsigned ncalls;
    uintptr_t calls[LOCK_CALLS_MAX]; /* return addresses of the calls that took it, innermost
                                        first */
};

/* The locks one thread (or one CPU before it has threads) holds, in order. */
struct lock_stack {
    unsigned depth;
    unsigned spins;                            /* how many of them spin */
    struct lock_held held[LOCKS_HELD_MAX + 1]; /* the last: a sleeping lock that was released */
};

/* Makes `stack` the one this CPU records into (NULL: the CPU's own boot stack).  Interrupts off. */
void lock_rank_switch(struct lock_stack *stack);

/* Who takes a lock: `frame` is __builtin_frame_address(0) of the function of the lock that was
 * called. */
struct lock_taker {
    const void *lock;
    const char *name;
    enum lock_rank rank;
    bool nested; /* a second lock of the same rank is allowed */
    void *frame;
};

/* No-ops in release builds, like all that follows.  Would it be wrong to take the lock now?  Asked
 * before a wait for it, so that a wrong order is a panic even when it would be a deadlock. */
void lock_rank_check(const struct lock_taker *taker);
/* Checks, and records that it is held.  Of a spin lock: interrupts off. */
void lock_rank_acquire(const struct lock_taker *taker);
/* Panics when the lock is not held by this context. */
void lock_rank_release(const void *lock);

/* Does the current context hold the lock?  True in release builds and in a panic. */
bool lock_rank_holds(const void *lock);

/* Does the current context hold a lock of `rank`?  Debug builds only; false in release. */
bool lock_rank_held(enum lock_rank rank);

/* Prints the locks this CPU's current context holds, and the calls that took them; for a panic. */
void lock_rank_print(void);
