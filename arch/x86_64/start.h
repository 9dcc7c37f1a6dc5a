/* From the first instruction to C, on the boot CPU and on the others. */
#pragma once

#include "acpi.h"

/* The map of the first 4 GiB that every CPU starts on (boot.S). */
extern pte_t boot_root[512];

/* The page below the boot CPU's stack, and the stack's end (boot.S). */
extern const char boot_stack_guard[], boot_stack_end[];

/* boot.S: the boot CPU, on its boot stack, on the boot map, interrupts off. */
_Noreturn void boot_main(uint32_t start_info);

/* trampoline.S: another CPU, the same. */
_Noreturn void smp_cpu_main(void);

/* trampoline.S: real-mode code to be copied to a page below 1 MiB, and the fields in it to fill. */
extern const char trampoline_beg[], trampoline_end[];
extern const char trampoline_gdt[], trampoline_gdt_base[], trampoline_far[], trampoline_long[];
extern const char trampoline_cr3[], trampoline_stack[];

/* Keeps what ACPI says and finds a page for the trampoline.  Before kernel_main(). */
void smp_init(const struct acpi_info *acpi);
