/* Where every trap arrives: sorts exceptions, interrupts and non-maskable interrupts. */
#include "trap.h"
#include "apic.h"
#include "clock.h"
#include "entry.h"
#include "kmap.h"
#include "smp.h"
#include "tlb.h"
#include "uart.h"
#include "x86.h"
#include <arch/upcall.h>
#include <kernel/base/panic.h>

#define SIGNAL_SEGV 11
#define SEGV_MAPERR 1

/* RFLAGS a user program may have: what POPF gives it anyway, and interrupts on. */
#define USER_RFLAGS                                                                                \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID)

struct idt_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, unused;
};
static struct idt_gate idt[256];

#define GATE_INTERRUPT 0x8e /* present, DPL 0, interrupts off on entry */
#define GATE_DPL3      0x60

void idt_build(void)
{
    for (unsigned v = 0; v < ARRAY_LEN(idt); v++) {
        uintptr_t stub = (uintptr_t)entry_stubs + v * ENTRY_STUB_BYTES;
        idt[v] = (struct idt_gate){
            .offset_low = stub,
            .offset_mid = stub >> 16,
            .offset_high = stub >> 32,
            .selector = KERNEL_CS,
            .type = GATE_INTERRUPT,
        };
    }
    idt[3].type |= GATE_DPL3; /* int3 */
    idt[4].type |= GATE_DPL3; /* into */
    idt[VECTOR_NMI].ist = IST_NMI;
    idt[VECTOR_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
    idt[VECTOR_MACHINE_CHECK].ist = IST_MACHINE_CHECK;
    idt[VECTOR_DEBUG].ist = IST_DEBUG;
}

void idt_load(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

_Noreturn void trap_panic(struct arch_uregs *regs, const char *what)
{
    cpu_self()->trap = regs;
    panic("%s: %s, error 0x%lx, at 0x%lx", what, vector_name(regs->vector),
          (unsigned long)regs->error, (unsigned long)regs->rip);
}

static void interrupt(struct arch_uregs *regs)
{
    struct cpu_local *cpu = cpu_self();
    struct arch_uregs *outer = cpu->trap;
    cpu->trap = regs;
    if (regs->vector >= VECTOR_IRQ_COM1 && regs->vector != VECTOR_SPURIOUS)
        apic_eoi();
    switch (regs->vector) {
    case VECTOR_TIMER:
        timer_interrupt();
        break;
    case VECTOR_RESCHED:
        kernel_resched_irq();
        break;
    case VECTOR_TLB:
        tlb_interrupt();
        break;
    case VECTOR_IRQ_COM1:
        uart_interrupt();
        break;
    default: /* spurious: of the APIC, of a masked 8259, or a stray message */
        break;
    }
    cpu->trap = outer;
    if (!from_user(regs) && (regs->rflags & RFLAGS_IF))
        kernel_preempt();
}

/* Every trap that runs on the thread's kernel stack.  Interrupts off on entry and on return. */
void trap_dispatch(struct arch_uregs *regs)
{
    if (regs->vector >= VECTOR_IRQ_FIRST)
        interrupt(regs);
    else if (regs->vector == VECTOR_PAGE_FAULT)
        page_fault(regs);
    else if (from_user(regs))
        exception_from_user(regs);
    else
        trap_panic(regs, "exception in the kernel");
}

/* #DB of user mode, from its stack of its own to where a page fault would have been. */
struct arch_uregs *trap_leave_ist(const struct arch_uregs *regs)
{
    struct arch_uregs *to = (struct arch_uregs *)cpu_self()->kstack_top - 1;
    *to = *regs;
    return to;
}

static void nmi(struct arch_uregs *regs)
{
    static bool taken;
    struct cpu_local *cpu = cpu_self();
    if (stop_requested_here())
        return; /* a second NMI must not silence the CPU that is reporting the first trouble */
    cpu->trap = regs;
    if (!stop_requested() && !__atomic_exchange_n(&taken, true, __ATOMIC_SEQ_CST))
        kernel_nmi();
    __atomic_store_n(&cpu->stopped, true, __ATOMIC_SEQ_CST);
    cpu_halt();
}

/* Traps with a stack of their own, but for #DB of user mode. */
void trap_dispatch_ist(struct arch_uregs *regs)
{
    if (regs->vector == VECTOR_NMI) {
        nmi(regs);
    } else if (regs->vector == VECTOR_DEBUG) {
        /* A single step that a user program left pending across its entry into the kernel: not
         * ours. */
        regs->rflags &= ~RFLAGS_TF;
        dr6_write(0);
    } else if (regs->vector == VECTOR_DOUBLE_FAULT && kmap_is_stack_guard(cr2_read())) {
        /* The page fault of a push could not push its own frame. */
        cpu_self()->trap = regs;
        kernel_stack_broken("overflow");
    } else {
        trap_panic(regs, "machine trouble");
    }
}

/* The last step before user mode: `regs` are at the top of the kernel stack, interrupts off. Forces
 * what must hold of them, whoever wrote them; true when SYSRET will do. */
bool trap_return_to_user(struct arch_uregs *regs)
{
    kernel_return_to_user();
    while (regs->rip >= USER_END) {
        /* IRET to a non-canonical address would fault in the kernel. */
        arch_irq_enable();
        kernel_user_exception(SIGNAL_SEGV, SEGV_MAPERR, regs->rip);
        arch_irq_disable();
        kernel_return_to_user();
    }
    regs->cs = USER_CS;
    regs->ss = USER_DS;
    regs->rflags = (regs->rflags & USER_RFLAGS) | RFLAGS_IF | RFLAGS_ONE;
    /* SYSRET cannot restore RF, and with TF it traps before the first user instruction. */
    return regs->vector == VECTOR_SYSCALL && !(regs->rflags & (RFLAGS_RF | RFLAGS_TF));
}
