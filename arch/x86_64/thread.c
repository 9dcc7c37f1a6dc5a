/* Kernel stacks, the user state that goes with them, and switching both. */
#include "cpu.h"
#include "entry.h"
#include "fpu.h"
#include "switch.h"
#include "x86.h"
#include <lib/string.h>

#define STACK_CANARY 0x5ca1ab1e0ddba11ul

_Static_assert(sizeof(struct arch_uregs) == UREGS_BYTES, "layout.h");
_Static_assert(offsetof(struct arch_uregs, r11) == REG_R11, "layout.h");
_Static_assert(offsetof(struct arch_uregs, rdi) == REG_RDI, "layout.h");
_Static_assert(offsetof(struct arch_uregs, vector) == REG_VECTOR, "layout.h");
_Static_assert(offsetof(struct arch_uregs, ss) == REG_SS, "layout.h");
_Static_assert(UREGS_BYTES % 16 == 0, "stack alignment of the calls in entry.S");

struct arch_uregs *arch_uregs(struct arch_thread *t)
{
    return (struct arch_uregs *)(t->stack_beg + KSTACK_BYTES) - 1;
}

void arch_thread_init(struct arch_thread *t, void *stack_beg, void (*entry)(void *arg), void *arg,
                      bool user)
{
    memset(t, 0, sizeof(*t));
    t->stack_beg = stack_beg;
    t->user = user;
    *(uint64_t *)stack_beg = STACK_CANARY;
    fpu_reset(t->fpu);
    memset(arch_uregs(t), 0, UREGS_BYTES);
    t->rsp = stack_prepare((uintptr_t)arch_uregs(t), entry, arg);
}

bool arch_stack_ok(const struct arch_thread *t)
{
    return !t->stack_beg || *(const uint64_t *)t->stack_beg == STACK_CANARY;
}

/* What the registers hold: user mode changes its bases behind our back by loading selectors. */
static void bases_read(struct cpu_local *cpu)
{
    cpu->fs_base = msr_read(MSR_FS_BASE);
    cpu->gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

static void user_state_save(struct arch_thread *t, struct cpu_local *cpu)
{
    fpu_save(t->fpu);
    bases_read(cpu);
    t->fs_base = cpu->fs_base;
    t->gs_base = cpu->gs_base;
}

/* Null selectors for every thread.  Loading GS clears the active base, so it happens with the
 * user's swapped in; an NMI in between looks at the sign of the base and finds its way. */
static void selectors_clear(struct cpu_local *cpu)
{
    uint16_t ds, es, fs, gs;
    __asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    if (!(ds | es | fs | gs))
        return;
    __asm__ volatile("swapgs\n\t"
                     "movl %0, %%gs\n\t"
                     "swapgs\n\t"
                     "movl %0, %%ds\n\t"
                     "movl %0, %%es\n\t"
                     "movl %0, %%fs"
                     :
                     : "r"(0)
                     : "memory");
    bases_read(cpu);
}

static void user_state_load(const struct arch_thread *t, struct cpu_local *cpu)
{
    fpu_load(t->fpu);
    selectors_clear(cpu);
    if (cpu->fs_base != t->fs_base)
        msr_write(MSR_FS_BASE, t->fs_base);
    if (cpu->gs_base != t->gs_base)
        msr_write(MSR_KERNEL_GS_BASE, t->gs_base);
    cpu->fs_base = t->fs_base;
    cpu->gs_base = t->gs_base;
}

void arch_switch(struct arch_thread *prev, struct arch_thread *next)
{
    struct cpu_local *cpu = cpu_self();
    if (prev->user)
        user_state_save(prev, cpu);
    cpu->thread = next;
    if (next->user) {
        cpu->kstack_top = cpu->tss.rsp[0] = (uintptr_t)next->stack_beg + KSTACK_BYTES;
        user_state_load(next, cpu);
    }
    stack_switch(&prev->rsp, next->rsp);
}

void arch_enter_user(void)
{
    arch_irq_disable();
    entry_leave(arch_uregs(cpu_self()->thread));
}

void arch_uregs_exec(struct arch_thread *t, uintptr_t pc, uintptr_t sp)
{
    *arch_uregs(t) = (struct arch_uregs){
        .vector = VECTOR_MADE,
        .rip = pc,
        .cs = USER_CS,
        .rflags = RFLAGS_IF | RFLAGS_ONE,
        .rsp = sp,
        .ss = USER_DS,
    };
    bool irq = arch_irq_save();
    struct cpu_local *cpu = cpu_self();
    t->fs_base = t->gs_base = 0;
    fpu_reset(t->fpu);
    if (cpu->thread == t) {
        bases_read(cpu);
        user_state_load(t, cpu);
    }
    arch_irq_restore(irq);
}

void arch_uregs_fork(struct arch_thread *child, struct arch_thread *parent)
{
    bool irq = arch_irq_save();
    if (cpu_self()->thread == parent)
        user_state_save(parent, cpu_self());
    arch_irq_restore(irq);
    *arch_uregs(child) = *arch_uregs(parent);
    arch_uregs(child)->rax = 0;
    child->fs_base = parent->fs_base;
    child->gs_base = parent->gs_base;
    memcpy(child->fpu, parent->fpu, sizeof(child->fpu));
}
