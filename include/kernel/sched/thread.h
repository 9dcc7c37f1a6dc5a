/* Threads and the scheduler: one round-robin run queue a CPU, idle CPUs steal.  Kernel code is
 * preemptible whenever interrupts are on, which is never the case under a spin lock. */
#pragma once

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/base/lockrank.h>
#include <kernel/phys/failpoint.h>
#include <lib/err.h>
#include <lib/list.h>

enum thread_state {
    THREAD_NEW,
    THREAD_RUNNABLE, /* running, or on a run queue */
    THREAD_BLOCKED,  /* on a wait queue, or waiting for a time */
    THREAD_DEAD,     /* left for good; freed once it is off its CPU */
};

/* Why a thread should leave a sleep early (thread_notify).  Who is told NOTIFY_KILL does not return
 * to its program. */
#define NOTIFY_SIGNAL 1u /* ends SLEEP_INTERRUPTIBLE */
#define NOTIFY_KILL   2u /* ends SLEEP_INTERRUPTIBLE and SLEEP_KILLABLE */

enum sleep_mode {
    SLEEP_UNINTERRUPTIBLE, /* only for waits that end by themselves */
    SLEEP_KILLABLE,
    SLEEP_INTERRUPTIBLE,
};

/* c constant after thread_init   a atomic   o the thread itself   r run queue lock   t
 * RANK_THREADS lock */
struct thread {
    struct arch_thread arch;    /* o */
    struct vpmap *vpmap;        /* o  page table of a user thread; NULL: whatever is loaded */
    uint32_t state;             /* a  enum thread_state */
    uint32_t on_cpu;            /* a  1 from the switch to it until the switch away is complete */
    uint32_t notify;            /* a  NOTIFY_* */
    uint32_t sleep_mode;        /* a  enum sleep_mode, valid while BLOCKED */
    unsigned cpu;               /* a  where it runs or ran last */
    uint64_t id;                /* c  never reused: a thread's generation */
    int pid;                    /* c once started  of its process; 0: a kernel thread */
    void *stack;                /* c  KSTACK_BYTES, freed with the thread */
    struct list runq_node;      /* r */
    struct list all_node;       /* t */
    struct lock_stack locks;    /* o */
    struct failpoint failpoint; /* o */
    uint64_t run_clock;         /* a  CPU time so far in ns; while it runs, THREAD_RUNS and when it
                                   would have begun, had it run in one piece */
    void (*entry)(void *arg);   /* c */
    void *arg;                  /* c */
    void (*release)(struct thread *t); /* c  frees the structure t is embedded in; no sleeping,
                                          interrupts off */
    char name[16];                     /* o  for people */
};

#define THREAD_RUNS ((uint64_t)1 << 63) /* in run_clock */

static inline struct thread *thread_current(void)
{
    return arch_current();
}

/* Makes *t (zeroed) a thread that will call entry(arg) with interrupts on.  -ENOMEM.  Undo with
 * thread_destroy until it has been started. */
err_t thread_init(struct thread *t, const char *name, void (*entry)(void *arg), void *arg,
                  bool user, void (*release)(struct thread *t));
void thread_destroy(struct thread *t);
void thread_start(struct thread *t);

/* A kernel thread with storage of its own.  NULL when out of memory. */
struct thread *kthread_create(const char *name, void (*entry)(void *arg), void *arg);

/* Ends the current thread.  Interrupts on, no lock held. */
_Noreturn void thread_exit(void);

/* Lets others run; returns when it is this thread's turn again. */
void thread_yield(void);

/* Makes a BLOCKED thread runnable; false if it was not blocked.  Any context that may take
 * RANK_RUNQ; the caller keeps the thread alive. */
bool thread_wake(struct thread *t);

/* Sets notify bits and ends a sleep that they may end; kicks the CPU of a running thread so that it
 * looks. */
void thread_notify(struct thread *t, unsigned bits);
void thread_clear_notify(struct thread *t, unsigned bits);

/* Should the current thread leave a sleep of this mode at once? */
bool thread_interrupted(enum sleep_mode mode);

/* Sleeps until the time, or forever with NS_NEVER.  0 at the time; -EINTR. */
err_t thread_sleep_until(uint64_t deadline_ns, enum sleep_mode mode);

/* CPU time of a thread so far; never less than an earlier answer. */
uint64_t thread_run_ns(const struct thread *t);

/* Calls fn for every thread, without the lock of their list: a last look, before a panic. */
void thread_for_each_unlocked(void (*fn)(struct thread *t, void *arg), void *arg);
size_t thread_count(void);
struct audit;
void thread_audit(struct audit *audit);

/* Boot: makes the running context of this CPU its first (idle) thread.  The boot CPU first, then
 * each other. */
void sched_init_cpu(void);

/* The idle loop of this CPU; interrupts off on entry. */
_Noreturn void sched_idle(void);

/* May this context switch away now?  Set need_resched earlier by a timer or kick.  Interrupts off.
 */
void sched_preempt(void);
void sched_tick(void); /* timer interrupt */
