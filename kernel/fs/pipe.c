/* Pipes: a ring of pages between two open files.
 *
 * User memory is copied with no lock held: one reader at a time owns the filled part of the ring
 * (`reading`), one writer at a time the free part (`writing`), and only the positions move under
 * the spin lock. */
#include <kernel/base/usercopy.h>
#include <kernel/fs/pipe.h>
#include <kernel/fs/poll.h>
#include <kernel/phys/kmem.h>
#include <kernel/sched/waitq.h>

#define PIPE_PAGES (PIPE_BYTES / PAGE_BYTES)

/* l lock   r of who set `reading`   w of who set `writing` */
struct pipe {
    struct vnode vnode;
    struct spinlock lock;           /* rank FILE */
    struct waitq read_wait;         /* l  until there are bytes, or no writers, or !reading */
    struct waitq write_wait;        /* l */
    uint64_t head, tail;            /* l  bytes read and written since the beginning */
    unsigned readers, writers;      /* l  open ends */
    bool reading, writing;          /* l */
    struct page *pages[PIPE_PAGES]; /* w  NULL: never used */
};

static struct kmem_cache pipe_cache = KMEM_CACHE("pipe", struct pipe);

static struct pipe *pipe_of(struct file *f)
{
    return container_of(f->vnode, struct pipe, vnode);
}

static void pipe_release(struct vnode *v)
{
    struct pipe *p = container_of(v, struct pipe, vnode);

    for (size_t i = 0; i < PIPE_PAGES; i++) {
        if (p->pages[i] != NULL)
            page_free(p->pages[i]);
    }
    kmem_free(&pipe_cache, p);
}

/* Lock held. */
static size_t pipe_filled(const struct pipe *p) REQUIRES(p->lock)
{
    return (size_t)(p->tail - p->head);
}

/* Lock held on entry; released.  The state has changed: whoever waits looks again. */
static void pipe_changed_unlock(struct pipe *p) RELEASE(p->lock)
{
    waitq_wake_all(&p->read_wait);
    waitq_wake_all(&p->write_wait);
    spin_unlock(&p->lock);
    poll_notify();
}

/* Becomes the reader: bytes there are, 0 at the end of file, -EAGAIN, -EINTR. */
static long pipe_begin_read(struct pipe *p, bool nonblocking)
{
    long result;

    spin_lock(&p->lock);
    for (;;) {
        /* A reader at work is soon done: waiting for it is not the waiting that O_NONBLOCK means.
         */
        if (!p->reading) {
            result = (long)pipe_filled(p);
            if (result > 0 || p->writers == 0)
                break;
            if (nonblocking) {
                result = -EAGAIN;
                break;
            }
        }
        result = waitq_sleep(&p->read_wait, &p->lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
        if (result != 0)
            break;
    }
    if (result > 0)
        p->reading = true;
    spin_unlock(&p->lock);
    return result;
}

/* Bytes of the ring at `pos` that lie in one page, at most n. */
static size_t ring_piece(uint64_t pos, size_t n)
{
    return MIN(n, PAGE_BYTES - (size_t)(pos % PAGE_BYTES));
}

static long pipe_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    struct pipe *p = pipe_of(f);
    size_t done = 0;
    err_t err = 0;

    if (to->left_bytes == 0)
        return 0;
    long filled = pipe_begin_read(p, file_nonblocking(f));
    if (filled <= 0)
        return filled;
    size_t n = MIN((size_t)filled, to->left_bytes);
    while (done < n && err == 0) {
        uint64_t at = p->head + done;
        size_t piece = ring_piece(at, n - done);
        char *page = page_to_ptr(p->pages[at / PAGE_BYTES % PIPE_PAGES]);
        err = iobuf_put(to, page + at % PAGE_BYTES, piece);
        if (err == 0)
            done += piece;
    }
    spin_lock(&p->lock);
    p->head += done;
    p->reading = false;
    pipe_changed_unlock(p);
    return done > 0 ? (long)done : err;
}

/* Becomes the writer once `need_bytes` are free: bytes free, -EPIPE, -EAGAIN, -EINTR. */
static long pipe_begin_write(struct pipe *p, size_t need_bytes, bool nonblocking)
{
    long result;

    spin_lock(&p->lock);
    for (;;) {
        size_t free_bytes = PIPE_BYTES - pipe_filled(p);
        if (p->readers == 0) {
            result = -EPIPE;
            break;
        }
        if (!p->writing && free_bytes >= need_bytes) {
            result = (long)free_bytes;
            p->writing = true;
            break;
        }
        if (!p->writing && nonblocking) {
            result = -EAGAIN;
            break;
        }
        result = waitq_sleep(&p->write_wait, &p->lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
        if (result != 0)
            break;
    }
    spin_unlock(&p->lock);
    return result;
}

/* Copies n bytes into the free part, which is ours.  Bytes copied; when short, *err says why. */
static size_t pipe_fill(struct pipe *p, struct iobuf *from, size_t n, err_t *err)
{
    size_t done = 0;

    while (done < n) {
        uint64_t at = p->tail + done;
        size_t piece = ring_piece(at, n - done);
        struct page **page = &p->pages[at / PAGE_BYTES % PIPE_PAGES];
        if (*page == NULL)
            *page = page_alloc(PAGE_KERNEL, 0, 0);
        *err = *page == NULL
                   ? -ENOMEM
                   : iobuf_take(from, (char *)page_to_ptr(*page) + at % PAGE_BYTES, piece);
        if (*err != 0)
            break;
        done += piece;
    }
    return done;
}

static long pipe_write(struct file *f, struct iobuf *from, uint64_t pos)
{
    struct pipe *p = pipe_of(f);
    bool atomic = from->left_bytes <= PIPE_BUF;
    long total = 0;

    while (from->left_bytes > 0) {
        err_t err = 0;
        long free_bytes = pipe_begin_write(p, atomic ? from->left_bytes : 1, file_nonblocking(f));
        from->broken = free_bytes == -EPIPE;
        if (free_bytes < 0)
            return total > 0 ? total : free_bytes;
        size_t done = pipe_fill(p, from, MIN((size_t)free_bytes, from->left_bytes), &err);
        /* All or nothing, even when the caller's memory ends in the middle. */
        if (atomic && err != 0)
            done = 0;
        spin_lock(&p->lock);
        p->tail += done;
        p->writing = false;
        pipe_changed_unlock(p);
        total += (long)done;
        if (err != 0)
            return total > 0 ? total : err;
    }
    return total;
}

static unsigned pipe_read_poll(struct file *f)
{
    struct pipe *p = pipe_of(f);

    spin_lock(&p->lock);
    unsigned events = pipe_filled(p) > 0 ? POLLIN | POLLRDNORM : 0;
    if (p->writers == 0)
        events |= POLLHUP;
    spin_unlock(&p->lock);
    return events;
}

static unsigned pipe_write_poll(struct file *f)
{
    struct pipe *p = pipe_of(f);

    spin_lock(&p->lock);
    unsigned events = PIPE_BYTES - pipe_filled(p) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
    if (p->readers == 0)
        events |= POLLERR;
    spin_unlock(&p->lock);
    return events;
}

static long pipe_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
    struct pipe *p = pipe_of(f);

    if (cmd != FIONREAD)
        return -ENOTTY;
    spin_lock(&p->lock);
    int filled = (int)pipe_filled(p);
    spin_unlock(&p->lock);
    return copy_to_user(arg, &filled, sizeof(filled));
}

static void pipe_read_closed(struct file *f)
{
    struct pipe *p = pipe_of(f);

    spin_lock(&p->lock);
    p->readers--;
    pipe_changed_unlock(p);
}

static void pipe_write_closed(struct file *f)
{
    struct pipe *p = pipe_of(f);

    spin_lock(&p->lock);
    p->writers--;
    pipe_changed_unlock(p);
}

static const struct vnode_ops pipe_vnode_ops = {
    .release = pipe_release,
};

static const struct file_ops pipe_read_ops = {
    .read = pipe_read,
    .ioctl = pipe_ioctl,
    .poll = pipe_read_poll,
    .closed = pipe_read_closed,
};

static const struct file_ops pipe_write_ops = {
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_write_poll,
    .closed = pipe_write_closed,
};

err_t pipe_create(const struct cred *cred, unsigned flags, struct file **read_end,
                  struct file **write_end)
{
    const struct vnode_new how = {.mode = S_IFIFO | 0600, .uid = cred->euid, .gid = cred->egid};
    struct pipe *p = kmem_alloc(&pipe_cache);

    if (p == NULL)
        return -ENOMEM;
    vnode_init(&p->vnode, &pipe_vnode_ops, VNODE_DEV_PIPE, vnode_next_ino(), &how);
    spin_init(&p->lock, "pipe", RANK_FILE);
    waitq_init(&p->read_wait);
    waitq_init(&p->write_wait);
    p->readers = p->writers = 1;
    err_t err = file_create(&pipe_read_ops, &p->vnode, O_RDONLY | flags, read_end);
    if (err == 0) {
        err = file_create(&pipe_write_ops, &p->vnode, O_WRONLY | flags, write_end);
        if (err != 0)
            file_put(*read_end);
    }
    vnode_put(&p->vnode);
    return err;
}
