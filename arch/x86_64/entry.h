/* Entry points in assembly. */
#pragma once

#include <arch/thread.h>

/* One stub a vector, ENTRY_STUB_BYTES apart. */
#define ENTRY_STUB_BYTES 16
extern const char entry_stubs[];

void entry_syscall(void);

/* Leaves for user mode from `regs`, at the top of the thread's kernel stack.  Interrupts off. */
_Noreturn void entry_leave(struct arch_uregs *regs);

/* Called from entry.S; trap.c says what they do. */
void trap_dispatch(struct arch_uregs *regs);
void trap_dispatch_ist(struct arch_uregs *regs);
struct arch_uregs *trap_leave_ist(const struct arch_uregs *regs);
bool trap_return_to_user(struct arch_uregs *regs);
