/* Failures on purpose (Linux's fail-nth): allocations, sleeps that a signal could end, sleeps with
 * a time limit (abi/shoal.h, FAIL_*).  Each kind has a count in each thread and one for the whole
 * machine; the use that takes one of them from 1 to 0 fails.  Interrupt handlers use the
 * interrupted thread's counts only by accident, so they neither allocate nor sleep. */
#pragma once

#include <abi/shoal.h>
#include <lib/err.h>

struct failpoint {
    unsigned countdown[FAIL_KINDS]; /* 0: off.  Owner thread only */
};

/* The current thread's, set by the scheduler at each switch; NULL before there are threads.
 * Interrupts off. */
void failpoint_switch(struct failpoint *fp);

/* The boot option, "alloc:3" or "alloc:3,sleep:1,timeout:2": the third allocation of the machine
 * from now on fails, its first sleep, its second time limit.  What fails says so on the console.
 * -EINVAL. */
err_t failpoint_set_machine(const char *text);

/* Should this use fail?  Called once for each request: by pmem and kmem for an allocation, by the
 * sleeps of kernel/sched. */
bool failpoint_hit(unsigned kind);
