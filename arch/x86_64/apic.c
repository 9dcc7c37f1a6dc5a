/* Local APIC (xAPIC, memory-mapped; SDM vol. 3, chapter 11) and I/O APIC (Intel 82093AA). */
#include "apic.h"
#include "kmap.h"
#include "trap.h"
#include "x86.h"
#include <kernel/base/printk.h>

#define LAPIC_ID          0x020
#define LAPIC_TPR         0x080
#define LAPIC_EOI         0x0b0
#define LAPIC_SPURIOUS    0x0f0
#define LAPIC_ERROR       0x280
#define LAPIC_ICR_LOW     0x300
#define LAPIC_ICR_HIGH    0x310
#define LAPIC_LVT_TIMER   0x320
#define LAPIC_LVT_THERMAL 0x330
#define LAPIC_LVT_PERF    0x340
#define LAPIC_LVT_LINT0   0x350
#define LAPIC_LVT_LINT1   0x360
#define LAPIC_LVT_ERROR   0x370
#define LAPIC_TIMER_INIT  0x380
#define LAPIC_TIMER_NOW   0x390
#define LAPIC_TIMER_DIV   0x3e0

#define LVT_MASKED      (1u << 16)
#define LVT_NMI         (4u << 8)
#define SPURIOUS_ENABLE (1u << 8)
#define TIMER_DIV_1     0xbu
#define ICR_NMI         (4u << 8)
#define ICR_INIT        (5u << 8)
#define ICR_STARTUP     (6u << 8)
#define ICR_PENDING     (1u << 12)
#define ICR_ASSERT      (1u << 14)
#define ICR_TO_OTHERS   (3u << 18)
#define ICR_WAIT_SPINS  1000000

#define APIC_BASE_ENABLE (1ul << 11)
#define APIC_BASE_X2     (1ul << 10)
#define APIC_BASE_PADDR  0xffffff000ul

#define IOAPIC_VERSION   1
#define IOAPIC_REDIR     0x10
#define REDIR_ACTIVE_LOW (1u << 13)
#define REDIR_LEVEL      (1u << 15)
#define REDIR_MASKED     (1u << 16)

static volatile uint32_t *lapic, *ioapic; /* constant after apic_init; ioapic NULL: none */
static struct acpi_info routing;

static uint32_t lapic_read(unsigned reg)
{
    return lapic[reg / 4];
}

static void lapic_write(unsigned reg, uint32_t value)
{
    lapic[reg / 4] = value;
}

static uint32_t ioapic_read(unsigned reg)
{
    ioapic[0] = reg;
    return ioapic[4];
}

static void ioapic_write(unsigned reg, uint32_t value)
{
    ioapic[0] = reg;
    ioapic[4] = value;
}

static unsigned ioapic_inputs(void)
{
    return (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
}

/* Moves their vectors off the exceptions, for the spurious interrupts that a mask does not hold
 * back. */
static void pic_silence(void)
{
    static const uint8_t master[] = {VECTOR_IRQ_FIRST, 1 << 2, 1},
                         slave[] = {VECTOR_IRQ_FIRST + 8, 2, 1};
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    for (unsigned i = 0; i < ARRAY_LEN(master); i++) {
        outb(0x21, master[i]);
        outb(0xa1, slave[i]);
    }
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

void apic_init(const struct acpi_info *acpi)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    lapic = kmap_device(base & APIC_BASE_PADDR, PAGE_BYTES);
    routing = *acpi;
    pic_silence();
    if (!acpi->has_ioapic)
        return;
    ioapic = kmap_device(acpi->ioapic, PAGE_BYTES);
    for (unsigned i = 0, n = ioapic_inputs(); i < n; i++)
        ioapic_write(IOAPIC_REDIR + 2 * i, REDIR_MASKED);
}

void apic_cpu_setup(void)
{
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
    lapic_write(LAPIC_LVT_PERF, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED | VECTOR_SPURIOUS);
    lapic_write(LAPIC_ERROR, 0);
    lapic_write(LAPIC_TIMER_DIV, TIMER_DIV_1);
    lapic_write(LAPIC_TIMER_INIT, 0);
    lapic_write(LAPIC_EOI, 0);
}

uint32_t apic_id(void)
{
    return lapic_read(LAPIC_ID) >> 24;
}

void apic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

static void icr_write(uint32_t to, uint32_t command)
{
    /* An interrupt between the two halves might send one of its own. */
    bool irq = arch_irq_save();
    for (unsigned i = 0; i < ICR_WAIT_SPINS && (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING); i++)
        arch_cpu_relax();
    lapic_write(LAPIC_ICR_HIGH, to << 24);
    lapic_write(LAPIC_ICR_LOW, command);
    arch_irq_restore(irq);
}

void apic_send(uint32_t to_apic_id, unsigned vector)
{
    icr_write(to_apic_id, ICR_ASSERT | vector);
}

void apic_send_nmi_to_others(void)
{
    icr_write(0, ICR_TO_OTHERS | ICR_ASSERT | ICR_NMI);
}

void apic_send_init(uint32_t to_apic_id)
{
    icr_write(to_apic_id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(uint32_t to_apic_id, paddr_t page)
{
    icr_write(to_apic_id, ICR_ASSERT | ICR_STARTUP | (uint32_t)(page >> PAGE_SHIFT));
}

bool ioapic_route_com1(unsigned vector)
{
    uint32_t input = routing.com1_gsi - routing.ioapic_gsi_base;
    if (!ioapic || routing.com1_gsi < routing.ioapic_gsi_base || input >= ioapic_inputs())
        return false;
    ioapic_write(IOAPIC_REDIR + 2 * input + 1, apic_id() << 24);
    ioapic_write(IOAPIC_REDIR + 2 * input, vector |
                                               (routing.com1_active_low ? REDIR_ACTIVE_LOW : 0) |
                                               (routing.com1_level ? REDIR_LEVEL : 0));
    return true;
}

void apic_timer_start_max(void)
{
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    lapic_write(LAPIC_TIMER_INIT, UINT32_MAX);
}

uint32_t apic_timer_count(void)
{
    return lapic_read(LAPIC_TIMER_NOW);
}

void apic_timer_shoot(uint32_t count)
{
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    lapic_write(LAPIC_TIMER_INIT, count);
}
