/* The only instructions of the kernel that touch user memory.  A fault between the two ends of a
 * range resumes at its third address (page_fault_in_kernel), `at_once` without an attempt to bring
 * the page in; the callers have checked the addresses. */
#include "smap.inc"

.macro may_fault beg, end, resume, at_once=0
    .pushsection .rodata.usercopy, "a"
    .quad \beg, \end, \resume, \at_once
    .popsection
.endm

    .section .rodata.usercopy, "a"
    .balign 8
    .globl usercopy_ranges
usercopy_ranges:

    .text

/* bool usercopy_bytes(void *dst, const void *src, size_t n): true when all was copied. */
    .globl usercopy_bytes
    .balign 16
usercopy_bytes:
    pushq %rbp
    movq %rsp, %rbp
    allow_user_access
copy_beg:
    cmpq $32, %rdx
    jb 2f
1:
    movq (%rsi), %rax
    movq 8(%rsi), %rcx
    movq 16(%rsi), %r8
    movq 24(%rsi), %r9
    movq %rax, (%rdi)
    movq %rcx, 8(%rdi)
    movq %r8, 16(%rdi)
    movq %r9, 24(%rdi)
    addq $32, %rsi
    addq $32, %rdi
    subq $32, %rdx
    cmpq $32, %rdx
    jae 1b
2:
    cmpq $8, %rdx
    jb 4f
3:
    movq (%rsi), %rax
    movq %rax, (%rdi)
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %rdx
    cmpq $8, %rdx
    jae 3b
4:
    testq %rdx, %rdx
    jz copy_end
5:
    movb (%rsi), %al
    movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz 5b
copy_end:
    may_fault copy_beg, copy_end, usercopy_failed
    forbid_user_access
    movl $1, %eax
    popq %rbp
    retq

/* bool usercopy_clear(void *dst, size_t n) */
    .globl usercopy_clear
    .balign 16
usercopy_clear:
    pushq %rbp
    movq %rsp, %rbp
    allow_user_access
    xorl %eax, %eax
clear_beg:
    cmpq $8, %rsi
    jb 2f
1:
    movq %rax, (%rdi)
    addq $8, %rdi
    subq $8, %rsi
    cmpq $8, %rsi
    jae 1b
2:
    testq %rsi, %rsi
    jz clear_end
3:
    movb %al, (%rdi)
    incq %rdi
    decq %rsi
    jnz 3b
clear_end:
    may_fault clear_beg, clear_end, usercopy_failed
    forbid_user_access
    movl $1, %eax
    popq %rbp
    retq

/* long usercopy_string(char *dst, const char *src, size_t n): bytes before the NUL; n when there
 * is none among the first n; -1 on a fault. */
    .globl usercopy_string
    .balign 16
usercopy_string:
    pushq %rbp
    movq %rsp, %rbp
    allow_user_access
    xorl %eax, %eax
string_beg:
    cmpq %rdx, %rax
    je string_end
    movb (%rsi,%rax), %cl
    movb %cl, (%rdi,%rax)
    testb %cl, %cl
    jz string_end
    incq %rax
    jmp string_beg
string_end:
    may_fault string_beg, string_end, string_failed
    forbid_user_access
    popq %rbp
    retq

/* bool usercopy_load_u32(const uint32_t *src, uint32_t *value): false when it would fault. */
    .globl usercopy_load_u32
    .balign 16
usercopy_load_u32:
    pushq %rbp
    movq %rsp, %rbp
    allow_user_access
load_beg:
    movl (%rdi), %eax
load_end:
    may_fault load_beg, load_end, usercopy_failed, 1
    forbid_user_access
    movl %eax, (%rsi)
    movl $1, %eax
    popq %rbp
    retq

/* bool usercopy_cas_u32(uint32_t *dst, uint32_t *seen, uint32_t new): puts `new` at dst if *seen is there; what was
 * there goes to *seen.  False when it would fault. */
    .globl usercopy_cas_u32
    .balign 16
usercopy_cas_u32:
    pushq %rbp
    movq %rsp, %rbp
    movl (%rsi), %eax
    allow_user_access
cas_beg:
    lock cmpxchgl %edx, (%rdi)
cas_end:
    may_fault cas_beg, cas_end, usercopy_failed, 1
    forbid_user_access
    movl %eax, (%rsi)
    movl $1, %eax
    popq %rbp
    retq

string_failed:
    forbid_user_access
    movq $-1, %rax
    popq %rbp
    retq

usercopy_failed:
    forbid_user_access
    xorl %eax, %eax
    popq %rbp
    retq

    .section .rodata.usercopy, "a"
    .globl usercopy_ranges_end
usercopy_ranges_end:

    .section .note.GNU-stack, "", @progbits
