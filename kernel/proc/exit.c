/* The end of a process, and who hears of it.
 *
 * Model: tests/spin/regionlock.pml
 */
#include "signal.h"

#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/vnode.h>
#include <kernel/proc/futex.h>

static struct waitq init_wait = {
    LIST_INIT(init_wait.waiters)}; /* p  the kernel, for pid 1 and for the last process */
static int init_status GUARDED_BY(proctable_lock); /* p */

/* Wakes whoever waits in process_wait or process_wait_init for a change of a child.  p held. */
static void process_changed(struct process *parent) REQUIRES(proctable_lock)
{
    waitq_wake_all(parent ? &parent->child_wait : &init_wait);
}

int wait_status_code(int status, int *value)
{
    *value = status >> 8;
    if ((status & 0xff) == 0x7f)
        return CLD_STOPPED;
    if (status == WAIT_STATUS_CONTINUED) {
        *value = SIGCONT;
        return CLD_CONTINUED;
    }
    if ((status & 0x7f) == 0)
        return CLD_EXITED;
    *value = status & 0x7f;
    return CLD_KILLED;
}

/* Sends the signal a child's end or stop means to its parent.  p held. */
static void signal_parent(struct process *proc, int sig, int status) REQUIRES(proctable_lock)
{
    if (!proc->parent || sig == 0)
        return;
    struct signal_info info = {.pid = proc->pid, .uid = proc->cred.uid};
    info.code = wait_status_code(status, &info.status);
    signal_send(proc->parent, sig, &info);
}

void process_tell_parent(struct process *proc, int status)
{
    if (proc->parent && !signal_ignores_stops(proc->parent))
        signal_parent(proc, SIGCHLD, status);
    process_changed(proc->parent);
}

/* A zombie whose parent does not want it leaves at once.  p held.  True: the caller drops the
 * table's reference. */
static bool reap_unwanted(struct process *proc) REQUIRES(proctable_lock)
{
    if (proc->parent && !(proc->exit_signal == SIGCHLD && signal_ignores_children(proc->parent)))
        return false;
    process_unlink(proc);
    return true;
}

/* Children go to init; what is left of a dead one whom init would not wait for goes at once.  p
 * held. */
static void give_children_away(struct process *proc, struct list *gone) REQUIRES(proctable_lock)
{
    struct process *heir = init_process != proc ? init_process : NULL;
    struct list *node;
    while ((node = list_pop_front(&proc->children))) {
        struct process *child = list_entry(node, struct process, sibling_node);
        child->parent = heir;
        child->exit_signal = SIGCHLD;
        if (heir)
            list_push_back(&heir->children, node);
        if (child->state != PROCESS_ZOMBIE)
            continue;
        if (reap_unwanted(child)) {
            list_push_back(gone, &child->sibling_node);
        } else {
            signal_parent(child, SIGCHLD, child->status);
            process_changed(heir);
        }
    }
}

/* Becomes a zombie, or less.  After this the process belongs to its parent. */
static void announce_exit(struct process *proc, int status)
{
    struct list gone = LIST_INIT(gone);
    spin_lock(&proctable_lock);
    give_children_away(proc, &gone);
    proc->status = status;
    proc->state = PROCESS_ZOMBIE;
    if (proc == init_process) {
        init_process = NULL;
        init_status = status;
    }
    struct process *parent = proc->parent;
    signal_parent(proc, proc->exit_signal, status);
    if (reap_unwanted(proc))
        list_push_back(&gone, &proc->sibling_node);
    process_changed(parent);
    if (parent)
        waitq_wake_all(&init_wait); /* process_kill_all counts */
    spin_unlock(&proctable_lock);
    struct list *node;
    while ((node = list_pop_front(&gone)))
        process_put(list_entry(node, struct process, sibling_node));
}

bool process_has_other_threads(void)
{
    struct process *proc = process_current();
    spin_lock(&proc->siglock);
    bool others = proc->nthreads > 1;
    spin_unlock(&proc->siglock);
    return others;
}

void uthread_leave_memory(struct uthread *self)
{
    struct process *proc = self->proc;
    if (self->robust_list)
        futex_robust_exit(self->robust_list, self->tid);
    self->robust_list = 0;
    shm_thread_exit(&self->shm);
    /* Last, because whoever sees it takes the thread for ended (pthread_join).  set_tid_address(2):
     * only while somebody shares the memory. */
    if (self->clear_child_tid && (process_has_other_threads() || ref_read(&proc->as->refs) > 1)) {
        int zero = 0;
        if (copy_to_user(self->clear_child_tid, &zero, sizeof zero) == 0)
            (void)futex_wake(self->clear_child_tid, 1, FUTEX_ANY);
    }
    self->clear_child_tid = 0;
}

/* The last a thread does with its memory. */
static void settle_thread(struct uthread *self)
{
    uthread_leave_memory(self);
    bool irq = irq_save();
    self->thread.vpmap = NULL; /* from here a shootdown of the map does not wait for this thread */
    vpmap_activate(NULL);
    irq_restore(irq);
}

/* Takes the thread out of its process; true when it was the last.  *status becomes the process's.
 */
static bool leave_process(struct uthread *self, int *status)
{
    struct process *proc = self->proc;
    spin_lock(&proctable_lock);
    spin_lock(&self->proc->siglock);
    list_remove(&self->proc_node);
    bool last = --proc->nthreads == 0;
    if (proc->stopped && self->stop_nr == proc->stop_nr)
        proc->nstopped--;
    uthread_unlink(self);
    proc->run_ns += thread_run_ns(&self->thread);
    if (proc->exiting)
        *status = proc->exit_status;
    proc->exiting |= last;
    if (proc->nthreads == 1)
        waitq_wake_all(&proc->sole_wait);
    spin_unlock(&self->proc->siglock);
    process_report_stop(proc); /* perhaps all that are left have stopped */
    spin_unlock(&proctable_lock);
    return last;
}

/* Lets go of everything a process holds: mappings before the creator's end (R4), all of it before a
 * parent can hear of the exit. */
static void release_all(struct process *proc)
{
    process_alarm_exit(proc);
    fdtable_put(proc->fds);
    proc->fds = NULL;
    process_set_cwd(proc, NULL);
    struct addrspace *as = proc->as;
    spin_lock(&proc->siglock);
    proc->as = NULL;
    spin_unlock(&proc->siglock);
    addrspace_put(as);
    shm_process_exit(&proc->shm);
}

void process_thread_exit(int status)
{
    struct uthread *self = uthread_current();
    signal_set_blocked(~(sigset_t)0); /* from here they are for the others */
    settle_thread(self);
    if (leave_process(self, &status)) {
        release_all(self->proc);
        process_vfork_done(self->proc);
        announce_exit(self->proc, status);
    }
    thread_exit();
}

/* Tells every thread but `self` to leave.  siglock held. */
static void dismiss_others(struct process *proc, const struct uthread *self) REQUIRES(proc->siglock)
{
    list_for_each (node, &proc->threads) {
        struct uthread *ut = list_entry(node, struct uthread, proc_node);
        if (ut != self)
            thread_notify(&ut->thread, NOTIFY_SIGNAL | NOTIFY_KILL);
    }
    waitq_wake_all(&proc->stop_wait);
}

static void begin_exit(struct process *proc, int status, const struct uthread *self)
    REQUIRES(proc->siglock)
{
    if (proc->exiting)
        return;
    proc->exiting = true;
    proc->exit_status = status;
    dismiss_others(proc, self);
}

void process_begin_exit(struct process *proc, int status)
{
    begin_exit(proc, status, NULL);
}

void process_exit(int status)
{
    struct uthread *self = uthread_current();
    struct process *proc = self->proc;
    spin_lock(&proc->siglock);
    begin_exit(proc, status, self);
    spin_unlock(&proc->siglock);
    process_thread_exit(status);
}

err_t process_become_sole(void)
{
    struct uthread *self = uthread_current();
    struct process *proc = self->proc;
    spin_lock(&proc->siglock);
    if (proc->exiting || proc->sole) {
        spin_unlock(&proc->siglock);
        return -EAGAIN;
    }
    proc->sole = self;
    dismiss_others(proc, self);
    while (proc->nthreads > 1)
        (void)waitq_sleep(&proc->sole_wait, &proc->siglock, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    proc->sole = NULL;
    spin_unlock(&proc->siglock);
    return 0;
}

/* A child that tells its end by another signal than SIGCHLD, or none, is waited for by WCLONE. */
static bool wanted(const struct process *child, struct wait_target target, unsigned options)
    REQUIRES(proctable_lock)
{
    bool clone = child->exit_signal != SIGCHLD;
    if (!(options & WALL) && clone != !!(options & WCLONE))
        return false;
    switch (target.type) {
    case WAIT_PID:
        return child->pid == target.id;
    case WAIT_GROUP:
        return child->pgid == target.id;
    default:
        return true;
    }
}

/* What there is to say of a child now.  p held. */
static bool report(struct process *child, unsigned options, struct wait_result *result)
    REQUIRES(proctable_lock)
{
    result->uid = child->cred.uid;
    if (child->state == PROCESS_ZOMBIE) {
        if (!(options & WEXITED))
            return false;
        result->status = child->status;
        result->run_ns = child->run_ns + child->children_run_ns;
        return true;
    }
    spin_lock(&child->siglock);
    bool stop = (child->stop_report & 0xff) == 0x7f;
    bool told = child->stop_report && (options & (stop ? WUNTRACED : WCONTINUED));
    result->status = child->stop_report;
    result->run_ns = 0;
    if (told && !(options & WNOWAIT))
        child->stop_report = 0;
    spin_unlock(&child->siglock);
    return told;
}

/* A child to report, or NULL; *any: is there one to wait for?  p held. */
static struct process *find_child(struct process *self, struct wait_target target, unsigned options,
                                  struct wait_result *result, bool *any) REQUIRES(proctable_lock)
{
    *any = false;
    list_for_each (node, &self->children) {
        struct process *child = list_entry(node, struct process, sibling_node);
        if (!wanted(child, target, options))
            continue;
        *any = true;
        if (report(child, options, result))
            return child;
    }
    return NULL;
}

long process_wait(struct wait_target target, unsigned options, struct wait_result *result)
{
    struct process *self = process_current();
    struct process *child;
    bool any;
    err_t err = 0;
    spin_lock(&proctable_lock);
    while (!(child = find_child(self, target, options, result, &any)) && !err) {
        if (!any)
            err = -ECHILD;
        else if (options & WNOHANG)
            break;
        else
            err = waitq_sleep(&self->child_wait, &proctable_lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
    }
    long pid = child ? child->pid : err;
    bool reap = child && child->state == PROCESS_ZOMBIE && !(options & WNOWAIT);
    if (reap) {
        self->children_run_ns += result->run_ns;
        process_unlink(child);
    }
    spin_unlock(&proctable_lock);
    if (reap)
        process_put(child);
    return pid;
}

int process_wait_init(void)
{
    spin_lock(&proctable_lock);
    while (init_process)
        (void)waitq_sleep(&init_wait, &proctable_lock, SLEEP_UNINTERRUPTIBLE, NS_NEVER);
    int status = init_status;
    spin_unlock(&proctable_lock);
    return status;
}

static void kill_one(struct process *proc, void *arg) REQUIRES(proctable_lock)
{
    if (proc->state == PROCESS_LIVE)
        signal_send(proc, SIGKILL, NULL);
}

void process_kill_all(void)
{
    while (process_count() > 0) {
        process_for_each(kill_one, NULL);
        spin_lock(&proctable_lock);
        (void)waitq_sleep(&init_wait, &proctable_lock, SLEEP_UNINTERRUPTIBLE,
                          arch_time_ns() + 10 * NS_PER_MS);
        spin_unlock(&proctable_lock);
    }
}
