/* Inside of ramfs, for ramfs.c and ramfs_dir.c: its objects. */
#pragma once

#include <kernel/fs/vnode.h>
#include <lib/rbtree.h>

/* One name.  Both links: the directory's, under the tree lock. */
struct ramfs_entry {
    struct rbnode node;     /* by name */
    struct list order_node; /* by cookie */
    uint64_t cookie;        /* of this entry, for readdir */
    struct vnode *vnode;    /* a reference */
    size_t bytes;           /* of the allocation */
    char name[];
};

/* F tree lock */
struct ramfs_dir {
    struct vnode vnode;
    struct rbtree names;  /* F */
    struct list order;    /* F */
    uint64_t next_cookie; /* F */
};

/* c constant   a atomic   v vnode.lock.  The vnode holds one reference to the store; mappings hold
 * others, so the memory may outlive the vnode: the store's release frees both. */
struct ramfs_file {
    struct vnode vnode;
    struct memstore store;
    const char *image;  /* c once in the tree; first contents, never written */
    size_t image_bytes; /* v to write, a to read: what of the image still counts */
};

struct ramfs_link {
    struct vnode vnode;
    char *target; /* c  vnode.size_bytes and a NUL */
};

extern const struct vnode_ops ramfs_dir_ops;

/* A new object without a name, with one reference and nlink 1 (2 for a directory).  -ENOMEM, -EPERM
 * for an unknown type. */
err_t ramfs_node_create(const struct vnode_new *how, struct vnode **out);

/* Frees an empty directory that nobody knows. */
void ramfs_dir_free(struct vnode *v);
