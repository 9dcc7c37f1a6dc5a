/* Starting, kicking and stopping the other CPUs. */
#include "smp.h"
#include "apic.h"
#include "bootmem.h"
#include "clock.h"
#include "cpu.h"
#include "kmap.h"
#include "start.h"
#include "trap.h"
#include "x86.h"
#include <arch/time.h>
#include <arch/upcall.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/phys/pmem.h>
#include <lib/string.h>

#define INIT_DELAY_US    200 /* the 10 ms of SDM vol. 3, 9.4.4.1 are for APICs outside the CPU */
#define STARTUP_DELAY_US 200
#define ONLINE_WAIT_US   5000000 /* the host may have much else to do */
#define STOP_WAIT_US     5000
#define BOOT_STACK_ORDER __builtin_ctzl(BOOT_STACK_BYTES / PAGE_BYTES)
#define IST_STACK_ORDER  __builtin_ctzl(IST_COUNT *IST_STACK_BYTES / PAGE_BYTES)
#define NOBODY           UINT32_MAX

/* Where the page of real-mode code may lie: above what the BIOS keeps for itself, below the VGA
 * hole. */
#define TRAMPOLINE_MIN 0x8000
#define TRAMPOLINE_MAX 0xa0000

_Static_assert((PAGE_BYTES << BOOT_STACK_ORDER) == BOOT_STACK_BYTES, "boot stack");
_Static_assert(BOOT_STACK_BYTES == KSTACK_BYTES, "a boot stack becomes a kernel stack");
_Static_assert((PAGE_BYTES << IST_STACK_ORDER) == IST_COUNT * IST_STACK_BYTES, "IST stacks");

static struct acpi_info machine;     /* constant after smp_init */
static paddr_t trampoline;           /* constant after smp_init; 0: no room for it */
static unsigned ncpus = 1;           /* constant after arch_start_cpus */
static uint32_t stop_owner = NOBODY; /* atomic */

/* What the CPU that is being started needs; the boot CPU starts them one by one. */
static struct {
    unsigned id;
    paddr_t stack;
    void *ist_stacks;
} starting;

unsigned arch_cpu_count(void)
{
    return ncpus;
}

void smp_init(const struct acpi_info *acpi)
{
    machine = *acpi;
    cpus[0].apic_id = apic_id();
    cpus[0].online = true;
    for (paddr_t at = TRAMPOLINE_MIN; at < TRAMPOLINE_MAX; at += PAGE_BYTES) {
        if (!range_holds(bootinfo.ram, bootinfo.nram, at, at + PAGE_BYTES) ||
            range_overlaps(bootinfo.reserved, bootinfo.nreserved, at, at + PAGE_BYTES))
            continue;
        boot_reserve(at, at + PAGE_BYTES);
        trampoline = at;
        return;
    }
}

/* On the stack that ends at `stack_top`; a return address of 0 ends backtraces. */
_Noreturn static void enter_kernel(void *stack_top)
{
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "pushq %%rbp\n\t"
                     "jmp kernel_cpu_main"
                     :
                     : "r"(stack_top)
                     : "memory");
    __builtin_unreachable();
}

/* The new CPU, from trampoline.S, on its boot stack and on the boot map. */
_Noreturn void smp_cpu_main(void)
{
    unsigned id = starting.id;
    if (!cpu_setup(id, starting.ist_stacks))
        cpu_halt();
    cr3_write(kmap_root_paddr());
    apic_cpu_setup();
    /* The same stack, in the view that has a guard below it. */
    void *stack_top = (char *)arch_stack_at(starting.stack) + KSTACK_BYTES;
    __atomic_store_n(&cpus[id].online, true, __ATOMIC_RELEASE);
    enter_kernel(stack_top);
}

static bool wait_online(const struct cpu_local *cpu, unsigned us)
{
    uint64_t end = arch_time_ns() + us * 1000ull;
    while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
        if (arch_time_ns() > end)
            return false;
        arch_cpu_relax();
    }
    return true;
}

static void trampoline_put(const char *field, uint64_t value, size_t bytes)
{
    memcpy((char *)arch_paddr_to_ptr(trampoline) + (field - trampoline_beg), &value, bytes);
}

static void trampoline_fill(const void *stack_top)
{
    memcpy(arch_paddr_to_ptr(trampoline), trampoline_beg, trampoline_end - trampoline_beg);
    trampoline_put(trampoline_cr3, image_paddr(boot_root), 8);
    trampoline_put(trampoline_stack, (uintptr_t)stack_top, 8);
    trampoline_put(trampoline_far, trampoline + (trampoline_long - trampoline_beg), 4);
    trampoline_put(trampoline_gdt_base, trampoline + (trampoline_gdt - trampoline_beg), 4);
}

/* False when the CPU does not come.  Its stacks stay taken. */
static bool cpu_start(unsigned id, uint32_t to_apic_id)
{
    struct page *stack = page_alloc(PAGE_KERNEL, BOOT_STACK_ORDER, PMEM_ZERO);
    struct page *ist = stack ? page_alloc(PAGE_KERNEL, IST_STACK_ORDER, PMEM_ZERO) : NULL;
    /* The trampoline is on the boot map. */
    if (!ist || page_to_paddr(stack) + BOOT_STACK_BYTES > BOOT_MAP_BYTES) {
        if (ist)
            page_free(ist);
        if (stack)
            page_free(stack);
        return false;
    }
    struct cpu_local *cpu = &cpus[id];
    cpu->apic_id = to_apic_id;
    starting.id = id;
    starting.stack = page_to_paddr(stack);
    starting.ist_stacks = page_to_ptr(ist);
    trampoline_fill((char *)page_to_ptr(stack) + BOOT_STACK_BYTES);

    apic_send_init(to_apic_id);
    clock_spin_us(INIT_DELAY_US);
    apic_send_startup(to_apic_id, trampoline);
    if (wait_online(cpu, STARTUP_DELAY_US))
        return true;
    apic_send_startup(to_apic_id, trampoline);
    if (wait_online(cpu, ONLINE_WAIT_US))
        return true;
    apic_send_init(to_apic_id); /* back to sleep, so that it does not come later */
    return false;
}

void arch_start_cpus(unsigned max)
{
    unsigned n = 1;
    for (unsigned i = 0; i < machine.ncpus && n < MIN(max, CPUS_MAX) && trampoline; i++) {
        if (machine.apic_ids[i] == cpus[0].apic_id)
            continue;
        if (!cpu_start(n, machine.apic_ids[i])) {
            printk("smp: CPU with APIC id %u does not start, going on with %u\n",
                   machine.apic_ids[i], n);
            break;
        }
        n++;
    }
    ncpus = n;
    memset(boot_root, 0,
           sizeof(boot_root)); /* the last map that had low addresses in kernel mode */
}

void arch_cpu_kick(unsigned cpu)
{
    apic_send(cpus[cpu].apic_id, VECTOR_RESCHED);
}

bool stop_requested(void)
{
    return __atomic_load_n(&stop_owner, __ATOMIC_SEQ_CST) != NOBODY;
}

bool stop_requested_here(void)
{
    return __atomic_load_n(&stop_owner, __ATOMIC_SEQ_CST) == cpu_self()->id;
}

static bool others_stopped(void)
{
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        if (&cpus[i] != cpu_self() && __atomic_load_n(&cpus[i].online, __ATOMIC_SEQ_CST) &&
            !__atomic_load_n(&cpus[i].stopped, __ATOMIC_SEQ_CST))
            return false;
    }
    return true;
}

void arch_stop_others(void)
{
    bool irq = arch_irq_save();
    uint32_t owner = NOBODY;
    bool first = __atomic_compare_exchange_n(&stop_owner, &owner, cpu_self()->id, false,
                                             __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (!first && owner != cpu_self()->id)
        cpu_halt(); /* another CPU was first: it means us too */
    if (first && !others_stopped()) {
        /* Not an ordinary interrupt: they may have those off. */
        apic_send_nmi_to_others();
        uint64_t end = arch_time_ns() + STOP_WAIT_US * 1000ull;
        while (!others_stopped() && arch_time_ns() < end)
            arch_cpu_relax();
    }
    arch_irq_restore(irq);
}
