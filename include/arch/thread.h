/* Switching kernel stacks, and the registers of a user thread. */
#pragma once

#include <lib/util.h>

/* <machine/thread.h> defines
 *   struct arch_thread   saved kernel stack pointer, TLS base, FPU state; embedded in struct thread
 *   struct arch_uregs    the user registers at the top of a user thread's kernel stack
 *   KSTACK_BYTES         of a kernel stack: a block of frames
 *   void *arch_stack_at(paddr_t block), paddr_t arch_stack_block(const void *stack_beg)
 *       where that block is a stack, below which nothing is mapped if the machine can help it */
#include <machine/thread.h>

/* Prepares a first switch to `entry(arg)`, with interrupts off.  `user`: has FPU and TLS state. */
void arch_thread_init(struct arch_thread *t, void *stack_beg, void (*entry)(void *arg), void *arg,
                      bool user);

/* Saves this context in *prev and goes on in *next, until somebody switches back.  Interrupts off.
 */
void arch_switch(struct arch_thread *prev, struct arch_thread *next);

/* True when the canary at the low end of the stack is whole. */
bool arch_stack_ok(const struct arch_thread *t);

/* The user registers of a thread; meaningful for user threads only. */
struct arch_uregs *arch_uregs(struct arch_thread *t);

/* exec: registers for a fresh program at pc with stack sp, TLS and FPU as the ABI starts them. */
void arch_uregs_exec(struct arch_thread *t, uintptr_t pc, uintptr_t sp);

/* fork: the child gets the parent's registers, TLS and FPU state; its system call returns 0. */
void arch_uregs_fork(struct arch_thread *child, struct arch_thread *parent);
void arch_uregs_set_sp(struct arch_thread *t, uintptr_t sp);
void arch_uregs_set_tls(struct arch_thread *t, uintptr_t base); /* of a thread that does not run */

/* Number and six arguments of the system call being made; its result. */
unsigned long arch_uregs_syscall(const struct arch_uregs *regs, unsigned long args[6]);
void arch_uregs_set_result(struct arch_uregs *regs, long result);

/* Rewinds to the system call instruction: it is made again, with its first arguments.  Or not after
 * all, and that is its result. */
void arch_uregs_restart(struct arch_uregs *regs, unsigned long nr);
void arch_uregs_no_restart(struct arch_uregs *regs, long result);
uintptr_t arch_uregs_sp(const struct arch_uregs *regs);

/* Leaves for user mode with the current thread's registers; calls kernel_return_to_user() first. */
_Noreturn void arch_enter_user(void);

/* arch_prctl(2): code is ARCH_SET_FS ... of the current thread.  -EINVAL for an unknown code,
 * -EPERM for a base outside user space.  A getter returns the base in *value. */
int arch_tls_control(unsigned code, uintptr_t addr, uintptr_t *value, bool *is_getter);

/* Signal frames.  Builds the frame for `sig` on the user stack (or at `altstack_top` when not 0),
 * nothing of it below `lowest`, and makes the thread enter `handler`.  `info` is a siginfo_t of 128
 * bytes; `mask` is restored by sigreturn.  -EFAULT: no room, or stack not writable. */
struct arch_sigframe {
    int sig;
    uintptr_t handler, restorer;
    uintptr_t altstack_top, lowest;
    uintptr_t altstack_beg, altstack_bytes; /* for uc_stack */
    int altstack_flags;
    uint64_t mask;
    const void *info;
};
int arch_signal_push(const struct arch_sigframe *frame);

/* rt_sigreturn: registers from the frame the stack pointer is at.  -EFAULT when that is bad. */
int arch_signal_pop(uint64_t *mask);
