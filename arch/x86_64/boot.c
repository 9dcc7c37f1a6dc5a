/* The boot CPU, from the first C instruction to kernel_main(). */
#include "apic.h"
#include "bootmem.h"
#include "clock.h"
#include "cpu.h"
#include "kasan.h"
#include "kmap.h"
#include "layout.h"
#include "pvh.h"
#include "stackguard.h"
#include "start.h"
#include "uart.h"
#include "x86.h"
#include <abi/exit.h>
#include <arch/console.h>
#include <arch/upcall.h>
#include <kernel/base/printk.h>

#define DEBUG_EXIT_PORT 0xf4 /* QEMU's isa-debug-exit */

static uint8_t ist_stacks[IST_COUNT * IST_STACK_BYTES] __attribute__((aligned(16)));

paddr_t image_paddr(const void *p)
{
    return (uintptr_t)p - KERNEL_BASE;
}

const void *boot_ptr(paddr_t paddr, uint64_t bytes)
{
    if (paddr == 0 || paddr >= BOOT_MAP_BYTES || bytes > BOOT_MAP_BYTES - paddr)
        return NULL;
    return arch_paddr_to_ptr(paddr);
}

_Noreturn void boot_fail(const char *why)
{
    printk("boot: %s\n", why);
    arch_power_off(EXIT_CODE_BOOT);
}

_Noreturn void boot_main(uint32_t start_info)
{
    kasan_early();
    stackguard_init();
    /* First what printk and panic need. */
    idt_build();
    bool cpu_ok = cpu_setup(0, ist_stacks);
    uart_init();
    if (!cpu_ok)
        boot_fail("the CPU lacks a feature that every x86-64 CPU of this century has");

    /* All that reads firmware tables, while the boot map shows them. */
    struct acpi_info acpi;
    acpi_parse(pvh_parse(start_info), &acpi);
    kmap_build(&bootinfo);
    kasan_start(&bootinfo);

    apic_init(&acpi);
    apic_cpu_setup();
    clock_init();
    smp_init(&acpi);
    kernel_main(&bootinfo);
}

_Noreturn void arch_power_off(unsigned code)
{
    arch_irq_disable();
    arch_console_drain();
    outl(DEBUG_EXIT_PORT, code);
    cpu_halt();
}
