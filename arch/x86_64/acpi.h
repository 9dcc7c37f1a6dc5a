/* What the ACPI tables say about CPUs and interrupts. */
#pragma once

#include <arch/boot.h>
#include <arch/cpu.h>

struct acpi_info {
    unsigned ncpus; /* enabled local APICs, at most CPUS_MAX; 0: no usable tables */
    uint8_t apic_ids[CPUS_MAX];
    bool has_ioapic;
    paddr_t ioapic; /* the one that serves interrupt 0 and up */
    uint32_t ioapic_gsi_base;
    uint32_t com1_gsi; /* where ISA interrupt 4 arrives */
    bool com1_active_low, com1_level;
};

/* Reads the MADT.  `rsdp` is where the boot protocol says, or 0: then the BIOS areas are searched.
 * Trusts nothing; says on the console what is wrong with the tables. */
void acpi_parse(paddr_t rsdp, struct acpi_info *out);
