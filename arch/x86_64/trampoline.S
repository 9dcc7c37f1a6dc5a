/* Where another CPU starts: 16-bit real mode, CS:IP = page:0000.  Copied to a page below 1 MiB
 * and run there; smp.c fills the fields at the end. */
#include "layout.h"

#define OFFSET(symbol) (symbol - trampoline_beg)

    .section .rodata
    .balign 16
    .globl trampoline_beg, trampoline_end
    .globl trampoline_gdt, trampoline_gdt_base, trampoline_far, trampoline_long
    .globl trampoline_cr3, trampoline_stack

trampoline_beg:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movl OFFSET(trampoline_cr3), %eax
    movl %eax, %cr3
    movl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x900, %eax /* EFER.LME, and NXE, which the first CPU has found to be there */
    wrmsr
    lgdtl OFFSET(trampoline_gdtr)
    /* Straight from real mode to long mode: PG and PE at once (SDM vol. 3, 10.8.5, steps joined). */
    movl %cr0, %eax
    andl $0x9fffffff, %eax /* caches on */
    orl $0x80000001, %eax
    movl %eax, %cr0
    ljmpl *OFFSET(trampoline_far)

    .code64
trampoline_long:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movq trampoline_stack(%rip), %rsp
    xorl %ebp, %ebp
    pushq %rbp /* a return address of 0 ends backtraces */
    movabsq $smp_cpu_main, %rax
    jmp *%rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
trampoline_cr3:
    .quad 0
trampoline_stack:
    .quad 0
trampoline_far:
    .long 0
    .word 8
trampoline_gdtr:
    .word 15
trampoline_gdt_base:
    .long 0
trampoline_end:

    .section .note.GNU-stack, "", @progbits
