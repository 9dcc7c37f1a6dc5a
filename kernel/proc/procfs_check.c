/* /proc/check runs every invariant walker, at any time, and says "ok" or panics.  /proc/audit says
 * what the audit at shutdown counts.  Both for tests; root's alone, and only in debug kernels. */
#include "procfs_pid.h"

#include <kernel/base/audit.h>
#include <kernel/phys/kmem.h>
#include <kernel/phys/pmem.h>
#include <kernel/sched/thread.h>

/* The address space of the first process at or after *pid, held, NULL when it has none any more;
 * false when there is no such process. */
static bool next_addrspace(int *pid, struct addrspace **as)
{
    *as = NULL;
    *pid = process_next_pid(*pid);
    if (*pid == 0)
        return false;
    spin_lock(&proctable_lock);
    struct process *proc = process_find(*pid);
    if (proc) {
        spin_lock(&proc->siglock);
        *as = proc->as;
        if (*as)
            addrspace_hold(*as);
        spin_unlock(&proc->siglock);
    }
    spin_unlock(&proctable_lock);
    return true;
}

void process_print_check(struct textbuf *b)
{
    struct addrspace *as;
    pmem_check();
    kmem_check();
    process_check();
    shm_check();
    for (int pid = 1; next_addrspace(&pid, &as); pid++) {
        if (!as)
            continue;
        addrspace_check(as);
        addrspace_unhold(as);
    }
    textbuf_print(b, "ok\n");
}

void process_print_audit(struct textbuf *b)
{
    struct audit now = {.n = 0};
    kmem_shrink();
    pmem_audit(&now);
    kmem_audit(&now);
    thread_audit(&now);
    process_audit(&now);
    shm_audit(&now);
    for (unsigned i = 0; i < now.n; i++)
        textbuf_print(b, "%s: %zu\n", now.lines[i].name, now.lines[i].count);
}
