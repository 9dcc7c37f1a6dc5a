/* The table of processes: pids, the tree, references. */
#include "proc.h"

#include <kernel/base/audit.h>
#include <kernel/base/panic.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/vnode.h>
#include <kernel/phys/kmem.h>
#include <lib/radix.h>
#include <lib/string.h>

struct spinlock proctable_lock = SPINLOCK_INIT("proctable", RANK_PROCTABLE);
struct process *init_process;

static struct radix by_pid GUARDED_BY(proctable_lock); /* p  processes */
static struct radix by_tid GUARDED_BY(proctable_lock); /* p  threads; a process's number leads to
                                                          its first, or to another that is left */
static size_t nzombies GUARDED_BY(proctable_lock);     /* p  in by_pid, and in by_tid no more */

static struct kmem_cache process_cache = KMEM_CACHE("process", struct process);
static struct kmem_cache uthread_cache = KMEM_CACHE("uthread", struct uthread);

struct uthread *uthread_find(int tid)
{
    return tid > 0 ? radix_get(&by_tid, (size_t)tid) : NULL;
}

struct process *process_find(int pid)
{
    return pid > 0 ? radix_get(&by_pid, (size_t)pid) : NULL;
}

size_t process_count(void)
{
    spin_lock(&proctable_lock);
    size_t n = by_pid.count;
    spin_unlock(&proctable_lock);
    return n;
}

/* As Linux has it: at most an eighth of memory in kernel stacks, so that threads alone cannot use
 * it all up.  Zombies count as well, though their stacks are free. */
static size_t max_threads(void)
{
    return MIN(pmem_total_pages() / (8 * KSTACK_BYTES / PAGE_BYTES), (size_t)PID_MAX - 1);
}

/* A number for a thread, under which it can be found; -EAGAIN.  p held. */
static int tid_alloc(struct uthread *ut) REQUIRES(proctable_lock)
{
    int tid = by_tid.count + nzombies < max_threads() ? pid_next() : -EAGAIN;
    if (tid < 0 || radix_insert(&by_tid, &kmem_radix_ops, (size_t)tid, ut))
        return -EAGAIN;
    return tid;
}

static void uthread_release(struct thread *t)
{
    struct uthread *ut = container_of(t, struct uthread, thread);
    struct process *proc = ut->proc;
    kmem_free(&uthread_cache, ut);
    process_put(proc);
}

struct uthread *uthread_new(struct process *proc, const char *name, void (*entry)(void *arg))
{
    struct uthread *ut = kmem_alloc(&uthread_cache);
    if (!ut)
        return NULL;
    if (thread_init(&ut->thread, name, entry, ut, true, uthread_release)) {
        kmem_free(&uthread_cache, ut);
        return NULL;
    }
    ut->proc = proc;
    ut->restart_nr = RESTART_NONE;
    ut->altstack.flags = SS_DISABLE;
    list_init(&ut->proc_node);
    return ut;
}

struct uthread *process_new(const char *name, void (*entry)(void *arg))
{
    struct process *proc = kmem_alloc(&process_cache);
    if (!proc)
        return NULL;
    struct uthread *ut = uthread_new(proc, name, entry);
    if (!ut) {
        kmem_free(&process_cache, proc);
        return NULL;
    }
    ref_init(&proc->refs, 1); /* its thread's */
    list_init(&proc->children);
    list_init(&proc->sibling_node);
    waitq_init(&proc->child_wait);
    spin_init(&proc->siglock, "siglock", RANK_SIGNAL);
    list_init(&proc->threads);
    waitq_init(&proc->stop_wait);
    waitq_init(&proc->sole_wait);
    str_copy(proc->name, name, sizeof proc->name);
    list_push_back(&proc->threads, &ut->proc_node);
    proc->nthreads = 1;
    return ut;
}

void process_discard(struct uthread *ut)
{
    struct process *proc = ut->proc;
    if (proc->as)
        addrspace_put(proc->as);
    if (proc->fds)
        fdtable_put(proc->fds);
    if (proc->cwd)
        vnode_put(proc->cwd);
    shm_kin_exit(&proc->shm);
    thread_destroy(&ut->thread);
}

void process_put(struct process *proc)
{
    if (ref_put(&proc->refs))
        kmem_free(&process_cache, proc);
}

/* Is the end of the current thread settled?  Who kills a group, under p, has found this process but
 * not the child that it is forking: the child must not come to life. */
static bool dying(void)
{
    return __atomic_load_n(&thread_current()->notify, __ATOMIC_SEQ_CST) & NOTIFY_KILL;
}

err_t process_link(struct uthread *ut, struct process *parent)
{
    struct process *proc = ut->proc;
    spin_lock(&proctable_lock);
    int pid = parent && dying() ? -EAGAIN : tid_alloc(ut);
    if (pid >= 0 && radix_insert(&by_pid, &kmem_radix_ops, (size_t)pid, proc)) {
        radix_remove(&by_tid, &kmem_radix_ops, (size_t)pid);
        pid = -EAGAIN;
    }
    if (pid < 0) {
        spin_unlock(&proctable_lock);
        return pid;
    }
    proc->pid = pid;
    proc->cred = ut->cred;
    ut->tid = pid;
    ut->thread.pid = pid;
    proc->parent = parent;
    proc->pgid = parent ? parent->pgid : pid;
    proc->sid = parent ? parent->sid : pid;
    if (parent)
        list_push_back(&parent->children, &proc->sibling_node);
    ref_get(&proc->refs); /* the table's */
    shm_process_init(&proc->shm, (uint32_t)pid);
    shm_thread_init(&ut->shm, ut->thread.id, (uint32_t)pid);
    if (parent)
        signal_fork_end(ut);
    spin_unlock(&proctable_lock);
    return 0;
}

err_t uthread_link(struct uthread *ut)
{
    struct process *proc = ut->proc;
    err_t err = -EAGAIN;
    spin_lock(&proctable_lock);
    int tid = tid_alloc(ut);
    if (tid >= 0) {
        ut->tid = tid;
        ut->thread.pid = proc->pid;
        shm_thread_init(&ut->shm, ut->thread.id, (uint32_t)tid);
        spin_lock(&proc->siglock);
        if (!proc->exiting && !proc->sole) {
            list_push_back(&proc->threads, &ut->proc_node);
            proc->nthreads++;
            if (proc->stopped)
                thread_notify(&ut->thread, NOTIFY_SIGNAL);
            err = 0;
        }
        spin_unlock(&proc->siglock);
        if (err)
            radix_remove(&by_tid, &kmem_radix_ops, (size_t)tid);
    }
    spin_unlock(&proctable_lock);
    return err;
}

void uthread_unlink(struct uthread *ut)
{
    struct process *proc = ut->proc;
    size_t pid = (size_t)proc->pid;
    if (ut->tid != proc->pid)
        radix_remove(&by_tid, &kmem_radix_ops, (size_t)ut->tid);
    if (radix_get(&by_tid, pid) != ut)
        return;
    if (list_empty(&proc->threads)) {
        radix_remove(&by_tid, &kmem_radix_ops, pid);
        nzombies++;
    } else {
        radix_replace(&by_tid, pid, list_first(&proc->threads, struct uthread, proc_node));
    }
}

void uthread_take_pid(struct uthread *ut)
{
    struct process *proc = ut->proc;
    spin_lock(&proctable_lock);
    if (ut->tid != proc->pid) {
        radix_replace(&by_tid, (size_t)proc->pid, ut);
        radix_remove(&by_tid, &kmem_radix_ops, (size_t)ut->tid);
        ut->tid = proc->pid;
        ut->shm.tid = (uint32_t)proc->pid;
    }
    spin_unlock(&proctable_lock);
}

void process_unlink(struct process *proc)
{
    ASSERT(proc->state == PROCESS_ZOMBIE);
    proc->state = PROCESS_REAPED;
    list_remove(&proc->sibling_node);
    radix_remove(&by_pid, &kmem_radix_ops, (size_t)proc->pid);
    nzombies--;
}

struct uthread *uthread_current(void)
{
    struct thread *t = thread_current();
    return t->release == uthread_release ? container_of(t, struct uthread, thread) : NULL;
}

struct process *process_current(void)
{
    struct uthread *ut = uthread_current();
    return ut ? ut->proc : NULL;
}

struct shm_caller shm_caller_current(void)
{
    struct uthread *ut = uthread_current();
    return (struct shm_caller){
        .as = ut->proc->as,
        .process = &ut->proc->shm,
        .thread = &ut->shm,
        .cred = process_cred(),
    };
}

struct vnode *process_cwd(struct process *proc)
{
    spin_lock(&proc->siglock);
    struct vnode *cwd = proc->cwd;
    vnode_get(cwd);
    spin_unlock(&proc->siglock);
    return cwd;
}

void process_set_cwd(struct process *proc, struct vnode *vnode)
{
    spin_lock(&proc->siglock);
    struct vnode *old = proc->cwd;
    proc->cwd = vnode;
    spin_unlock(&proc->siglock);
    vnode_put(old);
}

unsigned process_umask_swap(unsigned umask)
{
    return __atomic_exchange_n(&process_current()->umask, umask & 0777, __ATOMIC_RELAXED);
}

unsigned process_umask(void)
{
    return __atomic_load_n(&process_current()->umask, __ATOMIC_RELAXED);
}

/* The process at or after *pid.  p held. */
static struct process *next_process(size_t *pid) REQUIRES(proctable_lock)
{
    return radix_next(&by_pid, pid);
}

/* p held. */
static void check_process(struct process *proc) REQUIRES(proctable_lock)
{
    unsigned threads = 0;
    ASSERTF(proc->state != PROCESS_REAPED, "process %d was reaped and is found", proc->pid);
    ASSERT(!proc->parent || proc->parent->state != PROCESS_REAPED);
    list_for_each (node, &proc->children)
        ASSERTF(list_entry(node, struct process, sibling_node)->parent == proc,
                "process %d has a child of another", proc->pid);
    spin_lock(&proc->siglock);
    list_for_each (node, &proc->threads) {
        const struct uthread *ut = list_entry(node, struct uthread, proc_node);
        ASSERTF(ut->proc == proc && uthread_find(ut->tid), "thread %d of process %d", ut->tid,
                proc->pid);
        threads++;
    }
    ASSERTF(threads == proc->nthreads, "process %d: %u threads, %u counted", proc->pid, threads,
            proc->nthreads);
    ASSERTF(!proc->stopped || proc->nstopped <= threads, "process %d: %u of %u threads stopped",
            proc->pid, proc->nstopped, threads);
    spin_unlock(&proc->siglock);
}

void process_check(void)
{
    spin_lock(&proctable_lock);
    struct process *proc;
    for (size_t pid = 0; (proc = next_process(&pid)); pid++) {
        ASSERT((size_t)proc->pid == pid);
        check_process(proc);
    }
    spin_unlock(&proctable_lock);
}

void process_set_thread_name(const char *name)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    spin_lock(&proc->siglock);
    str_copy(ut->thread.name, name, sizeof ut->thread.name);
    if (ut->tid == proc->pid)
        str_copy(proc->name, name, sizeof proc->name);
    spin_unlock(&proc->siglock);
}

bool process_has_thread(int tid)
{
    spin_lock(&proctable_lock);
    bool found = uthread_find(tid);
    spin_unlock(&proctable_lock);
    return found;
}

int process_next_pid(int pid)
{
    size_t at = (size_t)pid;
    spin_lock(&proctable_lock);
    bool found = next_process(&at);
    spin_unlock(&proctable_lock);
    return found ? (int)at : 0;
}

void process_for_each_locked(void (*fn)(struct process *proc, void *arg), void *arg)
{
    struct process *proc;
    for (size_t pid = 1; (proc = next_process(&pid)); pid++)
        fn(proc, arg);
}

void process_for_each(void (*fn)(struct process *proc, void *arg), void *arg)
{
    spin_lock(&proctable_lock);
    process_for_each_locked(fn, arg);
    spin_unlock(&proctable_lock);
}

static bool is_group_or_session(struct process *proc, int id) REQUIRES(proctable_lock)
{
    return proc->pgid == id || proc->sid == id;
}

bool pid_names_group(int pid)
{
    struct process *proc;
    for (size_t at = 1; (proc = next_process(&at)); at++)
        if (is_group_or_session(proc, pid))
            return true;
    return false;
}

void process_audit(struct audit *audit)
{
    audit_add(audit, "processes", process_count());
}

uint64_t process_children_run_ns(struct process *proc)
{
    spin_lock(&proctable_lock);
    uint64_t ns = proc->children_run_ns;
    spin_unlock(&proctable_lock);
    return ns;
}

uint64_t process_run_ns(struct process *proc)
{
    spin_lock(&proctable_lock);
    uint64_t ns = proc->run_ns;
    spin_lock(&proc->siglock);
    list_for_each (node, &proc->threads)
        ns += thread_run_ns(&list_entry(node, struct uthread, proc_node)->thread);
    spin_unlock(&proc->siglock);
    spin_unlock(&proctable_lock);
    return ns;
}
