/* Ways into the kernel and out of it.  README.md draws the paths. */
#include "layout.h"
#include "smap.inc"

    .text

.macro push_gprs
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro pop_gprs
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
.endm

/* 256 stubs.  Vectors 8, 10-14, 17, 21, 29, 30 come with an error code (SDM vol. 3, 6.15); the
 * others get a 0. */
    .balign 16
    .globl entry_stubs
entry_stubs:
    vector = 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
        (vector == 29) || (vector == 30)
    .else
    pushq $0
    .endif
    pushq $vector
    .if (vector == 1) || (vector == 2) || (vector == 8) || (vector == 18)
    jmp entry_ist
    .else
    jmp entry_trap
    .endif
    vector = vector + 1
    .endr

/* Everything on the thread's own kernel stack. */
    .balign 16
entry_trap:
    cld
    testb $3, 24(%rsp) /* CS, below it vector, error, RIP */
    jz 1f
    swapgs
1:
    push_gprs
    forbid_user_access /* a user's AC flag must not open it */
    movq %rsp, %rdi
    testb $3, REG_CS(%rsp)
    jz trap_from_kernel
trap_from_user:
    xorl %ebp, %ebp /* the end of the frame chain */
    movq %rsp, %rdi
    call trap_dispatch
    jmp return_to_user

trap_from_kernel:
    call trap_dispatch
    pop_gprs
    addq $16, %rsp
    iretq

/* NMI, #DB, #DF, #MC: on a stack of their own, and possibly between a kernel entry and its
 * swapgs, so that only the GS base itself says whose it is: kernel addresses have the top bit
 * set, and user mode cannot load such a base.  rbx: swap back on the way out. */
    .balign 16
entry_ist:
    cld
    push_gprs
    forbid_user_access
    xorl %ebx, %ebx
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs
    incl %ebx
1:
    testb $3, REG_CS(%rsp)
    jz 2f
    cmpl $1, REG_VECTOR(%rsp)
    jne 2f
    /* #DB of a user program becomes a signal, which may sleep: go on on the thread's stack. */
    movq %rsp, %rdi
    call trap_leave_ist
    movq %rax, %rsp
    jmp trap_from_user
2:
    movq %rsp, %rdi
    call trap_dispatch_ist
    testl %ebx, %ebx
    jz 3f
    swapgs
3:
    pop_gprs
    addq $16, %rsp
    iretq

/* SYSCALL: rcx is the user's RIP, r11 its RFLAGS; SFMASK has turned interrupts off. */
    .balign 16
    .globl entry_syscall
entry_syscall:
    swapgs
    movq %rsp, %gs:CPU_USER_RSP
    movq %gs:CPU_KSTACK_TOP, %rsp
    pushq $USER_DS
    pushq %gs:CPU_USER_RSP
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq $0
    pushq $VECTOR_SYSCALL
    push_gprs
    xorl %ebp, %ebp
    movq %rsp, %rdi
    sti
    call kernel_syscall
    cli
    jmp return_to_user

    .globl entry_leave
entry_leave:
    movq %rdi, %rsp
    xorl %ebp, %ebp

/* rsp: the user's struct arch_uregs at the top of the kernel stack.  Interrupts off. */
return_to_user:
    movq %rsp, %rdi
    call trap_return_to_user
    testb %al, %al
    jz 1f
    /* SYSRET: rip comes from rcx, rflags from r11; trap_return_to_user has checked that they
     * suit. */
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    addq $8, %rsp
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    addq $8, %rsp
    popq %rdx
    popq %rsi
    popq %rdi
    movq REG_RIP - REG_VECTOR(%rsp), %rcx
    movq REG_RFLAGS - REG_VECTOR(%rsp), %r11
    movq REG_RSP - REG_VECTOR(%rsp), %rsp
    swapgs
    sysretq
1:
    pop_gprs
    addq $16, %rsp
    swapgs
    iretq

    .section .note.GNU-stack, "", @progbits
