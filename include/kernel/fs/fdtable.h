/* Descriptors of a process; its threads share one table, and so do processes that were cloned with
 * CLONE_FILES. */
#pragma once

#include <kernel/base/refcount.h>
#include <kernel/base/spinlock.h>
#include <kernel/fs/file.h>

#define FDS_MAX 1024

/* a atomic   l lock (RANK_FDTABLE) */
struct fdtable {
    refcount_t refs; /* a */
    struct spinlock lock;
    unsigned nslots;                /* l  of `files` */
    struct file **files;            /* l  NULL in a slot that is used: reserved */
    uint64_t used[FDS_MAX / 64];    /* l */
    uint64_t cloexec[FDS_MAX / 64]; /* l */
};

/* An empty one with one reference; NULL when out of memory. */
struct fdtable *fdtable_create(void);
/* The same, with room for whatever another one holds or comes to hold. */
struct fdtable *fdtable_create_full(void);
void fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t); /* the last closes everything; may sleep */

/* fork: a new table with the same files.  NULL when out of memory. */
struct fdtable *fdtable_copy(struct fdtable *t);
/* The same for a new table of fdtable_create_full. */
void fdtable_fill(struct fdtable *to, struct fdtable *from);
void fdtable_close_on_exec(struct fdtable *t); /* may sleep */

/* The file of a descriptor with a reference; NULL: -EBADF. */
struct file *fd_get(struct fdtable *t, int fd);

/* Takes the lowest free descriptor at or above `min`, which stays closed to others until fd_install
 * or fd_unreserve. The descriptor, -EMFILE, -ENOMEM, or -EINVAL (min out of range). */
int fd_reserve(struct fdtable *t, unsigned min);
void fd_install(struct fdtable *t, int fd, struct file *f,
                bool cloexec); /* takes over the reference */
void fd_unreserve(struct fdtable *t, int fd);

err_t fd_close(struct fdtable *t, int fd); /* -EBADF; may sleep */

/* `fd` (a legal number) becomes a name of f, whatever it was before; takes a reference of its own.
 * -EBADF: out of range, -EBUSY: reserved by another thread, -ENOMEM. */
err_t fd_replace(struct fdtable *t, int fd, struct file *f, bool cloexec);

int fd_cloexec(struct fdtable *t, int fd); /* 0, 1, -EBADF */
err_t fd_set_cloexec(struct fdtable *t, int fd, bool on);
