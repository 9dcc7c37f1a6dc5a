/* Which number a new process or thread gets: 1 .. pid.max, round and round. */
#include "proc.h"

#include <kernel/base/cmdline.h>
#include <lib/string.h>

static int last_pid GUARDED_BY(proctable_lock); /* p  the one given last */
static bool reused GUARDED_BY(proctable_lock);  /* p  all have been given once */

/* Which numbers mean somebody.  Of use within pid_next() only. */
static uint64_t taken[PID_MAX / 64 + 1] GUARDED_BY(proctable_lock); /* p */

static void take(int n) REQUIRES(proctable_lock)
{
    taken[n / 64] |= 1ull << n % 64;
}

static void take_all_of(struct process *proc, void *arg) REQUIRES(proctable_lock)
{
    take(proc->pid);
    take(proc->pgid);
    take(proc->sid);
    spin_lock(&proc->siglock);
    list_for_each (node, &proc->threads)
        take(list_entry(node, struct uthread, proc_node)->tid);
    spin_unlock(&proc->siglock);
}

int pid_next(void)
{
    int max = (int)MIN(MAX(cmdline_u64("pid.max", PID_MAX), 1ul), (unsigned long)PID_MAX);
    reused |= last_pid >= max;
    if (!reused)
        return ++last_pid;
    memset(taken, 0, sizeof taken);
    process_for_each_locked(take_all_of, NULL);
    for (int i = 0; i < max; i++) {
        int n = (last_pid + i) % max + 1;
        if (!(taken[n / 64] >> n % 64 & 1))
            return last_pid = n;
    }
    return -EAGAIN;
}
