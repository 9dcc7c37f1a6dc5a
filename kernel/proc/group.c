/* Who may be signalled, and process groups and sessions (kill(2), setpgid(2), setsid(2),
 * credentials(7)). */
#include "proc.h"

#include <lib/err.h>
#include <limits.h>

/* As kill(2): SIGCONT also within a session, so that a shell continues what has changed its user.
 * p held. */
static bool may_signal(const struct process *to, int sig) REQUIRES(proctable_lock)
{
    const struct cred *from = process_cred();
    if (sig == SIGCONT && to->sid == process_current()->sid)
        return true;
    return from->euid == 0 || from->euid == to->cred.uid || from->euid == to->cred.suid ||
           from->uid == to->cred.uid || from->uid == to->cred.suid;
}

struct kill_args {
    struct process *from;
    int pid, sig;
    const struct signal_info *info;
    unsigned found, refused;
};

static bool addressed(const struct kill_args *k, const struct process *proc)
    REQUIRES(proctable_lock)
{
    if (k->pid > 0)
        return proc->pid == k->pid;
    if (k->pid == 0)
        return proc->pgid == k->from->pgid;
    if (k->pid == -1)
        return proc->pid != 1 && proc != k->from;
    return proc->pgid == -k->pid;
}

/* p held. */
static void kill_visit(struct process *proc, void *arg) REQUIRES(proctable_lock)
{
    struct kill_args *k = arg;
    if (!addressed(k, proc))
        return;
    k->found++;
    if (!may_signal(proc, k->sig)) {
        k->refused++;
        return;
    }
    if (k->sig && proc->state == PROCESS_LIVE) {
        if (k->pid > 0)
            signal_send(proc, k->sig, k->info);
        else
            signal_send_each(proc, k->sig, k->info);
        if (k->sig == SIGCONT)
            process_report_stop(proc);
    }
}

static long kill_pids(int pid, int sig, const struct signal_info *info)
{
    if (sig < 0 || sig > NSIG)
        return -EINVAL;
    if (pid == INT_MIN) /* there is no such group: nor has it a number (kill(2), as Linux) */
        return -ESRCH;
    struct kill_args k = {.from = process_current(), .pid = pid, .sig = sig, .info = info};
    if (pid > 0) {
        spin_lock(&proctable_lock);
        struct process *proc = process_find(pid);
        if (proc)
            kill_visit(proc, &k);
        spin_unlock(&proctable_lock);
    } else {
        process_for_each(kill_visit, &k);
    }
    if (!k.found)
        return -ESRCH;
    return k.found == k.refused ? -EPERM : 0;
}

long process_kill(int pid, int sig)
{
    struct signal_info info = {
        .code = SI_USER, .pid = process_current()->pid, .uid = process_cred()->uid};
    return kill_pids(pid, sig, &info);
}

/* Only to itself may a process send what looks like the kernel's or kill's. */
long process_sigqueue(int pid, int sig, const struct signal_info *info)
{
    if (pid <= 0)
        return -ESRCH;
    if ((info->code >= 0 || info->code == SI_TKILL) && pid != process_current()->pid)
        return -EPERM;
    return kill_pids(pid, sig, info);
}

/* p held. */
static void interrupt_visit(struct process *proc, void *arg) REQUIRES(proctable_lock)
{
    if (proc->pid != 1 && proc->state == PROCESS_LIVE)
        signal_send_each(proc, SIGINT, NULL);
}

void process_interrupt_all(void)
{
    process_for_each(interrupt_visit, NULL);
}

long process_tkill(int tgid, int tid, int sig)
{
    if (sig < 0 || sig > NSIG || tid <= 0)
        return -EINVAL;
    struct process *from = process_current();
    long result = -ESRCH;
    spin_lock(&proctable_lock);
    struct uthread *ut = uthread_find(tid);
    if (ut && (tgid < 0 || tgid == ut->proc->pid)) {
        result = may_signal(ut->proc, sig) ? 0 : -EPERM;
        struct signal_info info = {.code = SI_TKILL, .pid = from->pid, .uid = process_cred()->uid};
        if (!result && sig)
            signal_send_thread(ut, sig, &info);
        if (!result && sig == SIGCONT)
            process_report_stop(ut->proc);
    }
    spin_unlock(&proctable_lock);
    return result;
}

/* The caller (0 or its own pid) or one of its children; NULL otherwise.  p held. */
static struct process *self_or_child(struct process *self, int pid) REQUIRES(proctable_lock)
{
    if (pid == 0 || pid == self->pid)
        return self;
    struct process *proc = process_find(pid);
    return proc && proc->parent == self ? proc : NULL;
}

struct group_search {
    int pgid, sid;
    bool found;
};

static void find_group(struct process *proc, void *arg) REQUIRES(proctable_lock)
{
    struct group_search *s = arg;
    s->found |= proc->pgid == s->pgid && proc->sid == s->sid;
}

long process_setpgid(int pid, int pgid)
{
    if (pgid < 0)
        return -EINVAL;
    struct process *self = process_current();
    long result = 0;
    spin_lock(&proctable_lock);
    struct group_search s = {.pgid = pgid, .sid = self->sid};
    process_for_each_locked(find_group, &s);
    struct process *proc = self_or_child(self, pid);
    if (!proc)
        result = -ESRCH;
    else if (proc->sid != self->sid)
        result = -EPERM;
    else if (proc != self && proc->has_execed) /* it may have made up its mind */
        result = -EACCES;
    else if (proc->sid == proc->pid)
        result = -EPERM;
    else if (pgid != 0 && pgid != proc->pid && !s.found)
        result = -EPERM;
    else
        proc->pgid = pgid ? pgid : proc->pid;
    spin_unlock(&proctable_lock);
    return result;
}

long process_setsid(void)
{
    struct process *self = process_current();
    spin_lock(&proctable_lock);
    bool leader = pid_names_group(self->pid);
    if (!leader)
        self->pgid = self->sid = self->pid;
    spin_unlock(&proctable_lock);
    return leader ? -EPERM : self->pid;
}

long process_getpgid(int pid)
{
    spin_lock(&proctable_lock);
    struct process *proc = pid ? process_find(pid) : process_current();
    long result = proc ? proc->pgid : -ESRCH;
    spin_unlock(&proctable_lock);
    return result;
}

long process_getsid(int pid)
{
    spin_lock(&proctable_lock);
    struct process *proc = pid ? process_find(pid) : process_current();
    long result = proc ? proc->sid : -ESRCH;
    spin_unlock(&proctable_lock);
    return result;
}

int process_getppid(void)
{
    struct process *self = process_current();
    spin_lock(&proctable_lock);
    int pid = self->parent ? self->parent->pid : 0;
    spin_unlock(&proctable_lock);
    return pid;
}
