/* x86-64: a thread's kernel stack and user registers.  Contract: arch/thread.h. */
#pragma once

#include <arch/boot.h>

#if KERNEL_KASAN /* frames are larger; and a stack has a page of shadow */
#define KSTACK_BYTES ((size_t)32768)
#else
#define KSTACK_BYTES ((size_t)16384)
#endif

/* A second view of the RAM, for stacks: the block at physical address a, aligned to KSTACK_BYTES,
 * is at ARCH_STACK_BASE + 2a + KSTACK_BYTES, and the KSTACK_BYTES below it are never mapped.  The
 * view is there from the boot on (kmap.c), so that a stack costs neither entries nor flushes. */
#define ARCH_STACK_BASE 0xffffc00000000000ul

static inline void *arch_stack_at(paddr_t block)
{
    return (void *)(ARCH_STACK_BASE + 2 * block + KSTACK_BYTES);
}

static inline paddr_t arch_stack_block(const void *stack_beg)
{
    return ((uintptr_t)stack_beg - ARCH_STACK_BASE - KSTACK_BYTES) / 2;
}

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
    uintptr_t rsp;      /* kernel stack pointer while it does not run */
    uint8_t *stack_beg; /* NULL: a boot context */
    bool user;
    uint64_t fs_base, gs_base;                     /* of the user; stale while the thread runs */
    uint64_t trap_nr, trap_error, trap_cr2;        /* of its last exception, for signal frames */
    uint8_t fpu[512] __attribute__((aligned(16))); /* FXSAVE area; stale while the thread runs */
};
