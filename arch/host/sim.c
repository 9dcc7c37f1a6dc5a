/* Simulated CPUs: which goes on, when interrupts come, and what time it is.  One Linux thread runs
 * them all; at each scheduling point the seed decides whether another goes on. */
#include "sim.h"
#include "host.h"
#include "machine.h"
#include "tlb.h"
#include <abi/exit.h>
#include <arch/time.h>
#include <arch/upcall.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>

struct cpu_local sim_cpus[CPUS_MAX];
unsigned sim_ncpus;

static unsigned now_on; /* the CPU that is being run */
static uint64_t now_ns, next_deadline_ns = NS_NEVER;
static uint64_t points, points_max;
static uint64_t random_state;
static unsigned switch_one_in, jump_one_in;

struct cpu_local *cpu_self(void)
{
    return &sim_cpus[now_on];
}

struct host_cpu *host_cpu_self(void)
{
    return &sim_cpus[now_on].seen;
}

uint64_t sim_random(uint64_t below)
{
    /* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators) */
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

void host_reseed(uint64_t seed)
{
    static const unsigned switches[] = {2, 5, 20, 100, 1000}, jumps[] = {300, 3000, 30000};
    random_state = seed;
    switch_one_in = switches[sim_random(ARRAY_LEN(switches))];
    jump_one_in = jumps[sim_random(ARRAY_LEN(jumps))];
}

void sim_init(uint64_t seed, uint64_t limit)
{
    points_max = limit;
    host_reseed(seed);
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        sim_cpus[i].id = sim_cpus[i].seen.id = i;
        sim_cpus[i].deadline_ns = NS_NEVER;
    }
}

uint64_t host_points(void)
{
    return points;
}

uint64_t arch_time_ns(void)
{
    return now_ns;
}

uint64_t arch_cycles(void)
{
    return now_ns;
}

uint64_t arch_boot_wall_ns(void)
{
    return 1000000000 * NS_PER_S;
}

/* Nothing can ever happen again, or far too much has: says so and ends the machine. */
static _Noreturn void hang(const char *why)
{
    host_hung();
    points_max = UINT64_MAX;
    printk("host: hang: %s, after %lu points\n", why, points);
    kernel_nmi();
}

/* ---- time */

static void find_next_deadline(void)
{
    next_deadline_ns = NS_NEVER;
    for (unsigned i = 0; i < sim_ncpus; i++)
        next_deadline_ns = MIN(next_deadline_ns, sim_cpus[i].deadline_ns);
}

void arch_timer_set(uint64_t deadline_ns)
{
    cpu_self()->deadline_ns = deadline_ns;
    find_next_deadline();
}

static void set_time(uint64_t ns)
{
    now_ns = ns;
    if (now_ns < next_deadline_ns)
        return;
    for (unsigned i = 0; i < sim_ncpus; i++) {
        if (sim_cpus[i].deadline_ns <= now_ns) {
            sim_cpus[i].deadline_ns = NS_NEVER;
            sim_interrupt(i, SIM_IRQ_TIMER);
        }
    }
    find_next_deadline();
}

/* A little; and now and then as much as a time slice, so that threads of one CPU change, too. */
static void pass_time(void)
{
    if (++points > points_max)
        hang("no end in sight");
    uint64_t step_ns = 20 + sim_random(200);
    if (sim_random(jump_one_in) == 0)
        step_ns += sim_random(20 * NS_PER_MS);
    set_time(now_ns + step_ns);
}

/* ---- who goes on */

static void go_on_with(unsigned cpu)
{
    struct host_context *from = cpu_self()->running;
    now_on = cpu;
    context_switch(from, cpu_self()->running);
}

/* Lets another CPU go on, if one can. */
static bool leave_cpu(void)
{
    unsigned others[CPUS_MAX], n = 0;
    for (unsigned i = 0; i < sim_ncpus; i++)
        if (i != now_on && sim_cpus[i].started && !sim_cpus[i].halted)
            others[n++] = i;
    if (n == 0)
        return false;
    go_on_with(others[sim_random(n)]);
    return true;
}

void sim_interrupt(unsigned cpu, unsigned irq)
{
    sim_cpus[cpu].pending |= irq;
    sim_cpus[cpu].halted = false;
}

unsigned sim_take_pending(struct cpu_local *cpu)
{
    unsigned pending = cpu->pending;
    cpu->pending = 0;
    return pending;
}

void host_point(void)
{
    if (!sim_ncpus) /* before the machine runs */
        return;
    pass_time();
    if (sim_ncpus > 1 && !panicking() && sim_random(switch_one_in) == 0)
        (void)leave_cpu();
    while (cpu_self()->seen.irq_on && cpu_self()->pending)
        sim_take_interrupts();
}

/* Nobody can go on before the next timer. */
static void skip_to_deadline(const char *why)
{
    if (next_deadline_ns == NS_NEVER)
        hang(why);
    set_time(MAX(now_ns, next_deadline_ns));
}

void arch_cpu_relax(void)
{
    if (!leave_cpu() && !cpu_self()->pending)
        skip_to_deadline("a CPU spins and nobody else is there");
    host_point();
}

void arch_cpu_wait(void)
{
    tlb_halting();
    struct cpu_local *cpu = cpu_self();
    while (!cpu->pending) {
        cpu->halted = true;
        if (!leave_cpu())
            skip_to_deadline("every CPU waits for an interrupt that will not come");
    }
    cpu->halted = false;
    arch_irq_enable();
}

/* ---- CPUs */

unsigned arch_cpu_count(void)
{
    return MAX(sim_ncpus, 1u);
}

void arch_cpu_kick(unsigned cpu)
{
    sim_interrupt(cpu, SIM_IRQ_KICK);
}

/* The others have no say any more: host_point() leaves nobody once there is a panic. */
void arch_stop_others(void)
{
    for (unsigned i = 0; i < sim_ncpus; i++)
        if (i != now_on)
            sim_cpus[i].started = false;
}

void sim_start(unsigned cpu, void (*entry)(void *arg))
{
    struct cpu_local *c = &sim_cpus[cpu];
    host_boot_stack(&c->boot, entry);
    c->running = &c->boot;
    c->started = true;
    sim_ncpus = cpu + 1;
}

static void cpu_main(void *arg)
{
    kernel_cpu_main();
}

void arch_start_cpus(unsigned max)
{
    bool irq = arch_irq_save();
    unsigned n = MIN(max, host_cpus_wanted());
    for (unsigned cpu = sim_ncpus; cpu < n; cpu++) {
        sim_start(cpu, cpu_main);
        while (!sim_cpus[cpu].halted) /* until it is idle */
            go_on_with(cpu);
    }
    arch_irq_restore(irq);
}

/* ---- beginning and end */

bool sim_others_stand_still(void)
{
    return true;
}

void sim_run(struct host_context *outside)
{
    context_switch(outside, cpu_self()->running);
}

void sim_leave(struct host_context *outside)
{
    context_switch(cpu_self()->running, outside);
}
