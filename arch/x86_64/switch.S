/* Switching kernel stacks.  thread.c builds the first frame of a new thread. */

    .text

/* void context_switch(uint64_t *save_rsp, uint64_t load_rsp): what a call must preserve goes
 * through the stacks. */
    .globl context_switch
    .balign 16
context_switch:
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
    retq

/* A new thread: rbx is its entry, r12 the argument, rbp 0. */
    .globl context_start
context_start:
    movq %r12, %rdi
    call *%rbx
    ud2

    .section .note.GNU-stack, "", @progbits
