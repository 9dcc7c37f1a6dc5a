/* Who runs where. */
#include "sched.h"

#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <lib/fmt.h>

struct cpu sched_cpus[CPUS_MAX];

static struct thread idle_threads[CPUS_MAX];

static void runq_push(struct cpu *cpu, struct thread *t)
{
    __atomic_store_n(&t->cpu, (unsigned)(cpu - sched_cpus), __ATOMIC_RELAXED);
    list_push_back(&cpu->runq, &t->runq_node);
    __atomic_store_n(&cpu->nqueued, cpu->nqueued + 1, __ATOMIC_RELAXED);
}

static void runq_remove(struct cpu *cpu, struct thread *t)
{
    list_remove(&t->runq_node);
    __atomic_store_n(&cpu->nqueued, cpu->nqueued - 1, __ATOMIC_RELAXED);
}

/* A thread of another CPU's queue that has left its CPU for good, or NULL. */
static struct thread *steal_from(struct cpu *victim)
{
    if (__atomic_load_n(&victim->nqueued, __ATOMIC_RELAXED) == 0)
        return NULL;
    struct thread *found = NULL;
    spin_lock(&victim->lock);
    list_for_each (node, &victim->runq) {
        struct thread *t = list_entry(node, struct thread, runq_node);
        if (__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE) == 0) {
            runq_remove(victim, t);
            found = t;
            break;
        }
    }
    spin_unlock(&victim->lock);
    return found;
}

static struct thread *steal(struct cpu *self)
{
    unsigned n = arch_cpu_count();
    unsigned me = (unsigned)(self - sched_cpus);
    for (unsigned i = 1; i < n; i++) {
        struct thread *t = steal_from(&sched_cpus[(me + i) % n]);
        if (t)
            return t;
    }
    return NULL;
}

/* Queues `prev` again if asked to, and takes the thread to run next. */
static struct thread *pick_next(struct cpu *self, struct thread *prev, bool requeue)
{
    struct thread *next = NULL;
    spin_lock(&self->lock);
    if (requeue && prev != self->idle)
        runq_push(self, prev);
    if (!list_empty(&self->runq)) {
        next = list_first(&self->runq, struct thread, runq_node);
        runq_remove(self, next);
    }
    spin_unlock(&self->lock);
    if (!next)
        next = steal(self);
    return next ? next : self->idle;
}

void sched_arm_timer(uint64_t deadline_ns)
{
    struct cpu *self = cpu_self();
    if (deadline_ns < self->armed_ns) {
        self->armed_ns = deadline_ns;
        arch_timer_set(deadline_ns);
    }
}

/* First code of a switched-to thread: completes the switch for the one that left. */
static void finish_switch(void)
{
    struct thread *prev = cpu_self()->previous;
    bool dead = __atomic_load_n(&prev->state, __ATOMIC_RELAXED) == THREAD_DEAD;
    /* From here another CPU may run it (or its waker may queue it). */
    __atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
    if (dead)
        thread_destroy(prev);
}

void schedule(bool requeue)
{
    DEBUG_ASSERT(!arch_irq_enabled());
    assert_no_spin_locks("schedule");
    struct cpu *self = cpu_self();
    struct thread *prev = thread_current();
    __atomic_store_n(&self->need_resched, 0, __ATOMIC_RELAXED);
    struct thread *next = pick_next(self, prev, requeue);
    uint64_t now = arch_time_ns();
    self->slice_end_ns = now + SLICE_NS;
    if (next != self->idle)
        sched_arm_timer(self->slice_end_ns);
    if (next == prev)
        return;
    ASSERTF(prev == self->idle || arch_stack_ok(&prev->arch), "stack of thread %s overflowed",
            prev->name);

    __atomic_store_n(&prev->run_clock, now - (prev->run_clock & ~THREAD_RUNS), __ATOMIC_RELEASE);
    __atomic_store_n(&next->run_clock, (now - next->run_clock) | THREAD_RUNS, __ATOMIC_RELEASE);
    /* Before it looks at notify: see thread_notify. */
    __atomic_store_n(&next->cpu, (unsigned)(self - sched_cpus), __ATOMIC_RELAXED);
    __atomic_store_n(&next->on_cpu, 1, __ATOMIC_SEQ_CST);
    vpmap_activate(next->vpmap);
    lock_rank_switch(&next->locks);
    failpoint_switch(&next->failpoint);
    arch_set_current(next);
    self->previous = prev;
    arch_switch(&prev->arch, &next->arch);
    finish_switch();
}

void thread_first_run(void *arg)
{
    struct thread *t = arg;
    finish_switch();
    irq_enable();
    t->entry(t->arg);
    thread_exit();
}

/* Nothing to do, and nothing that it has been told of and only has to wake up for. */
static bool has_nothing(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->online, __ATOMIC_RELAXED) &&
           __atomic_load_n(&cpu->is_idle, __ATOMIC_RELAXED) &&
           __atomic_load_n(&cpu->nqueued, __ATOMIC_RELAXED) == 0;
}

/* A CPU with nothing to do, or NULL. */
static struct cpu *find_idle(void)
{
    unsigned n = arch_cpu_count();
    for (unsigned i = 0; i < n; i++)
        if (has_nothing(&sched_cpus[i]))
            return &sched_cpus[i];
    return NULL;
}

/* An idle CPU if there is one, else the thread's last. */
static struct cpu *choose_cpu(struct thread *t)
{
    struct cpu *last = &sched_cpus[t->cpu];
    struct cpu *idle = has_nothing(last) ? last : find_idle();
    return idle ? idle : last;
}

void sched_enqueue(struct thread *t)
{
    bool irq = irq_save();
    struct cpu *cpu = choose_cpu(t);
    spin_lock(&cpu->lock);
    runq_push(cpu, t);
    spin_unlock(&cpu->lock);
    /* Pairs with the idle loop: it says it is idle, then looks at its queue; we queue, then look at
     * is_idle. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&cpu->is_idle, __ATOMIC_RELAXED)) {
        __atomic_store_n(&cpu->need_resched, 1, __ATOMIC_RELAXED);
        if (cpu != cpu_self())
            arch_cpu_kick((unsigned)(cpu - sched_cpus));
    }
    irq_restore(irq);
}

void sched_tick(void)
{
    struct cpu *self = cpu_self();
    self->armed_ns = NS_NEVER; /* the device has fired */
    uint64_t now = arch_time_ns();
    uint64_t next = timer_run_expired(now);
    if (thread_current() != self->idle) {
        if (now >= self->slice_end_ns) {
            self->slice_end_ns = now + SLICE_NS;
            if (__atomic_load_n(&self->nqueued, __ATOMIC_RELAXED)) {
                __atomic_store_n(&self->need_resched, 1, __ATOMIC_RELAXED);
                /* Who came to steal when nothing was there, and halted, looks again. */
                struct cpu *idle = find_idle();
                if (idle)
                    arch_cpu_kick((unsigned)(idle - sched_cpus));
            }
        }
        next = MIN(next, self->slice_end_ns);
    }
    sched_arm_timer(next);
}

void sched_preempt(void)
{
    struct cpu *self = cpu_self();
    /* The idle thread looks for itself, with is_idle cleared. */
    if (thread_current() != self->idle && __atomic_load_n(&self->need_resched, __ATOMIC_RELAXED))
        schedule(true);
}

void thread_yield(void)
{
    bool irq = irq_save();
    schedule(true);
    irq_restore(irq);
}

void sched_init_cpu(void)
{
    unsigned id = arch_cpu_id();
    struct cpu *self = &sched_cpus[id];
    struct thread *idle = &idle_threads[id];
    spin_init(&self->lock, "runq", RANK_RUNQ);
    list_init(&self->runq);
    idle->state = THREAD_RUNNABLE;
    idle->on_cpu = 1;
    idle->cpu = id;
    idle->run_clock = THREAD_RUNS | arch_time_ns();
    list_init(&idle->runq_node);
    list_init(&idle->all_node);
    fmt_snprint(idle->name, sizeof idle->name, "idle/%u", id);
    self->idle = idle;
    self->armed_ns = NS_NEVER;
    arch_set_current(idle);
    lock_rank_switch(&idle->locks);
    failpoint_switch(&idle->failpoint);
    __atomic_store_n(&self->online, 1, __ATOMIC_RELEASE);
}

void sched_idle(void)
{
    struct cpu *self = cpu_self();
    for (;;) {
        schedule(true);
        __atomic_store_n(&self->is_idle, 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* see sched_enqueue */
        if (__atomic_load_n(&self->nqueued, __ATOMIC_RELAXED) == 0) {
            sched_arm_timer(timer_next_deadline());
            assert_no_locks("idle");
            arch_cpu_wait();
            irq_disable();
        }
        __atomic_store_n(&self->is_idle, 0, __ATOMIC_RELAXED);
    }
}
