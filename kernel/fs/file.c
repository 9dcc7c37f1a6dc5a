/* Open files: life, offsets, and the calls every kind shares. */
#include <kernel/fs/file.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

static struct kmem_cache file_cache = KMEM_CACHE("file", struct file);

void file_init(struct file *f, const struct file_ops *ops, struct vnode *v, unsigned flags)
{
    f->ops = ops;
    ref_init(&f->refs, 1);
    f->flags = flags;
    vnode_get(v);
    f->vnode = v;
    f->offset = 0;
    f->readdir_end = 0;
}

err_t file_create(const struct file_ops *ops, struct vnode *v, unsigned flags, struct file **out)
{
    struct file *f = kmem_alloc(&file_cache);

    if (f == NULL)
        return -ENOMEM;
    file_init(f, ops, v, flags);
    *out = f;
    return 0;
}

void file_get(struct file *f)
{
    ref_get(&f->refs);
}

void file_put(struct file *f)
{
    if (f == NULL || !ref_put(&f->refs))
        return;
    struct vnode *v = f->vnode;
    if (f->ops->closed != NULL)
        f->ops->closed(f);
    if (f->ops->release != NULL)
        f->ops->release(f);
    else
        kmem_free(&file_cache, f);
    vnode_put(v);
}

unsigned file_flags(const struct file *f)
{
    return __atomic_load_n(&f->flags, __ATOMIC_RELAXED);
}

void file_set_flags(struct file *f, unsigned mask, unsigned to)
{
    unsigned old = file_flags(f), new;

    mask &= O_APPEND | O_NONBLOCK;
    do {
        new = (old & ~mask) | (to & mask);
    } while (!__atomic_compare_exchange_n(&f->flags, &old, new, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
}

bool file_readable(const struct file *f)
{
    return !(file_flags(f) & O_PATH) && (file_flags(f) & O_ACCMODE) != O_WRONLY;
}

bool file_writable(const struct file *f)
{
    return !(file_flags(f) & O_PATH) && (file_flags(f) & O_ACCMODE) != O_RDONLY;
}

bool file_nonblocking(const struct file *f)
{
    return file_flags(f) & O_NONBLOCK;
}

static err_t file_may_read(const struct file *f)
{
    if (!file_readable(f))
        return -EBADF;
    if (f->ops->read == NULL)
        return vnode_is_dir(f->vnode) ? -EISDIR : -EINVAL;
    return 0;
}

static err_t file_may_write(const struct file *f)
{
    if (!file_writable(f))
        return -EBADF;
    return f->ops->write == NULL ? -EINVAL : 0;
}

long file_read(struct file *f, struct iobuf *to)
{
    err_t err = file_may_read(f);

    if (err != 0)
        return err;
    if (!f->ops->seekable)
        return f->ops->read(f, to, 0);
    mutex_lock(&f->vnode->lock);
    long n = f->ops->read(f, to, f->offset);
    if (n > 0)
        f->offset += (uint64_t)n;
    mutex_unlock(&f->vnode->lock);
    return n;
}

long file_write(struct file *f, struct iobuf *from)
{
    err_t err = file_may_write(f);

    if (err != 0)
        return err;
    if (!f->ops->seekable)
        return f->ops->write(f, from, 0);
    mutex_lock(&f->vnode->lock);
    uint64_t pos = file_flags(f) & O_APPEND ? f->vnode->size_bytes : f->offset;
    long n = f->ops->write(f, from, pos);
    if (n > 0)
        f->offset = pos + (uint64_t)n;
    mutex_unlock(&f->vnode->lock);
    return n;
}

long file_pread(struct file *f, struct iobuf *to, uint64_t pos)
{
    err_t err = file_may_read(f);

    if (err != 0)
        return err;
    if (f->ops->same_everywhere)
        return f->ops->read(f, to, 0);
    if (!f->ops->seekable)
        return -ESPIPE;
    mutex_lock(&f->vnode->lock);
    long n = f->ops->read(f, to, pos);
    mutex_unlock(&f->vnode->lock);
    return n;
}

long file_pwrite(struct file *f, struct iobuf *from, uint64_t pos)
{
    err_t err = file_may_write(f);

    if (err != 0)
        return err;
    if (f->ops->same_everywhere)
        return f->ops->write(f, from, 0);
    if (!f->ops->seekable)
        return -ESPIPE;
    mutex_lock(&f->vnode->lock);
    /* With O_APPEND Linux appends whatever the position says. */
    if (file_flags(f) & O_APPEND)
        pos = f->vnode->size_bytes;
    long n = f->ops->write(f, from, pos);
    mutex_unlock(&f->vnode->lock);
    return n;
}

int file_read_kernel(struct file *f, uint64_t offset, void *buf, size_t n)
{
    struct iobuf io;

    while (n > 0) {
        iobuf_init_kernel(&io, buf, n);
        long got = file_pread(f, &io, offset);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        buf = (char *)buf + got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

/* The place lseek(2) asks for.  vnode->lock held. */
static long seek_target(const struct file *f, int64_t offset, unsigned whence)
    REQUIRES(f->vnode->lock)
{
    int64_t size_bytes = (int64_t)f->vnode->size_bytes;
    int64_t from, to;

    switch (whence) {
    case SEEK_SET:
        from = 0;
        break;
    case SEEK_CUR:
        from = (int64_t)f->offset;
        break;
    case SEEK_END:
        from = size_bytes;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        /* Without a map of holes a file is all data with one hole at its end. */
        if (offset < 0 || offset >= size_bytes)
            return -ENXIO;
        return whence == SEEK_DATA ? offset : size_bytes;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(from, offset, &to))
        return -EOVERFLOW;
    return to < 0 ? -EINVAL : to;
}

long file_seek(struct file *f, int64_t offset, unsigned whence)
{
    if (file_flags(f) & O_PATH)
        return -EBADF;
    if (f->ops->same_everywhere)
        return whence <= SEEK_HOLE ? 0 : -EINVAL;
    if (!f->ops->seekable && !vnode_is_dir(f->vnode))
        return -ESPIPE;
    mutex_lock(&f->vnode->lock);
    long pos = seek_target(f, offset, whence);
    if (pos >= 0)
        f->offset = (uint64_t)pos;
    mutex_unlock(&f->vnode->lock);
    return pos;
}

long file_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
    if (file_flags(f) & O_PATH)
        return -EBADF;
    return f->ops->ioctl != NULL ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

unsigned file_poll(struct file *f)
{
    if (file_flags(f) & O_PATH)
        return POLLNVAL;
    if (f->ops->poll != NULL)
        return f->ops->poll(f);
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

err_t file_truncate(struct file *f, uint64_t size_bytes)
{
    if (file_flags(f) & O_PATH)
        return -EBADF;
    if (!file_writable(f))
        return -EINVAL;
    return vnode_truncate(f->vnode, size_bytes);
}

struct memstore *file_store(struct file *f, err_t *err)
{
    struct memstore *store = NULL;

    if (file_flags(f) & O_PATH)
        *err = -EBADF;
    else if (!file_readable(f))
        *err = -EACCES;
    else if (f->vnode->ops->store == NULL || (store = f->vnode->ops->store(f->vnode)) == NULL)
        *err = -ENODEV;
    else
        *err = 0;
    return store;
}
