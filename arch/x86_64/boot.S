/* From the PVH entry to C.  It comes in 32-bit protected mode without paging; ebx is the physical
 * address of the start_info. */
#include "layout.h"

#define PHYS(symbol) (symbol - KERNEL_BASE)

/* The note that names the entry: type 18 is XEN_ELFNOTE_PHYS32_ENTRY. */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4
    .long 8
    .long 18
    .asciz "Xen"
    .quad PHYS(boot_entry)

    .text
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    movl $PHYS(boot_stack_end), %esp
    movl %ebx, %ebp

    /* Long mode?  Without it there is nothing to do but stop. */
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb boot_stop
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc boot_stop

    /* The boot map: the first 4 GiB in 2 MiB pages, at 0 and at DIRECT_BASE, and the first of
     * them at KERNEL_BASE. */
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax
    xorl %edx, %edx
1:
    movl %eax, (%edi)
    movl %edx, 4(%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b
    movl $PHYS(boot_pd) + 0x0003, PHYS(boot_pdpt)
    movl $PHYS(boot_pd) + 0x1003, PHYS(boot_pdpt) + 8
    movl $PHYS(boot_pd) + 0x2003, PHYS(boot_pdpt) + 16
    movl $PHYS(boot_pd) + 0x3003, PHYS(boot_pdpt) + 24
    movl $PHYS(boot_pd) + 0x0003, PHYS(boot_pdpt_high) + 510 * 8
    movl $PHYS(boot_pdpt) + 3, PHYS(boot_root)
    movl $PHYS(boot_pdpt) + 3, PHYS(boot_root) + 256 * 8
    movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_root) + 511 * 8

    movl $PHYS(boot_root), %eax
    movl %eax, %cr3
    movl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax /* EFER.LME */
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax /* PG, PE */
    movl %eax, %cr0
    lgdt PHYS(boot_gdtr)
    ljmp $8, $PHYS(boot_long)

boot_stop:
    hlt
    jmp boot_stop

    .code64
boot_long:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl %eax, %ss
    movabsq $boot_stack_end, %rsp
    movl %ebp, %edi
    xorl %ebp, %ebp
    pushq %rbp /* a return address of 0 ends backtraces */
    movabsq $boot_main, %rax
    jmp *%rax

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
boot_gdtr:
    .word 15
    .long PHYS(boot_gdt)

    .bss
    .balign 4096
    .globl boot_root
boot_root:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pdpt_high:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .globl boot_stack_guard
boot_stack_guard:
    .skip 4096
boot_stack:
    .skip BOOT_STACK_BYTES
    .globl boot_stack_end
boot_stack_end:

    .section .note.GNU-stack, "", @progbits
