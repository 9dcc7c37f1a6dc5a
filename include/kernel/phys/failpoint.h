/* Failing allocations on purpose (Linux's fail-nth): each thread has a count; the allocation that
 * takes it from 1 to 0 fails.  Interrupt handlers use the interrupted thread's count only by
 * accident, so they do not allocate. */
#pragma once

#include <stdbool.h>

struct failpoint {
    unsigned countdown; /* 0: off.  Owner thread only */
};

/* The current thread's, set by the scheduler at each switch; NULL before there are threads.
 * Interrupts off. */
void failpoint_switch(struct failpoint *fp);

/* Should this allocation fail?  Called by pmem and kmem, once for each request. */
bool failpoint_hit(void);
