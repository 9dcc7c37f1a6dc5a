/* The device files in /dev. */
#pragma once

#include <kernel/fs/vnode.h>

/* Makes console, tty, null, zero, full, random, urandom in `dev`, a ramfs directory, where they are
 * not there yet. Tree lock held.  -ENOMEM. */
err_t devfs_populate(struct vnode *dev) REQUIRES(names_lock);

/* Pseudo-random bytes, the same stream as /dev/urandom: not for secrets.  Any context. */
void random_fill(void *buf, size_t n);
