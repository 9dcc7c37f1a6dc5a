/* Users and groups of threads and processes (credentials(7)).
 *
 * A thread asks with its own, which nobody else changes, so that a call sees one set from beginning
 * to end; the C library changes those of all threads together.  The process's are what others see:
 * the last that one of its threads has set. */
#include "proc.h"

const struct cred *process_cred(void)
{
    struct uthread *ut = uthread_current();
    return ut ? &ut->cred : &cred_root;
}

void process_set_cred(const struct cred *cred)
{
    struct uthread *ut = uthread_current();
    ut->cred = *cred;
    spin_lock(&proctable_lock);
    ut->proc->cred = *cred;
    spin_unlock(&proctable_lock);
}

/* execve(2): the saved ids become the effective ones. */
void process_cred_exec(void)
{
    struct cred cred = *process_cred();
    cred.suid = cred.euid;
    cred.sgid = cred.egid;
    process_set_cred(&cred);
}
