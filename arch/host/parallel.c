/* CPUs that are POSIX threads, for ThreadSanitizer: sim.c's other self.  What runs beside what is
 * up to the host; nothing repeats.  An interrupt is still taken only at a scheduling point. */
#include "host.h"
#include "machine.h"
#include "sim.h"
#include "tlb.h"
#include <arch/time.h>
#include <arch/upcall.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define POINTS_PER_YIELD 64u /* about: shakes the order of things */
#define POINTS_PER_LOOK  16u /* at the clock */

struct cpu_local sim_cpus[CPUS_MAX];
unsigned sim_ncpus;

/* What sim.c does not need of a CPU. */
static struct parallel_cpu {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    unsigned points;
    bool idle; /* has come to wait for the first time */
} parallel[CPUS_MAX];

static _Thread_local struct cpu_local *this_cpu;
static uint64_t random_state;
static sem_t powered_off;
static struct timespec began;

/* Not inlined: a context that goes on in another thread must not remember where this was. */
__attribute__((noinline)) struct cpu_local *cpu_self(void)
{
    return this_cpu;
}

__attribute__((noinline)) struct host_cpu *host_cpu_self(void)
{
    static _Thread_local struct host_cpu outside;
    return this_cpu ? &this_cpu->seen : &outside;
}

static struct parallel_cpu *parallel_self(void)
{
    return &parallel[cpu_self()->id];
}

void host_reseed(uint64_t seed)
{
    __atomic_store_n(&random_state, seed, __ATOMIC_RELAXED);
}

void sim_init(uint64_t seed, uint64_t points_max)
{
    host_reseed(seed);
    clock_gettime(CLOCK_MONOTONIC, &began);
    sem_init(&powered_off, 0, 0);
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        sim_cpus[i].id = sim_cpus[i].seen.id = i;
        sim_cpus[i].deadline_ns = NS_NEVER;
        pthread_mutex_init(&parallel[i].lock, NULL);
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&parallel[i].woken, &attr);
    }
}

uint64_t sim_random(uint64_t below)
{
    uint64_t z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);
    return (z ^ z >> 29) * 0xbf58476d1ce4e5b9u % below;
}

uint64_t host_points(void)
{
    return 0; /* nobody counts them over all CPUs */
}

/* ---- time */

uint64_t arch_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_sec - began.tv_sec) * NS_PER_S + (uint64_t)now.tv_nsec -
           (uint64_t)began.tv_nsec;
}

uint64_t arch_cycles(void)
{
    return arch_time_ns();
}

uint64_t arch_boot_wall_ns(void)
{
    return 1000000000 * NS_PER_S;
}

void arch_timer_set(uint64_t deadline_ns)
{
    cpu_self()->deadline_ns = deadline_ns;
}

static void look_at_clock(struct cpu_local *cpu)
{
    if (cpu->deadline_ns == NS_NEVER || arch_time_ns() < cpu->deadline_ns)
        return;
    cpu->deadline_ns = NS_NEVER;
    __atomic_fetch_or(&cpu->pending, SIM_IRQ_TIMER, __ATOMIC_SEQ_CST);
}

/* ---- interrupts */

void sim_interrupt(unsigned cpu, unsigned irq)
{
    struct parallel_cpu *p = &parallel[cpu];
    __atomic_fetch_or(&sim_cpus[cpu].pending, irq, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->woken);
    pthread_mutex_unlock(&p->lock);
}

unsigned sim_take_pending(struct cpu_local *cpu)
{
    return __atomic_exchange_n(&cpu->pending, 0, __ATOMIC_SEQ_CST);
}

void host_point(void)
{
    struct cpu_local *cpu = cpu_self();
    if (!cpu)
        return;
    struct parallel_cpu *p = parallel_self();
    if (++p->points % POINTS_PER_LOOK == 0)
        look_at_clock(cpu);
    if (p->points % POINTS_PER_YIELD == sim_random(POINTS_PER_YIELD))
        sched_yield();
    while (cpu_self()->seen.irq_on && __atomic_load_n(&cpu_self()->pending, __ATOMIC_SEQ_CST))
        sim_take_interrupts();
}

void arch_cpu_relax(void)
{
    sched_yield();
    look_at_clock(cpu_self());
    host_point();
}

/* Until an interrupt, or the time of the timer. */
static void sleep_until_interrupt(struct cpu_local *cpu, struct parallel_cpu *p)
{
    uint64_t at = (uint64_t)began.tv_sec * NS_PER_S + (uint64_t)began.tv_nsec + cpu->deadline_ns;
    struct timespec deadline = {.tv_sec = (time_t)(at / NS_PER_S),
                                .tv_nsec = (long)(at % NS_PER_S)};
    pthread_mutex_lock(&p->lock);
    while (!__atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST)) {
        if (cpu->deadline_ns == NS_NEVER)
            pthread_cond_wait(&p->woken, &p->lock);
        else
            pthread_cond_timedwait(&p->woken, &p->lock, &deadline);
        look_at_clock(cpu);
    }
    pthread_mutex_unlock(&p->lock);
}

void arch_cpu_wait(void)
{
    tlb_halting();
    struct parallel_cpu *p = parallel_self();
    __atomic_store_n(&p->idle, true, __ATOMIC_RELEASE);
    sleep_until_interrupt(cpu_self(), p);
    arch_irq_enable();
}

/* ---- CPUs */

unsigned arch_cpu_count(void)
{
    return MAX(__atomic_load_n(&sim_ncpus, __ATOMIC_ACQUIRE), 1u);
}

void arch_cpu_kick(unsigned cpu)
{
    sim_interrupt(cpu, SIM_IRQ_KICK);
}

void arch_stop_others(void) {}

static void *cpu_thread(void *arg)
{
    struct host_context here = {0};
    this_cpu = arg;
    context_switch(&here, this_cpu->running);
    return NULL;
}

void sim_start(unsigned cpu, void (*entry)(void *arg))
{
    struct cpu_local *c = &sim_cpus[cpu];
    host_boot_stack(&c->boot, entry);
    c->running = &c->boot;
    c->started = true;
    __atomic_store_n(&sim_ncpus, cpu + 1, __ATOMIC_RELEASE);
    if (pthread_create(&parallel[cpu].thread, NULL, cpu_thread, c) != 0)
        abort();
}

static void cpu_main(void *arg)
{
    kernel_cpu_main();
}

void arch_start_cpus(unsigned max)
{
    unsigned n = MIN(max, host_cpus_wanted());
    for (unsigned cpu = sim_ncpus; cpu < n; cpu++) {
        sim_start(cpu, cpu_main);
        while (!__atomic_load_n(&parallel[cpu].idle, __ATOMIC_ACQUIRE))
            sched_yield();
    }
}

bool sim_others_stand_still(void)
{
    return false;
}

void sim_run(struct host_context *outside)
{
    sem_wait(&powered_off);
}

/* The machine is off; the other CPUs may idle for as long as the process lives. */
void sim_leave(struct host_context *outside)
{
    sem_post(&powered_off);
    for (;;)
        pause();
}
