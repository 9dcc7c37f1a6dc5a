/* An open file: what a descriptor refers to. */
#pragma once

#include <kernel/fs/iobuf.h>
#include <kernel/fs/path.h>
#include <kernel/fs/vnode.h>

/* An absent op: -EINVAL for read and write (-EISDIR for directories), -ENOTTY for ioctl; absent
 * poll: always ready. */
struct file_ops {
    /* It has an offset.  read and write are then called with vnode->lock held; otherwise with no
     * lock, `pos` 0. */
    bool seekable;

    /* Instead: a device that is the same everywhere.  It has no offset and needs no lock, but
     * pread, pwrite and lseek (to 0, always) work. */
    bool same_everywhere;

    /* Bytes moved (0: end of file), or a negative errno when none was. */
    long (*read)(struct file *f, struct iobuf *to, uint64_t pos);
    long (*write)(struct file *f, struct iobuf *from, uint64_t pos);
    long (*ioctl)(struct file *f, unsigned cmd, uintptr_t arg);

    /* POLL* that hold now; the object calls poll_notify() when they change. */
    unsigned (*poll)(struct file *f);

    /* The last reference is gone: undoes what the maker counted, such as a pipe's ends. */
    void (*closed)(struct file *f);

    /* Frees the structure that embeds the file.  Absent: it is a plain one of file_create. */
    void (*release)(struct file *f);
};

/* c constant   a atomic   v vnode->lock */
struct file {
    const struct file_ops *ops; /* c */
    refcount_t refs;            /* a  one a descriptor, one a call in progress */
    unsigned flags;             /* a  O_*; only O_APPEND and O_NONBLOCK change */
    struct vnode *vnode;        /* c  a reference */
    uint64_t offset;            /* v */
    uint64_t readdir_end;       /* v  of a directory: where its reading ends; 0: none has begun */
};

/* Fills *f with one reference; takes a reference to v. */
void file_init(struct file *f, const struct file_ops *ops, struct vnode *v, unsigned flags);

/* A plain open file.  -ENOMEM. */
err_t file_create(const struct file_ops *ops, struct vnode *v, unsigned flags, struct file **out);

void file_get(struct file *f);
void file_put(struct file *f); /* NULL is fine; may sleep: no spin lock, no addrspace lock */

/* open(2); `mode` has the umask applied.  O_CLOEXEC is the descriptor's and ignored here.
 * -EACCES, -EEXIST, -EISDIR, -ELOOP, -ENAMETOOLONG, -ENOENT, -ENOMEM, -ENOSPC, -ENOTDIR, -ENXIO,
 * -EINVAL ... */
err_t file_open(const struct path_at *at, unsigned flags, unsigned mode, struct file **out);

/* For exec: a regular file the caller may execute.  -EACCES, and what path_lookup says. */
err_t file_open_exec(const struct path_at *at, struct file **out);

/* Opens a vnode that needs no path and no check (the console for init, an unnamed file). */
err_t vnode_open(struct vnode *v, unsigned flags, struct file **out);

bool file_readable(const struct file *f);
bool file_writable(const struct file *f);
bool file_nonblocking(const struct file *f);

/* F_GETFL and F_SETFL: only O_APPEND and O_NONBLOCK of `to` among those of `mask` count. */
unsigned file_flags(const struct file *f);
void file_set_flags(struct file *f, unsigned mask, unsigned to);

/* read(2) and write(2) at the file's offset, and pread, pwrite at `pos`.  -EBADF when not opened
 * for it, -ESPIPE. */
long file_read(struct file *f, struct iobuf *to);
long file_write(struct file *f, struct iobuf *from);
long file_pread(struct file *f, struct iobuf *to, uint64_t pos);
long file_pwrite(struct file *f, struct iobuf *from, uint64_t pos);

/* Exactly n bytes into kernel memory, for exec.  0, -EIO when the file is shorter, or what reading
 * says. */
int file_read_kernel(struct file *f, uint64_t offset, void *buf, size_t n);

long file_seek(struct file *f, int64_t offset, unsigned whence);
long file_ioctl(struct file *f, unsigned cmd, uintptr_t arg);
unsigned file_poll(struct file *f);

/* getdents64(2). */
long file_readdir(struct file *f, struct iobuf *to);

/* ftruncate(2). -EINVAL: not open for writing, or no regular file. */
err_t file_truncate(struct file *f, uint64_t size_bytes);

/* fallocate(2) without a mode: [pos, pos + bytes), bytes > 0, exists and has memory.  -EBADF,
 * -ENODEV, -ESPIPE, -EFBIG, -ENOSPC, -EINTR. */
err_t file_allocate(struct file *f, uint64_t pos, uint64_t bytes);

/* The memory to map, with a reference; NULL and *err: -EBADF (O_PATH), -EACCES (not open for
 * reading), -ENODEV (cannot be mapped).  max_prot of a shared mapping has VP_WRITE only if
 * file_writable(): addrspace_map refuses more. */
struct memstore *file_store(struct file *f, err_t *err);

/* For file systems: operations of regular files over vnode_ops.store and .resize. */
extern const struct file_ops store_file_ops;

/* Operations of character devices by number; NULL: no such device. */
const struct file_ops *chardev_ops(uint32_t rdev);
