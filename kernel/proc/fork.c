/* fork, vfork and clone of processes; pid 1. */
#include "proc.h"

#include <abi/exit.h>
#include <abi/linux_fs.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/file.h>
#include <kernel/fs/path.h>
#include <kernel/fs/vnode.h>
#include <kernel/proc/exec.h>

/* The child's first kernel code. */
static void fork_child(void *arg)
{
    struct uthread *ut = arg;
    if (ut->set_child_tid) {
        int tid = ut->tid;
        (void)copy_to_user(ut->set_child_tid, &tid,
                           sizeof tid); /* clone(2): a bad pointer is the program's loss */
    }
    arch_enter_user();
}

/* What the first registers and addresses of a new thread are. */
static void inherit_thread(struct uthread *child, struct uthread *parent,
                           const struct fork_args *args)
{
    arch_uregs_fork(&child->thread.arch, &parent->thread.arch);
    if (args->stack)
        arch_uregs_set_sp(&child->thread.arch, args->stack);
    if (args->set_tls)
        arch_uregs_set_tls(&child->thread.arch, args->tls);
    if (args->set_child_tid)
        child->set_child_tid = args->child_tid;
    if (args->clear_child_tid)
        child->clear_child_tid = args->child_tid;
}

/* Everything a child has from its parent but for its place in the tree. */
static err_t inherit(struct uthread *child, struct uthread *parent, const struct fork_args *args)
{
    struct process *from = parent->proc, *to = child->proc;
    err_t err = shm_kin_init(&to->shm, &from->shm, args->share_as ? from->as : NULL);
    if (err)
        return err;
    if (args->share_as) {
        addrspace_get(from->as);
        to->as = from->as;
    } else {
        err = addrspace_fork(from->as, &to->as);
        if (err)
            return err;
    }
    child->thread.vpmap = &to->as->vpmap;
    if (args->share_files) {
        fdtable_get(from->fds);
        to->fds = from->fds;
    } else if (!(to->fds = fdtable_copy(from->fds))) {
        return -ENOMEM;
    }
    to->cwd = process_cwd(from);
    to->umask = __atomic_load_n(&from->umask, __ATOMIC_RELAXED);
    child->cred = parent->cred;
    to->exit_signal = args->exit_signal;
    spin_lock(&from->siglock);
    to->actions = from->actions;
    child->blocked = parent->blocked;
    spin_unlock(&from->siglock);
    if (!args->share_as || args->vfork)
        child->altstack = parent->altstack;
    inherit_thread(child, parent, args);
    return 0;
}

/* Sleeps until the child has let go of the address space.  A parent that is killed stops waiting.
 */
static void wait_vfork(struct process *child, struct vfork_wait *wait)
{
    spin_lock(&proctable_lock);
    while (!wait->finished &&
           waitq_sleep(&wait->done, &proctable_lock, SLEEP_KILLABLE, NS_NEVER) == 0)
        ;
    if (!wait->finished)
        child->vfork = NULL;
    spin_unlock(&proctable_lock);
}

void process_vfork_done(struct process *proc)
{
    spin_lock(&proctable_lock);
    struct vfork_wait *wait = proc->vfork;
    proc->vfork = NULL;
    if (wait) {
        wait->finished = true;
        waitq_wake_all(&wait->done);
    }
    spin_unlock(&proctable_lock);
}

/* A child in its place in the tree, not started. */
static err_t make_child(struct uthread *self, const struct fork_args *args, struct uthread **out)
{
    err_t err = signal_fork_begin();
    if (err)
        return err;
    struct uthread *child = process_new(self->proc->name, fork_child);
    err = child ? inherit(child, self, args) : -ENOMEM;
    if (!err)
        err = process_link(child, self->proc);
    if (err) {
        signal_fork_end(NULL);
        if (child)
            process_discard(child);
    }
    *out = child;
    return err;
}

long process_fork(const struct fork_args *args)
{
    struct uthread *self = uthread_current();
    struct vfork_wait wait = {.finished = false};
    struct uthread *child;
    err_t err = make_child(self, args, &child);
    if (err)
        return err;
    struct process *proc = child->proc;
    int pid = proc->pid;
    if (args->vfork) {
        waitq_init(&wait.done);
        spin_lock(&proctable_lock);
        proc->vfork = &wait;
        spin_unlock(&proctable_lock);
        ref_get(&proc->refs); /* the child may be reaped before we look */
    }
    if (args->parent_tid)
        (void)copy_to_user(args->parent_tid, &pid, sizeof pid);
    thread_start(&child->thread);
    if (args->vfork) {
        wait_vfork(proc, &wait);
        process_put(proc);
    }
    return pid;
}

long process_clone_thread(const struct fork_args *args)
{
    struct uthread *self = uthread_current();
    struct process *proc = self->proc;
    ref_get(&proc->refs);
    struct uthread *child = uthread_new(proc, self->thread.name, fork_child);
    if (!child) {
        process_put(proc);
        return -ENOMEM;
    }
    child->thread.vpmap = &proc->as->vpmap;
    child->blocked = self->blocked;
    child->cred = self->cred;
    inherit_thread(child, self, args);
    err_t err = uthread_link(child);
    if (err) {
        thread_destroy(&child->thread);
        return err;
    }
    int tid = child->tid;
    if (args->parent_tid)
        (void)copy_to_user(args->parent_tid, &tid, sizeof tid);
    thread_start(&child->thread);
    return tid;
}

static const char *init_path;
static const char *const *init_argv;

static err_t open_console(struct fdtable *fds)
{
    struct path_at at = {.base = NULL, .path = "/dev/console", .cred = &cred_root};
    struct file *file;
    err_t err = file_open(&at, O_RDWR, 0, &file);
    if (err)
        return err;
    for (int fd = 0; fd < 3 && !err; fd++)
        err = fd_replace(fds, fd, file, false);
    file_put(file);
    return err;
}

/* Pid 1's first code: becomes the init program. */
static void init_entry(void *arg)
{
    static const char *const envp[] = {"PATH=/bin:/sbin:/test", "HOME=/", NULL};
    struct exec_strings strings;
    err_t err = open_console(process_current()->fds);
    if (!err)
        err = exec_strings_from_kernel(&strings, init_argv, envp);
    if (!err)
        err = exec_current(init_path, &strings);
    if (err) {
        printk("shoal: boot stopped: cannot run %s: %s\n", init_path, err_name(err));
        arch_console_drain();
        arch_power_off(EXIT_CODE_BOOT);
    }
    arch_enter_user();
}

err_t process_start_init(const char *path, const char *const *argv)
{
    init_path = path;
    init_argv = argv;
    struct uthread *ut = process_new("init", init_entry);
    if (!ut)
        return -ENOMEM;
    struct process *proc = ut->proc;
    proc->fds = fdtable_create();
    proc->as = addrspace_create();
    proc->cwd = fs_root();
    vnode_get(proc->cwd);
    proc->umask = 022;
    ut->cred = cred_root;
    err_t err = proc->fds && proc->as ? shm_kin_init(&proc->shm, NULL, NULL) : -ENOMEM;
    if (!err)
        err = process_link(ut, NULL);
    if (err) {
        process_discard(ut);
        return err;
    }
    ut->thread.vpmap = &proc->as->vpmap;
    spin_lock(&proctable_lock);
    init_process = proc;
    spin_unlock(&proctable_lock);
    thread_start(&ut->thread);
    return 0;
}
