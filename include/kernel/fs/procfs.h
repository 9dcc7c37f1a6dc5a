/* /proc: a read-only directory whose entries are made when somebody looks. */
#pragma once

#include <kernel/fs/textfile.h>

#define PROCFS_FILES_MAX 32

/* Puts a text file into /proc: `name` is constant.  Boot only; a name that is there already gets
 * the new printer. */
void procfs_add(const char *name, void (*print)(struct textbuf *b));

/* The directory, with a reference; NULL when out of memory.  It has meminfo and uptime without
 * being asked. */
struct vnode *procfs_create(void);
