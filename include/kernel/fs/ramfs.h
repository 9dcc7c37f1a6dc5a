/* The root file system, in memory; its first contents are the initramfs. */
#pragma once

#include <kernel/fs/vnode.h>

/* Builds the root from a newc archive (image may be NULL: an empty root), with empty /dev, /proc
 * and /tmp where the archive has none, the devices and /proc.  File contents stay in the image
 * until touched. On failure there is no root, and a line on the console says what is wrong and at
 * which offset: -EINVAL, -ENOMEM. */
err_t rootfs_mount(const void *image, size_t bytes);

/* Lets go of the whole tree.  What is still open or mapped goes with its last user. */
void rootfs_unmount(void);

/* The inode number of the file whose memory this is; false when it is not a ramfs file's. */
bool ramfs_describe_store(const struct memstore *store, uint64_t *ino);

/* For rootfs.c.  An empty root directory, its own parent.  NULL when out of memory. */
struct vnode *ramfs_create_root(void);

/* Empties a directory, all below included, whatever it holds.  Takes the tree lock. */
void ramfs_empty(struct vnode *dir);

/* Enters `child`, of another file system, as a directory called `name`, with a reference of its
 * own; it can then be neither renamed nor removed.  Tree lock held; -EEXIST, -ENOMEM. */
err_t ramfs_attach(struct vnode *dir, const char *name, struct vnode *child) REQUIRES(names_lock);

/* The contents of a regular ramfs file that is still empty are, from now on, `data`, which stays
 * where it is. */
void ramfs_set_image(struct vnode *file, const void *data, size_t bytes);
