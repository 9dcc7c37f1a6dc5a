/* Numbers that assembly and C share: selectors, the per-CPU area, the trap frame, the address
 * space. */
#pragma once

/* Address space: see README.md. */
#define KERNEL_BASE 0xffffffff80000000 /* + physical address of the kernel image */
#define DIRECT_BASE 0xffff800000000000 /* + any physical address of RAM */

/* GDT selectors.  SYSCALL loads KERNEL_CS and KERNEL_CS + 8; SYSRET loads USER_CS and USER_DS from
 * the base 0x20 (SDM vol. 3, 5.8.8), where a 32-bit user code segment would be: there is none. */
#define KERNEL_CS   0x10
#define KERNEL_DS   0x18
#define SYSRET_BASE 0x23
#define USER_DS     0x2b
#define USER_CS     0x33
#define TSS_SEL     0x38

/* struct cpu_local, through GS in kernel mode. */
#define CPU_SELF       0
#define CPU_CURRENT    8
#define CPU_KSTACK_TOP 16
#define CPU_USER_RSP   24
#define CPU_ID         32

/* struct arch_uregs: what entry.S pushes, lowest address first. */
#define REG_R15     0
#define REG_R14     8
#define REG_R13     16
#define REG_R12     24
#define REG_RBP     32
#define REG_RBX     40
#define REG_R11     48
#define REG_R10     56
#define REG_R9      64
#define REG_R8      72
#define REG_RAX     80
#define REG_RCX     88
#define REG_RDX     96
#define REG_RSI     104
#define REG_RDI     112
#define REG_VECTOR  120
#define REG_ERROR   128
#define REG_RIP     136
#define REG_CS      144
#define REG_RFLAGS  152
#define REG_RSP     160
#define REG_SS      168
#define UREGS_BYTES 176

/* Pseudo vectors: how the registers came to be. */
#define VECTOR_SYSCALL 256 /* by SYSCALL: rcx and r11 are free, SYSRET may be used */
#define VECTOR_MADE    257 /* made by the kernel (exec, signals): every register counts */

#define MSR_GS_BASE 0xc0000101

/* A KSTACK_BYTES for assembly, checked in smp.c; and frames under KASAN are larger. */
#if KERNEL_KASAN
#define BOOT_STACK_BYTES 32768
#define IST_STACK_BYTES  16384
#else
#define BOOT_STACK_BYTES 16384
#define IST_STACK_BYTES  8192
#endif
