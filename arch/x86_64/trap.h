/* Vectors and what they do. */
#pragma once

#include "cpu.h"

enum vector {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_IRQ_FIRST =
        32, /* 32 to 47: the 8259s, masked; only their spurious interrupts get through */
    VECTOR_IRQ_COM1 = 0x40,
    VECTOR_TIMER = 0xf0,
    VECTOR_RESCHED = 0xf1,
    VECTOR_TLB = 0xf2,
    VECTOR_SPURIOUS = 0xff,
};

/* "#PF page fault"; never NULL. */
const char *vector_name(uint64_t vector);

/* An exception of user mode other than a page fault: makes it a signal.  Interrupts off. */
void exception_from_user(struct arch_uregs *regs);

/* A page fault of user mode or the kernel; panics when the kernel has no business there. Interrupts
 * off. */
void page_fault(struct arch_uregs *regs);

/* The table of instructions that may fault on user memory: usercopy.S. */
struct fault_range {
    uintptr_t beg, end, resume;
    uint64_t at_once; /* resume without an attempt to bring the page in; any context */
};
extern const struct fault_range usercopy_ranges[], usercopy_ranges_end[];

/* Prints nothing itself: panic() asks for the registers through arch_trap_print(). */
_Noreturn void trap_panic(struct arch_uregs *regs, const char *what);

static inline bool from_user(const struct arch_uregs *regs)
{
    return regs->cs & 3;
}
