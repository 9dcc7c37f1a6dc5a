/* Inside of kernel/sched: one CPU's scheduler state. */
#pragma once

#include <arch/cpu.h>
#include <kernel/base/spinlock.h>
#include <kernel/sched/thread.h>

/* How long a thread may run while others wait for its CPU. */
#define SLICE_NS (10 * NS_PER_MS)

/* q lock   o this CPU only, interrupts off   a atomic */
struct cpu {
    struct spinlock lock;    /* rank RUNQ */
    struct list runq;        /* q */
    unsigned nqueued;        /* q to write, atomic to read */
    struct thread *idle;     /* o */
    struct thread *previous; /* o  whom the running switch leaves */
    uint32_t is_idle;        /* a  halted or about to; a new thread needs a kick */
    uint32_t need_resched;   /* a */
    uint32_t online;         /* a */
    uint64_t slice_end_ns;   /* o */
    uint64_t armed_ns;       /* o  what the timer device is set to */
};

extern struct cpu sched_cpus[CPUS_MAX];

/* This CPU's; interrupts off. */
static inline struct cpu *cpu_self(void)
{
    return &sched_cpus[arch_cpu_id()];
}

/* Gives up the CPU.  `requeue`: the current thread goes to the end of this CPU's queue; otherwise
 * it is BLOCKED or DEAD, and whoever changes BLOCKED to RUNNABLE queues it.  Interrupts off; they
 * are off on return. */
void schedule(bool requeue);

/* The first code of a new thread, on its own stack; `arg` is the thread. */
void thread_first_run(void *arg);

/* Puts a RUNNABLE thread that is on no CPU on a run queue, and kicks that CPU if it must look. */
void sched_enqueue(struct thread *t);

/* Makes the timer device fire no later than `deadline_ns`.  Interrupts off. */
void sched_arm_timer(uint64_t deadline_ns);

/* The earliest deadline of this CPU's timers, after expiring those that are due.  Interrupts off.
 */
uint64_t timer_run_expired(uint64_t now_ns);
uint64_t timer_next_deadline(void);
