/* Switching stacks: what the System V ABI has a call keep goes through them.  switch.h */

    .text

    .globl stack_switch
    .type stack_switch, @function
    .balign 16
stack_switch:
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

/* What stack_prepare has a new stack begin with: rbx is the function, r12 its argument, rbp 0. */
    .globl stack_start
    .type stack_start, @function
stack_start:
    movq %r12, %rdi
    callq *%rbx
    ud2

    .section .note.GNU-stack, "", @progbits
