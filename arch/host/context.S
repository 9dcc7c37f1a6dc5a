/* Contexts: what the System V ABI says a call keeps. */

    .text

/* context_swap(void **save_sp, void *next_sp) */
    .globl context_swap
    .type context_swap, @function
context_swap:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

/* First code of a new context: entry in rbx, its argument in r12; a return address of 0 is on the
 * stack. */
    .globl context_begin
    .type context_begin, @function
context_begin:
    movq %rbx, %rdi
    movq %r12, %rsi
    xorl %ebp, %ebp
    jmp context_first

/* context_leave(void *top, void (*entry)(void)): goes on in entry on an empty stack */
    .globl context_leave
    .type context_leave, @function
context_leave:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    pushq $0
    jmp *%rsi

    .section .note.GNU-stack, "", @progbits
