/* A vnode: one file, directory, link or device, whatever file system holds it.
 * A file system embeds the vnode in its own structure and finds itself with container_of. */
#pragma once

#include <abi/linux_fs.h>
#include <kernel/base/refcount.h>
#include <kernel/fs/cred.h>
#include <kernel/mm/memstore.h>

struct file;
struct vnode;

/* st_dev: which file system.  Objects of different ones are never linked to or renamed into each
 * other. */
enum vnode_dev {
    VNODE_DEV_RAMFS = 1,
    VNODE_DEV_PROC,
    VNODE_DEV_SHM,
    VNODE_DEV_PIPE,
};

/* What a new directory entry shall be. */
struct vnode_new {
    uint32_t mode; /* type and permission bits, umask applied */
    uint32_t uid, gid;
    uint32_t rdev;      /* S_IFCHR, S_IFBLK */
    const char *target; /* S_IFLNK, else NULL */
};

#define ATTR_MODE  1u
#define ATTR_UID   2u
#define ATTR_GID   4u
#define ATTR_ATIME 8u
#define ATTR_MTIME 16u
#define ATTR_NOW   32u /* the times given are the present: who may write may set them */

struct vnode_attr {
    unsigned valid; /* ATTR_* */
    uint32_t mode;  /* permission bits */
    uint32_t uid, gid;
    int64_t atime_ns, mtime_ns;
};

/* Receives directory entries; false: it has no room for this one, stop.  `next` is the cookie to go
 * on behind it. */
struct dir_sink {
    bool (*emit)(struct dir_sink *sink, const char *name, uint64_t ino, uint32_t mode,
                 uint64_t next);
};

/* An absent op means that objects of this kind cannot do it: -ENOTDIR for lookup, -EPERM for the
 * operations on names and attributes, -EINVAL for resize and readlink, -ENODEV for store.
 *
 * Operations on names are called with the tree lock held, after all checks of the path, of
 * permissions and of types; `name` is 1..NAME_MAX bytes and neither "." nor "..".  They may sleep.
 * A failure leaves everything as it was. */
struct vnode_ops {
    /* The object called `name`, with a reference.  -ENOENT. */
    err_t (*lookup)(struct vnode *dir, const char *name, struct vnode **out);

    /* Makes a new object; `name` is free.  -ENOSPC, -ENOMEM, -EPERM for a type the file system does
     * not hold. */
    err_t (*create)(struct vnode *dir, const char *name, const struct vnode_new *how,
                    struct vnode **out);

    /* One more name of a file; `name` is free.  -EMLINK, -ENOENT: it has none left. */
    err_t (*link)(struct vnode *dir, const char *name, struct vnode *target);

    /* Takes the name away from `child` (unlink, or rmdir when it is a directory: -ENOTEMPTY,
     * -EBUSY). */
    err_t (*unlink)(struct vnode *dir, const char *name, struct vnode *child);

    /* `old_name` of old_dir becomes `new_name` of new_dir; `replaced` (or NULL) is what has that
     * name so far, of a type that child may replace.  -ENOTEMPTY, -EBUSY. */
    err_t (*rename)(struct vnode *old_dir, const char *old_name, struct vnode *child,
                    struct vnode *new_dir, const char *new_name, struct vnode *replaced);

    /* Emits entries from `cookie` on, "." and ".." not included; its own cookies begin at
     * DIR_COOKIE_FIRST. */
    err_t (*readdir)(struct vnode *dir, uint64_t cookie, struct dir_sink *sink);

    /* At least the `next` of every entry there is, and less than that of every entry made from now
     * on: a reading that begins now ends there.  Absent: new entries cannot keep a reading going.
     */
    uint64_t (*readdir_end)(struct vnode *dir);

    /* The name that `child` has in dir (getcwd), into buf[NAME_MAX + 1].  -ENOENT. */
    err_t (*child_name)(struct vnode *dir, const struct vnode *child, char *buf);

    /* Makes an open file with its own structure (file_init); rights are checked already.  Absent: a
     * plain one with the operations of its type.  Tree lock may be held. */
    err_t (*open)(struct vnode *v, unsigned flags, struct file **out);

    /* The memory of the file, with a reference.  Regular files that have it need no file_ops of
     * their own: reads, writes and mappings all go to the store. */
    struct memstore *(*store)(struct vnode *v);

    /* Sets size_bytes and the store's pages, old pages cut off, new bytes zero.  vnode->lock held.
     * -EFBIG, -ENOSPC. */
    err_t (*resize)(struct vnode *v, uint64_t size_bytes);

    /* The target, without a NUL, cut at `size`; its length.  The tree lock may be held. */
    long (*readlink)(struct vnode *v, char *buf, size_t size);

    /* Told of a change of attributes before it is made (vnode->lock held, checked already); may
     * refuse it.  Absent: always allowed. */
    err_t (*setattr)(struct vnode *v, const struct vnode_attr *attr);

    /* The last reference is gone: free it.  May sleep.  Takes neither the tree lock nor a vnode
     * lock: the caller may hold them.  Required. */
    void (*release)(struct vnode *v);
};

#define DIR_COOKIE_FIRST 2 /* 0 is ".", 1 is ".." */

/* c constant after init   a atomic   F tree lock   v lock (written under it, may be read without)
 * Order: F > v > A.  No store's fill takes F or v, so user memory may be touched under both. */
struct vnode {
    const struct vnode_ops *ops; /* c */
    refcount_t refs;     /* a  one a name, an open file, a working directory, a call in progress */
    uint32_t mode;       /* v  the type bits are constant */
    uint32_t uid, gid;   /* v */
    uint32_t nlink;      /* F  and read by stat without it */
    uint32_t dev;        /* c  enum vnode_dev */
    uint32_t rdev;       /* c */
    uint64_t ino;        /* c */
    uint64_t size_bytes; /* v */
    int64_t atime_ns, mtime_ns, ctime_ns; /* a  since 1970 */
    struct mutex lock;                    /* also the offsets of open files */
    /* F  of a directory; NULL: removed; the root is its own.  Not a reference: a directory stays as
     * long as it has children. */
    struct vnode *parent;
};

/* Makes a vnode with one reference, nlink 1, all times now. */
void vnode_init(struct vnode *v, const struct vnode_ops *ops, uint32_t dev, uint64_t ino,
                const struct vnode_new *how);
uint64_t vnode_next_ino(void);

void vnode_get(struct vnode *v);
void vnode_put(struct vnode *v); /* NULL is fine; may sleep: no spin lock, no addrspace lock */

/* Boot, before the first path is used. */
void tree_init(void);

/* The lock of all names.  Not while holding a vnode's lock. */
extern struct mutex names_lock; /* for annotations: tree_lock() takes it */
void tree_lock(void) ACQUIRE(names_lock);
void tree_unlock(void) RELEASE(names_lock);
bool tree_locked(void);

/* Others may change what is not the type meanwhile: a region's rights need no vnode->lock. */
static inline uint32_t vnode_mode(const struct vnode *v)
{
    return __atomic_load_n(&v->mode, __ATOMIC_RELAXED);
}

static inline uint32_t vnode_uid(const struct vnode *v)
{
    return __atomic_load_n(&v->uid, __ATOMIC_RELAXED);
}

static inline uint32_t vnode_gid(const struct vnode *v)
{
    return __atomic_load_n(&v->gid, __ATOMIC_RELAXED);
}

static inline bool vnode_is_dir(const struct vnode *v)
{
    return S_ISDIR(vnode_mode(v));
}

/* Its times become now: the last access; modification, and with it change of status; change of
 * status alone.  No lock needed. */
void vnode_accessed(struct vnode *v);
void vnode_modified(struct vnode *v);
void vnode_changed(struct vnode *v);

/* Has `cred` the rights `want` (MAY_*) to it?  -EACCES. */
err_t vnode_may(const struct vnode *v, const struct cred *cred, unsigned want);

/* Tree lock held.  As ops->lookup, with "." and ".." and the right to search.  -ENOENT, -ENOTDIR,
 * -EACCES. */
err_t vnode_lookup(struct vnode *dir, const char *name, const struct cred *cred, struct vnode **out)
    REQUIRES(names_lock);

/* chmod, chown, utimensat, with their checks.  -EPERM, -EACCES, -EROFS. */
err_t vnode_setattr(struct vnode *v, const struct vnode_attr *attr, const struct cred *cred)
    EXCLUDES(v->lock);

/* truncate(2) of a file the caller may write.  -EINVAL, -EISDIR, -EFBIG, -ENOSPC. */
err_t vnode_truncate(struct vnode *v, uint64_t size_bytes);

void vnode_stat(struct vnode *v, struct linux_stat *st);
void vnode_statfs(const struct vnode *v, struct linux_statfs *st);

/* Wall clock in nanoseconds since 1970. */
int64_t fs_now_ns(void);

/* A larger file is -EFBIG. */
#define FILE_BYTES_MAX ((uint64_t)1 << 40)
