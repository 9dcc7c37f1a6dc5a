/* /proc: a read-only directory whose entries are made when somebody looks. */
#pragma once

#include <kernel/fs/textfile.h>

#define PROCFS_FILES_MAX 32

/* Puts a text file into /proc: `name` is constant.  Boot only; a name that is there already gets
 * the new printer. */
void procfs_add(const char *name, void (*print)(struct textbuf *b));

/* The same, to be read by root alone. */
void procfs_add_for_root(const char *name, void (*print)(struct textbuf *b));

/* The same in a directory of /proc, which comes with its first file. */
void procfs_add_in(const char *dir, const char *name, void (*print)(struct textbuf *b));

/* The entries that name processes: kernel/proc has them, and is above this layer.  Tree lock held.
 */
struct procfs_processes {
    err_t (*lookup)(struct vnode *proc, const char *name, struct vnode **out); /* -ENOENT */
    err_t (*readdir)(uint64_t cookie, struct dir_sink *sink);  /* from PROCFS_COOKIE_PROCESSES on */
    err_t (*child_name)(const struct vnode *child, char *buf); /* as vnode_ops.child_name */
};
#define PROCFS_COOKIE_PROCESSES 256
#define PROCFS_INO_PROCESSES    256 /* theirs begin here */

/* Boot only. */
void procfs_set_processes(const struct procfs_processes *ops);

/* The directory, with a reference; NULL when out of memory.  It has meminfo and uptime without
 * being asked. */
struct vnode *procfs_create(void);
