/* A process's alarm: setitimer(2), ITIMER_REAL.  It outlives exec, is not inherited, and ends with
 * the process.
 *
 * One expiry at a time is under way (`flying`); whoever handles it starts the next, so that a
 * change of the alarm that comes too late to cancel needs to do no more than say what it wants. */
#include "proc.h"

static void expire(struct timer *t);

/* siglock held. */
static void fly(struct process *proc) REQUIRES(proc->siglock)
{
    struct itimer *it = &proc->alarm;
    if (it->deadline_ns == 0 || it->flying)
        return;
    it->flying = true;
    timer_start_unlocked(&it->timer, it->deadline_ns, expire);
}

/* siglock held. */
static void land(struct process *proc) REQUIRES(proc->siglock)
{
    struct itimer *it = &proc->alarm;
    if (it->flying && timer_cancel(&it->timer))
        it->flying = false;
}

/* Is it time?  Then the next deadline is set.  siglock held. */
static bool take_due(struct process *proc, uint64_t now_ns) REQUIRES(proc->siglock)
{
    struct itimer *it = &proc->alarm;
    if (it->deadline_ns == 0 || it->deadline_ns > now_ns)
        return false;
    /* Expiries that were missed are one. */
    uint64_t periods = it->interval_ns ? (now_ns - it->deadline_ns) / it->interval_ns + 1 : 0;
    it->deadline_ns = it->interval_ns ? it->deadline_ns + periods * it->interval_ns : 0;
    return true;
}

/* The process stays until `flying` is false: process_alarm_exit waits for it. */
static void expire(struct timer *t)
{
    struct itimer *it = container_of(t, struct itimer, timer);
    struct process *proc = container_of(it, struct process, alarm);
    spin_lock(&proc->siglock);
    bool due = take_due(proc, arch_time_ns());
    spin_unlock(&proc->siglock);
    if (due)
        signal_send(proc, SIGALRM, NULL);
    spin_lock(&proc->siglock);
    it->flying = false;
    fly(proc);
    spin_unlock(&proc->siglock);
}

/* siglock held. */
static void look(const struct process *proc, uint64_t now_ns, uint64_t *value_ns,
                 uint64_t *interval_ns) REQUIRES(proc->siglock)
{
    const struct itimer *it = &proc->alarm;
    *value_ns = 0;
    if (it->deadline_ns)
        *value_ns = it->deadline_ns > now_ns ? it->deadline_ns - now_ns : 1;
    *interval_ns = it->interval_ns;
}

void process_alarm_set(uint64_t value_ns, uint64_t interval_ns, uint64_t *old_value_ns,
                       uint64_t *old_interval_ns)
{
    struct process *proc = process_current();
    struct itimer *it = &proc->alarm;
    spin_lock(&proc->siglock);
    uint64_t now = arch_time_ns();
    look(proc, now, old_value_ns, old_interval_ns);
    land(proc);
    it->deadline_ns = 0;
    if (value_ns)
        it->deadline_ns = value_ns < NS_NEVER - 1 - now ? now + value_ns : NS_NEVER - 1;
    it->interval_ns = value_ns ? interval_ns : 0;
    fly(proc);
    spin_unlock(&proc->siglock);
}

void process_alarm_get(uint64_t *value_ns, uint64_t *interval_ns)
{
    struct process *proc = process_current();
    spin_lock(&proc->siglock);
    look(proc, arch_time_ns(), value_ns, interval_ns);
    spin_unlock(&proc->siglock);
}

void process_alarm_exit(struct process *proc)
{
    struct itimer *it = &proc->alarm;
    spin_lock(&proc->siglock);
    it->deadline_ns = 0;
    land(proc);
    while (it->flying) {
        spin_unlock(&proc->siglock);
        thread_yield();
        spin_lock(&proc->siglock);
    }
    spin_unlock(&proc->siglock);
}
