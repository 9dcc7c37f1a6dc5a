/* A process's alarm: setitimer(2), ITIMER_REAL.  It outlives exec, is not inherited, and ends with
 * the process.
 *
 * One expiry at a time is under way (`flying`); whoever handles it starts the next, so that a
 * change of the alarm that comes too late to cancel needs to do no more than say what it wants.
 *
 * An alarm that has gone off rests until somebody takes its signal or says anew what becomes of it:
 * periods meanwhile are missed, and nobody would notice.  Otherwise one of a nanosecond would keep
 * its CPU in the timer's interrupt for ever. */
#include "proc.h"

static void expire(struct timer *t);

/* siglock held. */
static void fly(struct process *proc) REQUIRES(proc->siglock)
{
    struct itimer *it = &proc->alarm;
    if (it->deadline_ns == 0 || it->flying || it->resting)
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

/* In `ns` from now, or the last moment there is. */
static uint64_t deadline_in(uint64_t now_ns, uint64_t ns)
{
    return ns < NS_NEVER - 1 - now_ns ? now_ns + ns : NS_NEVER - 1;
}

/* The end of the period that `now_ns` is in.  siglock held. */
static uint64_t next_deadline(const struct itimer *it, uint64_t now_ns)
{
    if (it->deadline_ns > now_ns || it->interval_ns == 0)
        return it->deadline_ns;
    uint64_t passed_ns = (now_ns - it->deadline_ns) % it->interval_ns;
    return deadline_in(now_ns, it->interval_ns - passed_ns);
}

/* Is it time?  Then the next deadline is set, and the alarm rests.  siglock held. */
static bool take_due(struct process *proc, uint64_t now_ns) REQUIRES(proc->siglock)
{
    struct itimer *it = &proc->alarm;
    if (it->deadline_ns == 0 || it->deadline_ns > now_ns)
        return false;
    it->deadline_ns = it->interval_ns ? next_deadline(it, now_ns) : 0;
    it->resting = true; /* before the signal is sent: it may be taken at once */
    return true;
}

void process_alarm_resume(struct process *proc)
{
    struct itimer *it = &proc->alarm;
    if (!it->resting)
        return;
    it->resting = false;
    if (it->deadline_ns)
        it->deadline_ns = next_deadline(it, arch_time_ns());
    fly(proc);
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
    uint64_t deadline_ns = it->resting ? next_deadline(it, now_ns) : it->deadline_ns;
    if (deadline_ns)
        *value_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1;
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
    it->deadline_ns = value_ns ? deadline_in(now, value_ns) : 0;
    it->interval_ns = value_ns ? interval_ns : 0;
    it->resting = false;
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
