/* The simulated CPUs of the host machine: private to arch/host. */
#pragma once

#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/thread.h>

#define SIM_IRQ_TIMER 1u
#define SIM_IRQ_KICK  2u
#define SIM_IRQ_TLB   4u

struct vpmap;

struct cpu_local {
    struct host_cpu seen; /* by portable code */
    unsigned id;
    bool lazy;                    /* tlb.c */
    struct vpmap *map;            /* tlb.c */
    struct arch_thread *thread;   /* NULL before the first switch */
    struct host_context *running; /* where this CPU goes on; stale while it is the one being run */
    struct host_context boot;
    bool started, halted;
    unsigned pending; /* SIM_IRQ_* */
    uint64_t deadline_ns;
};

extern struct cpu_local sim_cpus[CPUS_MAX];
extern unsigned sim_ncpus; /* that have been started */

struct cpu_local *cpu_self(void);

void sim_interrupt(unsigned cpu, unsigned irq);

/* The interrupts that this CPU has to take: none are pending any more. */
unsigned sim_take_pending(struct cpu_local *cpu);
/* Takes them. */
void sim_take_interrupts(void);

/* Can this CPU look at what belongs to others? */
bool sim_others_stand_still(void);

/* From outside: lets the machine run until somebody in it calls sim_leave(). */
void sim_run(struct host_context *outside);
void sim_leave(struct host_context *outside);

/* Starts as many CPUs as `max` allows beyond those that run; `entry` on a stack of its own each. */
void sim_start(unsigned cpu, void (*entry)(void *arg));

/* The same numbers for the same seed. */
uint64_t sim_random(uint64_t below);

/* context.c: leaves `from` for `to`; returns when somebody comes back. */
void context_switch(struct host_context *from, struct host_context *to);
/* Prepares a first switch to entry(arg) on an empty stack. */
void context_init(struct host_context *c, void *stack_beg, size_t stack_bytes,
                  void (*entry)(void *arg), void *arg);
/* Goes on in entry() at the empty end of the stack of the running context, leaving all there is. */
_Noreturn void context_restart(struct host_context *c, void (*entry)(void));

/* tlb_model.c: where the CPU finds the byte at `va`, or NULL when it faults.  `access`: a VP_*. */
void *tlb_translate(uintptr_t va, unsigned access);

/* Copies from or to a place found so: it may change or be written meanwhile. */
void tlb_copy(char *to, const char *from, size_t n);

/* A frame is being let go: no CPU may still find it. */
void tlb_check_unused(paddr_t beg, size_t bytes);
