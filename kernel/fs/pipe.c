/* Pipes: a ring of pages between two open files.
 *
 * User memory is copied with no lock held: one reader at a time owns the filled part of the ring,
 * one writer at a time the free part (pipe_end.busy), and only the positions move under the spin
 * lock.
 *
 * A change wakes at most one thread at each end, the first in line that it lets go on.  That one
 * wakes the next when it is done, or when it leaves without having been at work: N bytes for N
 * readers are N wakes, not N * N. */
#include <kernel/base/usercopy.h>
#include <kernel/fs/pipe.h>
#include <kernel/fs/poll.h>
#include <kernel/phys/kmem.h>
#include <kernel/sched/waitq.h>

#define PIPE_PAGES (PIPE_BYTES / PAGE_BYTES)

/* l pipe.lock   b of who set `busy`   c constant */
struct pipe_end {
    bool open;        /* l  its file is there */
    bool busy;        /* l  a thread copies */
    struct list line; /* l  of pipe_waiter: with O_NONBLOCK first, then in order of arrival */
};

/* A thread asleep at an end, on its stack. */
struct pipe_waiter {
    struct list node;  /* l */
    size_t need_bytes; /* c  0: O_NONBLOCK, it waits only for the one that copies */
    struct waitq wake; /* l  it alone */
};

struct pipe {
    struct vnode vnode;
    struct spinlock lock; /* rank FILE */
    struct pipe_end read, write;
    uint64_t head, tail;            /* l  bytes read and written since the beginning */
    struct page *pages[PIPE_PAGES]; /* b  of `write`.  NULL: never used */
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

/* Bytes that a thread at this end may copy: those filled, or those free while anybody can read
 * them.  Lock held. */
static size_t pipe_available(const struct pipe *p, const struct pipe_end *end) REQUIRES(p->lock)
{
    if (end == &p->read)
        return pipe_filled(p);
    return p->read.open ? PIPE_BYTES - pipe_filled(p) : 0;
}

/* Lock held. */
static bool pipe_other_open(const struct pipe *p, const struct pipe_end *end) REQUIRES(p->lock)
{
    return end == &p->read ? p->write.open : p->read.open;
}

/* Is there an answer for who needs so many bytes: they are there, or they never will be?  Lock
 * held. */
static bool pipe_settled(const struct pipe *p, const struct pipe_end *end, size_t need_bytes)
    REQUIRES(p->lock)
{
    return !end->busy && (pipe_available(p, end) >= need_bytes || !pipe_other_open(p, end));
}

/* Wakes the first that can go on.  A writer may need more than there is, and the next one less: the
 * line is gone along while less than PIPE_BUF is free, but not nothing.  Lock held. */
static void pipe_wake(struct pipe *p, struct pipe_end *end) REQUIRES(p->lock)
{
    list_for_each (node, &end->line) {
        struct pipe_waiter *w = list_entry(node, struct pipe_waiter, node);
        if (pipe_settled(p, end, w->need_bytes)) {
            (void)waitq_wake_one(&w->wake); /* false: it is awake, and about to look */
            return;
        }
        if (end->busy || pipe_available(p, end) == 0)
            return; /* nobody behind it can */
    }
}

/* Lock held on entry; released. */
static void pipe_changed_unlock(struct pipe *p) RELEASE(p->lock)
{
    pipe_wake(p, &p->read);
    pipe_wake(p, &p->write);
    spin_unlock(&p->lock);
    poll_notify();
}

/* Sleeps in the line until there is an answer.  0 or -EINTR.  Lock held. */
static err_t pipe_wait(struct pipe *p, struct pipe_end *end, size_t need_bytes) REQUIRES(p->lock)
{
    struct pipe_waiter w = {.need_bytes = need_bytes};
    err_t err = 0;

    waitq_init(&w.wake);
    if (need_bytes == 0)
        list_push_front(&end->line, &w.node);
    else
        list_push_back(&end->line, &w.node);
    while (err == 0 && !pipe_settled(p, end, need_bytes))
        err = waitq_sleep(&w.wake, &p->lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
    list_remove(&w.node);
    return err;
}

/* Takes an end once `need_bytes` (1 or more) can be copied: how many can be, 0 when the other end
 * is closed, -EAGAIN, -EINTR. */
static long pipe_begin(struct pipe *p, struct pipe_end *end, size_t need_bytes, bool nonblocking)
{
    /* A thread at work is soon done: waiting for it is not the waiting that O_NONBLOCK means. */
    size_t wait_bytes = nonblocking ? 0 : need_bytes;
    long result = 0;

    spin_lock(&p->lock);
    bool waits = !pipe_settled(p, end, wait_bytes);
    if (waits)
        result = pipe_wait(p, end, wait_bytes);
    size_t available = pipe_available(p, end);
    if (result == 0 && available >= need_bytes) {
        end->busy = true;
        result = (long)available;
    } else {
        if (result == 0 && pipe_other_open(p, end))
            result = -EAGAIN;
        if (waits)
            pipe_wake(p, end); /* what it was woken for is still there */
    }
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
    long filled = pipe_begin(p, &p->read, 1, file_nonblocking(f));
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
    p->read.busy = false;
    pipe_changed_unlock(p);
    return done > 0 ? (long)done : err;
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
        long free_bytes =
            pipe_begin(p, &p->write, atomic ? from->left_bytes : 1, file_nonblocking(f));
        from->broken = free_bytes == 0;
        if (from->broken)
            free_bytes = -EPIPE;
        if (free_bytes < 0)
            return total > 0 ? total : free_bytes;
        size_t done = pipe_fill(p, from, MIN((size_t)free_bytes, from->left_bytes), &err);
        /* All or nothing, even when the caller's memory ends in the middle. */
        if (atomic && err != 0)
            done = 0;
        spin_lock(&p->lock);
        p->tail += done;
        p->write.busy = false;
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
    if (!p->write.open)
        events |= POLLHUP;
    spin_unlock(&p->lock);
    return events;
}

static unsigned pipe_write_poll(struct file *f)
{
    struct pipe *p = pipe_of(f);

    spin_lock(&p->lock);
    unsigned events = PIPE_BYTES - pipe_filled(p) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
    if (!p->read.open)
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

static void pipe_end_closed(struct pipe *p, struct pipe_end *end)
{
    spin_lock(&p->lock);
    end->open = false;
    pipe_changed_unlock(p);
}

static void pipe_read_closed(struct file *f)
{
    struct pipe *p = pipe_of(f);

    pipe_end_closed(p, &p->read);
}

static void pipe_write_closed(struct file *f)
{
    struct pipe *p = pipe_of(f);

    pipe_end_closed(p, &p->write);
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
    list_init(&p->read.line);
    list_init(&p->write.line);
    p->read.open = p->write.open = true;
    err_t err = file_create(&pipe_read_ops, &p->vnode, O_RDONLY | flags, read_end);
    if (err == 0) {
        err = file_create(&pipe_write_ops, &p->vnode, O_WRONLY | flags, write_end);
        if (err != 0)
            file_put(*read_end);
    }
    vnode_put(&p->vnode);
    return err;
}
