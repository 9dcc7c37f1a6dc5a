/* The calls the arch makes into the portable kernel.  One of the three doors upward. */
#pragma once

#include <arch/boot.h>

struct arch_uregs;

/* The boot CPU, on its boot stack, interrupts off, direct map and console ready. */
_Noreturn void kernel_main(const struct bootinfo *info);

/* Each further CPU, the same. */
_Noreturn void kernel_cpu_main(void);

/* A system call of the current user thread.  Interrupts on. */
void kernel_syscall(struct arch_uregs *regs);

/* A page fault at `addr` in user mode (`user`) or in a user copy of the kernel (anywhere else, the
 * arch panics); interrupts as they were.  True: try the instruction again (a signal may be
 * pending). False, only for !user: the copy fails with -EFAULT. */
bool kernel_page_fault(uintptr_t addr, unsigned access /* one of VP_* */, bool user);

/* An exception of the user program other than a page fault: becomes a signal. */
void kernel_user_exception(int signal, int code, uintptr_t addr);

/* About to return to user mode, interrupts off; may turn them on and sleep (signals, exit). */
void kernel_return_to_user(void);

/* Interrupts off, on the interrupted thread's stack. */
void kernel_timer_irq(void);
void kernel_resched_irq(void);
void kernel_console_input(char byte);

/* At the end of every interrupt that came with interrupts on in kernel mode: may switch threads. */
void kernel_preempt(void);

/* The current thread's kernel stack: "overflow" or "smashing".  Any context, on a stack that holds.
 */
_Noreturn void kernel_stack_broken(const char *how);

/* A non-maskable interrupt: somebody outside asks what the kernel is doing. */
_Noreturn void kernel_nmi(void);
