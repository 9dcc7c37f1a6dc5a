/* What the arch hands up: faults, exceptions, and the way back to user mode (arch/upcall.h). */
#include "proc.h"

#include <arch/upcall.h>
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>

/* vm_fault, and the pages that are mapped only when touched (S3). */
static enum fault_result fault(struct process *proc, uintptr_t addr, unsigned access)
{
    for (;;) {
        enum fault_result result = vm_fault(proc->as, addr, access);
        if (result != FAULT_NO_REGION)
            return result;
        struct shm_caller who = shm_caller_current();
        result = shm_kin_fault(&who, addr);
        if (result != FAULT_DONE)
            return result;
    }
}

/* A fault in a user copy is the call's -EFAULT; the program's own fault is its signal. */
bool kernel_page_fault(uintptr_t addr, unsigned access, bool user)
{
    assert_may_fault("page fault");
    struct process *proc = process_current();
    ASSERTF(proc && proc->as, "page fault at %lx without a process", addr);
    switch (fault(proc, addr, access)) {
    case FAULT_DONE:
        return true;
    case FAULT_NO_REGION:
        if (user)
            signal_fault_current(SIGSEGV, SEGV_MAPERR, addr);
        break;
    case FAULT_NO_RIGHT:
        if (user)
            signal_fault_current(SIGSEGV, SEGV_ACCERR, addr);
        break;
    case FAULT_BEYOND_END:
    case FAULT_NO_MEMORY:
        if (user)
            signal_fault_current(SIGBUS, BUS_ADRERR, addr);
        break;
    }
    return user;
}

void kernel_user_exception(int signal, int code, uintptr_t addr)
{
    signal_fault_current(signal, code, addr);
}

void kernel_return_to_user(void)
{
    struct uthread *ut = uthread_current();
    sched_preempt();
    while (__atomic_load_n(&ut->thread.notify, __ATOMIC_SEQ_CST) ||
           ut->restart_nr != RESTART_NONE) {
        irq_enable();
        signal_deliver();
        irq_disable();
        sched_preempt();
    }
    assert_no_locks("return to user mode");
}

void kernel_timer_irq(void)
{
    interrupt_enter();
    sched_tick();
    interrupt_leave();
}

void kernel_resched_irq(void)
{
    /* need_resched and notify are looked at on the way out. */
}

void kernel_preempt(void)
{
    sched_preempt();
}

void kernel_stack_broken(const char *how)
{
    const struct thread *t = thread_current();
    panic("kernel stack %s of thread %s", how, t ? t->name : "none");
}

static void print_thread(struct thread *t, void *arg)
{
    static const char *const states[] = {"new", "runnable", "blocked", "dead"};
    printk("  thread %lu %-15s %s, CPU %u%s\n", t->id, t->name, states[t->state], t->cpu,
           t->on_cpu ? " (running)" : "");
}

static void print_threads(void)
{
    printk("shoal: non-maskable interrupt; threads:\n");
    thread_for_each_unlocked(print_thread, NULL);
}

/* tools/run asks, when a guest does not come to an end. */
void kernel_nmi(void)
{
    panic_with(print_threads, "non-maskable interrupt");
}
