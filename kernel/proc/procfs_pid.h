/* Inside of kernel/proc: the texts of /proc/PID.  No lock held; the caller has a reference to proc.
 */
#pragma once

#include "proc.h"

#include <kernel/fs/textfile.h>

void process_print_maps(struct process *proc, struct textbuf *b);
void process_print_status(struct process *proc, struct textbuf *b);
void process_print_comm(struct process *proc, struct textbuf *b);

/* /proc/check and /proc/audit of debug kernels (procfs_check.c). */
void process_print_check(struct textbuf *b);
void process_print_audit(struct textbuf *b);
