/* Local APIC, I/O APIC, and the local APIC's timer. */
#pragma once

#include "acpi.h"

/* Finds and maps the registers; the boot CPU, once.  Also silences the 8259s. */
void apic_init(const struct acpi_info *acpi);

/* Turns this CPU's local APIC on, all sources but NMI masked. */
void apic_cpu_setup(void);
uint32_t apic_id(void);
void apic_eoi(void);

/* Sends `vector` to one CPU.  Any context. */
void apic_send(uint32_t to_apic_id, unsigned vector);
void apic_send_nmi_to_others(void);

/* Start-up sequence of another CPU (SDM vol. 3, 9.4.4). */
void apic_send_init(uint32_t to_apic_id);
void apic_send_startup(uint32_t to_apic_id, paddr_t page);

/* Routes COM1's interrupt to this CPU.  False when there is no I/O APIC for it. */
bool ioapic_route_com1(unsigned vector);

/* The timer counts down, once, and interrupts with VECTOR_TIMER at 0; 0 stops it. */
void apic_timer_shoot(uint32_t count);

/* For calibration: starts it at its maximum, without an interrupt; reads it. */
void apic_timer_start_max(void);
uint32_t apic_timer_count(void);
