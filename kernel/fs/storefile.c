/* Regular files: reads and writes of a vnode whose contents are a memstore. */
#include <kernel/fs/file.h>
#include <kernel/sched/thread.h>
#include <lib/string.h>

/* Bytes of [pos, end) that lie in the page of pos. */
static size_t piece_bytes(uint64_t pos, uint64_t end)
{
    return (size_t)MIN(end - pos, PAGE_BYTES - pos % PAGE_BYTES);
}

/* Copies [pos, end) of the store to or from the caller; bytes done, or the error when there
 * were none. */
static long store_copy(struct memstore *store, struct iobuf *io, uint64_t pos, uint64_t end,
                       bool write)
{
    uint64_t beg = pos;
    err_t err = 0;

    while (pos < end) {
        struct page *page;
        size_t n = piece_bytes(pos, end);
        /* A killed process does not finish a gigabyte first. */
        err = thread_interrupted(SLEEP_KILLABLE) ? -EINTR
                                                 : memstore_page(store, pos / PAGE_BYTES, &page);
        if (err != 0)
            break;
        char *at = (char *)page_to_ptr(page) + pos % PAGE_BYTES;
        size_t moved = write ? iobuf_take_some(io, at, n) : iobuf_put_some(io, at, n);
        page_unpin(page);
        pos += moved;
        if (moved < n) {
            err = -EFAULT;
            break;
        }
    }
    return pos > beg ? (long)(pos - beg) : err;
}

static long store_file_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    struct vnode *v = f->vnode;

    if (pos >= v->size_bytes || to->left_bytes == 0)
        return 0;
    struct memstore *store = v->ops->store(v);
    if (store == NULL)
        return -EIO;
    long n = store_copy(store, to, pos, pos + MIN(to->left_bytes, v->size_bytes - pos), false);
    memstore_put(store);
    if (n > 0)
        vnode_accessed(v);
    return n;
}

static long store_file_write(struct file *f, struct iobuf *from, uint64_t pos)
{
    struct vnode *v = f->vnode;
    uint64_t old_size_bytes = v->size_bytes;

    if (from->left_bytes == 0)
        return 0;
    if (pos >= FILE_BYTES_MAX)
        return -EFBIG;
    uint64_t end = pos + MIN(from->left_bytes, FILE_BYTES_MAX - pos);
    if (end > old_size_bytes) {
        if (v->ops->resize == NULL)
            return -EPERM;
        err_t err = v->ops->resize(v, end);
        if (err != 0)
            return err == -ENOMEM ? -ENOSPC : err;
    }
    struct memstore *store = v->ops->store(v);
    long n = store != NULL ? store_copy(store, from, pos, end, true) : -EIO;
    if (store != NULL)
        memstore_put(store);
    /* What was not written was not appended either. */
    uint64_t written_end = n > 0 ? pos + (uint64_t)n : 0;
    if (end > old_size_bytes && written_end < end)
        (void)v->ops->resize(v, MAX(old_size_bytes, written_end));
    if (n > 0)
        vnode_modified(v);
    return n == -ENOMEM ? -ENOSPC : n;
}

/* A failure leaves size and memory as they were.  vnode->lock held. */
static err_t allocate_locked(struct vnode *v, uint64_t pos, uint64_t end) REQUIRES(v->lock)
{
    uint64_t old_size_bytes = v->size_bytes;
    err_t err = end > old_size_bytes ? v->ops->resize(v, end) : 0;

    if (err != 0)
        return err;
    struct memstore *store = v->ops->store(v);
    if (store == NULL)
        return -EIO;
    if (!store->promises)
        err = memstore_populate(store, pos / PAGE_BYTES, ALIGN_UP(end, PAGE_BYTES) / PAGE_BYTES);
    memstore_put(store);
    if (err != 0 && end > old_size_bytes)
        (void)v->ops->resize(v, old_size_bytes);
    return err;
}

err_t file_allocate(struct file *f, uint64_t pos, uint64_t bytes)
{
    struct vnode *v = f->vnode;

    if (!file_writable(f))
        return -EBADF;
    if (f->ops != &store_file_ops || v->ops->resize == NULL)
        return (vnode_mode(v) & S_IFMT) == S_IFIFO ? -ESPIPE : -ENODEV;
    if (pos >= FILE_BYTES_MAX || bytes > FILE_BYTES_MAX - pos)
        return -EFBIG;
    mutex_lock(&v->lock);
    err_t err = allocate_locked(v, pos, pos + bytes);
    if (err == 0)
        vnode_changed(v);
    mutex_unlock(&v->lock);
    return err == -ENOMEM ? -ENOSPC : err;
}

const struct file_ops store_file_ops = {
    .seekable = true,
    .read = store_file_read,
    .write = store_file_write,
};
