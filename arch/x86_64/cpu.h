/* The per-CPU area and what each CPU sets up for itself. */
#pragma once

#include "layout.h"
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/thread.h>

struct tss {
    uint32_t unused0;
    uint64_t rsp[3]; /* stacks of rings 0 to 2 */
    uint64_t unused1;
    uint64_t ist[7];
    uint64_t unused2;
    uint16_t unused3, io_map; /* past the end: no port is open to user mode */
} __attribute__((packed));

/* IST numbers (1-based): traps that may come when the stack pointer cannot be trusted. */
enum ist {
    IST_NMI = 1,
    IST_DOUBLE_FAULT,
    IST_MACHINE_CHECK,
    IST_DEBUG,
    IST_COUNT = IST_DEBUG
};

/* c constant after init   o this CPU, interrupts off   a atomic
 * layout.h has the offsets of the first fields. */
struct cpu_local {
    struct cpu_local *self;     /* c */
    struct thread *current;     /* o */
    uint64_t kstack_top;        /* o  of the user thread that runs here; also in tss.rsp[0] */
    uint64_t user_rsp;          /* o  scratch of the SYSCALL entry */
    uint32_t id;                /* c */
    uint32_t apic_id;           /* c */
    bool online;                /* a */
    bool stopped;               /* a  halted by arch_stop_others or an NMI */
    bool lazy;                  /* o  runs no thread of `map` */
    struct vpmap *map;          /* o  loaded user map, NULL: the kernel's own */
    struct arch_thread *thread; /* o  NULL before the first switch */
    struct arch_uregs *trap;    /* o  of the interrupt or fatal trap being handled */
    uint64_t fs_base, gs_base;  /* o  the user's, in registers, while no user thread runs */
    uint64_t timer_deadline_ns; /* o */
    struct tss tss;             /* o  rsp[0] only */
    uint64_t gdt[9];            /* c */
};

extern struct cpu_local cpus[CPUS_MAX];

static inline struct cpu_local *cpu_self(void)
{
    struct cpu_local *cpu;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* The current user thread's.  With interrupts off: a thread that moves to another CPU between the
 * two loads would find somebody else's. */
static inline struct arch_thread *cpu_thread(void)
{
    bool irq = arch_irq_save();
    struct arch_thread *t = cpu_self()->thread;
    arch_irq_restore(irq);
    return t;
}

/* Sets up this CPU's registers, descriptor tables and stacks.  `ist_stacks` has IST_COUNT times
 * IST_STACK_BYTES.  False when the CPU lacks what the kernel needs. */
bool cpu_setup(unsigned id, void *ist_stacks);

/* Read by entry.S and usercopy.S: STAC and CLAC exist. */
extern uint8_t cpu_has_smap;

/* Fills the interrupt table; once. */
void idt_build(void);
void idt_load(void);
