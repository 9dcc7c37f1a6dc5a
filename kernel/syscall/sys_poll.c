/* poll(2) and select(2). */
#include "upath.h"
#include "utime.h"
#include <arch/time.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/poll.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys_file.h>
#include <lib/string.h>

/* One poll or select: `look` says how many descriptors are ready now, or an error. */
struct look {
    long (*look)(struct look *l);
};

/* Looks until something is ready or the time has come (0). */
static long look_until(struct look *l, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t seen = poll_begin();
        long ready = l->look(l);
        int err = 0;
        if (ready == 0 && arch_time_ns() < deadline_ns)
            err = poll_wait(seen, deadline_ns);
        else if (ready == 0)
            err = -ETIMEDOUT;
        poll_end();
        if (ready != 0 || err != 0)
            return err == -ETIMEDOUT ? 0 : err != 0 ? wait_done(err, deadline_ns) : ready;
    }
}

/* What holds of a descriptor now; POLLNVAL when it is not open. */
static unsigned fd_events(int fd)
{
    struct file *f = ufile_get((unsigned long)(long)fd);

    if (f == NULL)
        return POLLNVAL;
    unsigned events = file_poll(f);
    file_put(f);
    return events;
}

struct poll_look {
    struct look base;
    struct linux_pollfd *fds;
    size_t n;
};

static long poll_look(struct look *l)
{
    struct poll_look *p = container_of(l, struct poll_look, base);
    long ready = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct linux_pollfd *pfd = &p->fds[i];
        unsigned asked = (uint16_t)pfd->events | POLLERR | POLLHUP | POLLNVAL;
        pfd->revents = pfd->fd < 0 ? 0 : (int16_t)(fd_events(pfd->fd) & asked);
        if (pfd->revents != 0)
            ready++;
    }
    return ready;
}

/* Nothing but what happened: another thread may have changed what is asked for meanwhile. */
static err_t put_revents(uintptr_t addr, const struct poll_look *p)
{
    err_t err = 0;

    for (size_t i = 0; i < p->n && err == 0; i++) {
        uintptr_t to = addr + i * sizeof(p->fds[i]) + offsetof(struct linux_pollfd, revents);
        err = copy_to_user(to, &p->fds[i].revents, sizeof(p->fds[i].revents));
    }
    return err;
}

long sys_poll(const unsigned long args[6])
{
    struct poll_look p = {.base = {poll_look}, .n = args[1]};
    int timeout_ms = (int)args[2];
    uint64_t resumed = wait_resumed();

    if (p.n > FDS_MAX)
        return -EINVAL;
    uint64_t deadline_ns =
        timeout_ms < 0 ? NS_NEVER : wait_deadline(resumed, (uint64_t)timeout_ms * NS_PER_MS);
    size_t bytes = p.n * sizeof(p.fds[0]);
    /* At least one, so that there is something to allocate. */
    size_t room_bytes = MAX(bytes, sizeof(p.fds[0]));
    p.fds = kmem_alloc_bytes(room_bytes);
    if (p.fds == NULL)
        return -ENOMEM;
    long result = copy_from_user(p.fds, args[0], bytes);
    if (result == 0)
        result = look_until(&p.base, deadline_ns);
    if (result >= 0 && put_revents(args[0], &p) != 0)
        result = -EFAULT;
    kmem_free_bytes(p.fds, room_bytes);
    return result;
}

enum {
    SELECT_READ,
    SELECT_WRITE,
    SELECT_EXCEPT,
    SELECT_SETS
};

struct select_look {
    struct look base;
    unsigned n;
    uint64_t asked[SELECT_SETS][FDS_MAX / 64];
    uint64_t ready[SELECT_SETS][FDS_MAX / 64];
};

static const unsigned select_events[SELECT_SETS] = {
    [SELECT_READ] = POLLIN | POLLHUP | POLLERR,
    [SELECT_WRITE] = POLLOUT | POLLERR,
    [SELECT_EXCEPT] = POLLPRI,
};

/* One descriptor; how many sets it is ready in, or -EBADF. */
static long select_look_fd(struct select_look *s, unsigned fd)
{
    uint64_t bit = (uint64_t)1 << (fd % 64);
    uint64_t asked = 0;
    long ready = 0;

    for (unsigned set = 0; set < SELECT_SETS; set++)
        asked |= s->asked[set][fd / 64] & bit;
    if (asked == 0)
        return 0;
    unsigned events = fd_events((int)fd);
    if (events & POLLNVAL)
        return -EBADF;
    for (unsigned set = 0; set < SELECT_SETS; set++) {
        if ((s->asked[set][fd / 64] & bit) && (events & select_events[set])) {
            s->ready[set][fd / 64] |= bit;
            ready++;
        }
    }
    return ready;
}

static long select_look(struct look *l)
{
    struct select_look *s = container_of(l, struct select_look, base);
    long ready = 0;

    memset(s->ready, 0, sizeof(s->ready));
    for (unsigned fd = 0; fd < s->n; fd++) {
        long result = select_look_fd(s, fd);
        if (result < 0)
            return result;
        ready += result;
    }
    return ready;
}

static err_t select_deadline(uintptr_t addr, uint64_t *deadline_ns)
{
    struct linux_timeval tv;
    uint64_t resumed = wait_resumed();

    *deadline_ns = NS_NEVER;
    if (addr == 0)
        return 0;
    if (copy_from_user(&tv, addr, sizeof(tv)) != 0)
        return -EFAULT;
    if (tv.sec < 0 || tv.usec < 0)
        return -EINVAL;
    uint64_t sec = MIN((uint64_t)tv.sec + (uint64_t)tv.usec / 1000000, UINT32_MAX);
    *deadline_ns = wait_deadline(resumed, sec * NS_PER_S + (uint64_t)tv.usec % 1000000 * 1000);
    return 0;
}

static long select_sets(struct select_look *s, const unsigned long args[6])
{
    size_t bytes = (s->n + 63) / 64 * 8;
    uint64_t deadline_ns;

    long result = select_deadline(args[4], &deadline_ns);
    for (unsigned set = 0; result == 0 && set < SELECT_SETS; set++) {
        if (args[1 + set] != 0)
            result = copy_from_user(s->asked[set], args[1 + set], bytes);
    }
    if (result == 0)
        result = look_until(&s->base, deadline_ns);
    for (unsigned set = 0; result >= 0 && set < SELECT_SETS; set++) {
        if (args[1 + set] != 0 && copy_to_user(args[1 + set], s->ready[set], bytes) != 0)
            result = -EFAULT;
    }
    return result;
}

long sys_select(const unsigned long args[6])
{
    if ((int)args[0] < 0)
        return -EINVAL;
    struct select_look s = {.base = {select_look}, .n = MIN((unsigned)args[0], (unsigned)FDS_MAX)};
    return select_sets(&s, args);
}
