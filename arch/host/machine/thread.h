/* Contexts of the host machine. */
#pragma once

#include <arch/mmu.h>

#define KSTACK_BYTES ((size_t)16384)

static inline void *arch_stack_at(paddr_t block)
{
    return arch_paddr_to_ptr(block);
}

static inline paddr_t arch_stack_block(const void *stack_beg)
{
    return arch_ptr_to_paddr(stack_beg);
}

/* Where something goes on that does not run now. */
struct host_context {
    uintptr_t sp;
    void (*entry)(void *arg); /* of the first switch */
    void *arg;
    const void *stack_beg; /* for the sanitizers, which want to know about every stack */
    size_t stack_bytes;
    void *fake_stack, *fiber;
};

/* The user registers.  A user program is a C function of the host (host.h): what a real CPU would
 * have in its instruction pointer is in `run` and `arg`, or in `pc` after exec. */
struct arch_uregs {
    unsigned long syscall_nr, syscall_args[6];
    long result;
    uintptr_t pc, sp, tls;
    int (*run)(uintptr_t arg); /* NULL: the program at pc */
    uintptr_t arg;
    int (*child_run)(uintptr_t arg); /* what the child of the next fork runs */
    uintptr_t child_arg;
    uintptr_t handler; /* a signal handler that has been entered; 0: none */
    int handler_sig;
    bool restart; /* the system call is to be made again */
};

struct arch_thread {
    struct host_context context;
    void *stack_beg; /* NULL: a boot context */
    bool user_mode;  /* interrupts are taken on their way back to user mode */
    bool exec;       /* the registers are those of a new program */
    int fault_caught;
    struct arch_uregs uregs;
};
