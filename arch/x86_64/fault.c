/* Exceptions: to signals when they are a user program's, to kernel_page_fault() when memory is
 * missing. */
#include "trap.h"
#include "x86.h"
#include <arch/upcall.h>
#include <kernel/base/panic.h>

/* Error code of a page fault (SDM vol. 3, 4.7). */
#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

/* Signals and si_code values of the Linux x86-64 ABI (sigaction(2)). */
enum {
    SIG_ILL = 4,
    SIG_TRAP = 5,
    SIG_BUS = 7,
    SIG_FPE = 8,
    SIG_SEGV = 11,
    CODE_KERNEL = 0x80,
    CODE_ILL_ILLOPN = 2,
    CODE_TRAP_BRKPT = 1,
    CODE_TRAP_TRACE = 2,
    CODE_BUS_ADRALN = 1,
    CODE_FPE_INTDIV = 1,
    CODE_FPE_FLTDIV = 3,
    CODE_FPE_FLTOVF = 4,
    CODE_FPE_FLTUND = 5,
    CODE_FPE_FLTRES = 6,
    CODE_FPE_FLTINV = 7,
};

static const struct {
    const char *name;
    uint8_t signal, code;
    bool at_rip; /* si_addr is the instruction's address, else 0 */
} exceptions[VECTOR_IRQ_FIRST] = {
    [0] = {"#DE divide error", SIG_FPE, CODE_FPE_INTDIV, true},
    [1] = {"#DB debug", SIG_TRAP, CODE_TRAP_BRKPT, true},
    [2] = {"NMI", SIG_SEGV, CODE_KERNEL, false},
    [3] = {"#BP breakpoint", SIG_TRAP, CODE_KERNEL, false},
    [4] = {"#OF overflow", SIG_SEGV, CODE_KERNEL, false},
    [5] = {"#BR bound range", SIG_SEGV, CODE_KERNEL, false},
    [6] = {"#UD invalid opcode", SIG_ILL, CODE_ILL_ILLOPN, true},
    [7] = {"#NM no FPU", SIG_FPE, CODE_KERNEL, false},
    [8] = {"#DF double fault", SIG_SEGV, CODE_KERNEL, false},
    [10] = {"#TS invalid TSS", SIG_SEGV, CODE_KERNEL, false},
    [11] = {"#NP segment not present", SIG_BUS, CODE_KERNEL, false},
    [12] = {"#SS stack fault", SIG_BUS, CODE_KERNEL, false},
    [13] = {"#GP general protection", SIG_SEGV, CODE_KERNEL, false},
    [14] = {"#PF page fault", SIG_SEGV, CODE_KERNEL, false},
    [16] = {"#MF x87 error", SIG_FPE, 0, true},
    [17] = {"#AC alignment check", SIG_BUS, CODE_BUS_ADRALN, false},
    [18] = {"#MC machine check", SIG_BUS, CODE_KERNEL, false},
    [19] = {"#XM SIMD error", SIG_FPE, 0, true},
};

const char *vector_name(uint64_t vector)
{
    if (vector < ARRAY_LEN(exceptions) && exceptions[vector].name)
        return exceptions[vector].name;
    return vector < ARRAY_LEN(exceptions) ? "reserved exception" : "interrupt";
}

/* si_code for the exceptions that are raised and not masked: invalid, denormal, zero divide,
 * overflow, underflow and precision are bits 0 to 5 in both units (SDM vol. 1, 8.1.3 and 10.2.3).
 */
static int fpu_error_code(unsigned raised)
{
    if (raised & 0x01)
        return CODE_FPE_FLTINV;
    if (raised & 0x04)
        return CODE_FPE_FLTDIV;
    if (raised & 0x08)
        return CODE_FPE_FLTOVF;
    if (raised & 0x12)
        return CODE_FPE_FLTUND;
    return CODE_FPE_FLTRES;
}

static int x87_code(void)
{
    uint16_t control, status;
    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return fpu_error_code(status & ~control & 0x3f);
}

static int sse_code(void)
{
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return fpu_error_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

/* What a signal frame tells about the exception. */
static void trap_remember(const struct arch_uregs *regs, uint64_t cr2)
{
    struct arch_thread *t = cpu_self()->thread;
    t->trap_nr = regs->vector;
    t->trap_error = regs->error;
    t->trap_cr2 = cr2;
}

void exception_from_user(struct arch_uregs *regs)
{
    int signal = SIG_SEGV, code = CODE_KERNEL;
    uintptr_t addr = 0;
    if (exceptions[regs->vector].name) {
        signal = exceptions[regs->vector].signal;
        code = exceptions[regs->vector].code;
        addr = exceptions[regs->vector].at_rip ? regs->rip : 0;
    }
    if (regs->vector == 16)
        code = x87_code();
    if (regs->vector == 19)
        code = sse_code();
    if (regs->vector == VECTOR_DEBUG) {
        if (dr6_read() & 1u << 14)
            code = CODE_TRAP_TRACE;
        dr6_write(0);
    }
    trap_remember(regs, cpu_self()->thread->trap_cr2);
    arch_irq_enable();
    kernel_user_exception(signal, code, addr);
    arch_irq_disable();
}

static unsigned fault_access(uint64_t error)
{
    if (error & PF_FETCH)
        return VP_EXEC;
    return error & PF_WRITE ? VP_WRITE : VP_READ;
}

static const struct fault_range *usercopy_range(uintptr_t rip)
{
    for (const struct fault_range *r = usercopy_ranges; r < usercopy_ranges_end; r++) {
        if (rip >= r->beg && rip < r->end)
            return r;
    }
    return NULL;
}

static void page_fault_in_kernel(struct arch_uregs *regs, uintptr_t addr)
{
    const struct fault_range *range = usercopy_range(regs->rip);
    if (!range || addr < USER_BEG || addr >= USER_END)
        trap_panic(regs, "page fault in the kernel");
    if (range->at_once) {
        regs->rip = range->resume;
        return;
    }
    if (regs->rflags & RFLAGS_IF)
        arch_irq_enable();
    else
        cpu_self()->trap = regs; /* for the panic that comes now */
    bool again = kernel_page_fault(addr, fault_access(regs->error), false);
    arch_irq_disable();
    if (!again)
        regs->rip = range->resume;
}

void page_fault(struct arch_uregs *regs)
{
    uintptr_t addr = cr2_read();
    if (regs->error & PF_RESERVED)
        trap_panic(regs, "damaged page table");
    if (!from_user(regs)) {
        page_fault_in_kernel(regs, addr);
        return;
    }
    trap_remember(regs, addr);
    arch_irq_enable();
    /* An access the CPU made for itself on behalf of an instruction (QEMU's iretq reads the stack
     * that way, and SMAP refuses): no page that we could map would help. */
    if (regs->error & PF_USER)
        kernel_page_fault(addr, fault_access(regs->error), true);
    else
        kernel_user_exception(SIG_SEGV, CODE_KERNEL, 0);
    arch_irq_disable();
}
