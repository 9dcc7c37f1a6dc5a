/* Waiting for any of several files.  One queue for all: a change wakes everyone who polls, and they
 * look again. */
#pragma once

#include <kernel/sched/waitq.h>

/* Between these two the caller looks at its files: a change after poll_begin() makes poll_wait()
 * return at once. */
uint64_t poll_begin(void);

/* Sleeps until something changed since `seen`.  0; -ETIMEDOUT; -EINTR, also without a sleep. */
int poll_wait(uint64_t seen, uint64_t deadline_ns);
void poll_end(void);

/* A file's poll state may have changed.  Any context without a RANK_FILE lock. */
void poll_notify(void);
