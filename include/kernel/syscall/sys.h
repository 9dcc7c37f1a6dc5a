/* System calls: the table and its handlers.  A handler checks and copies its arguments, calls the
 * layer below, and copies results out; nothing else.  How to add one: CONTRIBUTING.md. */
#pragma once

#include <lib/util.h>

/* Arguments as the user's registers had them. */
typedef long (*sys_handler)(const unsigned long args[6]);

/* Flags: what becomes of -EINTR (signal(7)), and of the result. */
#define SYS_RESTARTABLE        1u /* made again after a handler with SA_RESTART, or when none ran */
#define SYS_RESTART_NO_HANDLER 2u /* made again only when no handler ran */
#define SYS_RESTART_ALWAYS     4u /* made again after any handler, too: it has done nothing yet */
#define SYS_RESTARTS           (SYS_RESTARTABLE | SYS_RESTART_NO_HANDLER | SYS_RESTART_ALWAYS)
#define SYS_SETS_REGISTERS     8u /* a success has set the user's registers itself */

struct sys_entry {
    unsigned nr;
    const char *name;
    sys_handler handler;
    unsigned flags;
};

/* NULL: no such call. */
const struct sys_entry *sys_lookup(unsigned long nr);
void sys_table_init(void);
