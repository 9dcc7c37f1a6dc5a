/* Time: the TSC counts it, the local APIC's timer interrupts for it, the 8254 says how fast both
 * are. */
#include "clock.h"
#include "apic.h"
#include "trap.h"
#include "x86.h"
#include <arch/time.h>
#include <arch/upcall.h>
#include <kernel/base/printk.h>

#define PIT_HZ       1193182u
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT                                                                               \
    0x30 /* channel 0, low then high byte, mode 0: counts down, its output rises at zero */
#define PIT_LATCH_COUNT 0x00
#define PIT_LATCH_STATE 0xe2
#define PIT_STATE_OUT   0x80u
#define CALIBRATE_US    10000u
#define CALIBRATE_TRIES 8
#define SAMPLE_TRIES    16
#define SPINS_MAX       100000
#define HZ_MIN          1000000u

static uint64_t tsc_base,
    tsc_mult;               /* ns = (tsc - tsc_base) * tsc_mult >> 32.  Constant after clock_init */
static uint64_t timer_mult; /* timer ticks = ns * timer_mult >> 32.  Constant after clock_init */
static uint64_t boot_wall_ns; /* constant after clock_init */

static uint64_t tsc_read(void)
{
    /* Not before what comes earlier in the program. */
    __asm__ volatile("lfence" : : : "memory");
    return arch_cycles();
}

uint64_t arch_time_ns(void)
{
    return (unsigned __int128)(tsc_read() - tsc_base) * tsc_mult >> 32;
}

uint64_t arch_boot_wall_ns(void)
{
    return boot_wall_ns;
}

/* One moment on all three counters. */
struct sample {
    uint64_t tsc;
    uint32_t pit, apic;
};

static uint32_t pit_count(void)
{
    outb(PIT_COMMAND, PIT_LATCH_COUNT);
    uint32_t low = inb(PIT_CHANNEL0);
    return inb(PIT_CHANNEL0) << 8 | low;
}

/* The host may stop us between two reads: of several tries, take the one whose reads were closest
 * together. */
static struct sample sample_take(void)
{
    struct sample best = {0};
    uint64_t best_width = UINT64_MAX;
    for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t beg = tsc_read();
        uint32_t apic = apic_timer_count();
        uint32_t pit = pit_count();
        uint64_t width = tsc_read() - beg;
        if (width < best_width) {
            best_width = width;
            best = (struct sample){.tsc = beg + width / 2, .pit = pit, .apic = apic};
        }
    }
    return best;
}

/* False when it took so long that the 8254 has passed zero, or when it does not count. */
static bool calibrate_once(uint64_t *tsc_hz, uint64_t *timer_hz)
{
    const uint32_t ticks = PIT_HZ / 1000 * CALIBRATE_US / 1000;
    /* Channel 0: not every machine has the port that gates channel 2.  Its interrupt is masked. */
    outb(PIT_COMMAND, PIT_ONE_SHOT);
    outb(PIT_CHANNEL0, 0xff);
    outb(PIT_CHANNEL0, 0xff);
    apic_timer_start_max();

    struct sample beg = sample_take();
    for (unsigned i = 0; i < SPINS_MAX && ((beg.pit - pit_count()) & 0xffff) < ticks; i++)
        arch_cpu_relax();
    struct sample end = sample_take();
    apic_timer_shoot(0);
    outb(PIT_COMMAND, PIT_LATCH_STATE);
    if ((inb(PIT_CHANNEL0) & PIT_STATE_OUT) || end.pit >= beg.pit || end.apic >= beg.apic)
        return false;
    *tsc_hz = (end.tsc - beg.tsc) * PIT_HZ / (beg.pit - end.pit);
    *timer_hz = (uint64_t)(beg.apic - end.apic) * PIT_HZ / (beg.pit - end.pit);
    return *tsc_hz >= HZ_MIN && *timer_hz >= HZ_MIN;
}

static void calibrate(void)
{
    uint64_t tsc_hz, timer_hz;
    unsigned tries = 0;
    while (!calibrate_once(&tsc_hz, &timer_hz)) {
        if (++tries == CALIBRATE_TRIES) {
            printk("clock: cannot measure the time stamp counter, assuming 1 GHz\n");
            tsc_hz = timer_hz = NS_PER_S;
            break;
        }
    }
    tsc_mult = (NS_PER_S << 32) / tsc_hz;
    timer_mult = (timer_hz << 32) / NS_PER_S;
}

void clock_init(void)
{
    tsc_base = tsc_read();
    calibrate();
    uint64_t wall_s = rtc_read_s();
    if (wall_s)
        boot_wall_ns = wall_s * NS_PER_S - arch_time_ns();
}

void clock_spin_us(unsigned us)
{
    uint64_t end = arch_time_ns() + us * 1000ull;
    while (arch_time_ns() < end)
        arch_cpu_relax();
}

/* Starts the counter for a deadline, or for as long as it can count: then timer_interrupt() starts
 * it again. */
static void timer_arm(uint64_t deadline_ns)
{
    uint64_t now = arch_time_ns();
    uint64_t delta_ns = deadline_ns > now ? deadline_ns - now : 0;
    uint64_t count = UINT32_MAX;
    if (delta_ns < 100 * NS_PER_S)
        count = (unsigned __int128)delta_ns * timer_mult >> 32;
    apic_timer_shoot(MIN(count, UINT32_MAX - 1) + 1);
}

void arch_timer_set(uint64_t deadline_ns)
{
    cpu_self()->timer_deadline_ns = deadline_ns;
    if (deadline_ns == NS_NEVER)
        apic_timer_shoot(0);
    else
        timer_arm(deadline_ns);
}

void timer_interrupt(void)
{
    struct cpu_local *cpu = cpu_self();
    if (cpu->timer_deadline_ns == NS_NEVER)
        return;
    if (arch_time_ns() < cpu->timer_deadline_ns) {
        timer_arm(cpu->timer_deadline_ns);
        return;
    }
    cpu->timer_deadline_ns = NS_NEVER;
    kernel_timer_irq();
}
