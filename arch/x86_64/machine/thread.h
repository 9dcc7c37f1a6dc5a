/* x86-64: a thread's kernel stack and user registers.  Contract: arch/thread.h. */
#pragma once

#include <lib/util.h>

/* The user registers, at the top of the thread's kernel stack, as entry.S pushes them (offsets in
 * layout.h). */
struct arch_uregs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector; /* of the trap, or VECTOR_SYSCALL, VECTOR_MADE */
    uint64_t error;  /* error code the CPU pushed, or 0 */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Owner thread only, or the scheduler while it does not run.  All zero is a boot context: one that
 * runs on a boot stack and is only ever switched away from first. */
struct arch_thread {
    uint64_t rsp;       /* kernel stack pointer while it does not run */
    uint8_t *stack_beg; /* NULL: a boot context */
    bool user;
    uint64_t fs_base, gs_base;                     /* of the user; stale while the thread runs */
    uint64_t trap_nr, trap_error, trap_cr2;        /* of its last exception, for signal frames */
    uint8_t fpu[512] __attribute__((aligned(16))); /* FXSAVE area; stale while the thread runs */
};
