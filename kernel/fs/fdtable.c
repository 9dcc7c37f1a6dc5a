/* Descriptor tables. */
#include <kernel/fs/fdtable.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define FDS_FIRST 32u

static struct kmem_cache fdtable_cache = KMEM_CACHE("fdtable", struct fdtable);

static bool bit_get(const uint64_t *map, unsigned fd)
{
    return map[fd / 64] >> (fd % 64) & 1;
}

static void bit_set(uint64_t *map, unsigned fd, bool on)
{
    if (on)
        map[fd / 64] |= (uint64_t)1 << (fd % 64);
    else
        map[fd / 64] &= ~((uint64_t)1 << (fd % 64));
}

static struct fdtable *fdtable_alloc(unsigned nslots)
{
    struct fdtable *t = kmem_alloc(&fdtable_cache);

    if (t == NULL)
        return NULL;
    ref_init(&t->refs, 1);
    spin_init(&t->lock, "fdtable", RANK_FDTABLE);
    t->nslots = nslots;
    t->files = kmem_alloc_bytes(nslots * sizeof(t->files[0]));
    if (t->files == NULL) {
        kmem_free(&fdtable_cache, t);
        return NULL;
    }
    memset(t->files, 0, nslots * sizeof(t->files[0]));
    return t;
}

struct fdtable *fdtable_create(void)
{
    return fdtable_alloc(FDS_FIRST);
}

struct fdtable *fdtable_create_full(void)
{
    return fdtable_alloc(FDS_MAX);
}

void fdtable_get(struct fdtable *t)
{
    ref_get(&t->refs);
}

void fdtable_put(struct fdtable *t)
{
    if (!ref_put(&t->refs))
        return;
    for (unsigned fd = 0; fd < t->nslots; fd++)
        file_put(t->files[fd]);
    kmem_free_bytes(t->files, t->nslots * sizeof(t->files[0]));
    kmem_free(&fdtable_cache, t);
}

/* Lock held.  What the slots of `t` hold, in `to`, with references. */
static void fdtable_copy_locked(struct fdtable *t, struct fdtable *to) REQUIRES(t->lock)
{
    for (unsigned fd = 0; fd < t->nslots; fd++) {
        /* A reserved slot belongs to a call of another thread, which the child does not have. */
        if (t->files[fd] == NULL)
            continue;
        file_get(t->files[fd]);
        to->files[fd] = t->files[fd];
        bit_set(to->used, fd, true);
        bit_set(to->cloexec, fd, bit_get(t->cloexec, fd));
    }
}

struct fdtable *fdtable_copy(struct fdtable *t)
{
    for (;;) {
        unsigned nslots = __atomic_load_n(&t->nslots, __ATOMIC_RELAXED);
        struct fdtable *copy = fdtable_alloc(nslots);
        if (copy == NULL)
            return NULL;
        spin_lock(&t->lock);
        bool fits = t->nslots == nslots;
        if (fits)
            fdtable_copy_locked(t, copy);
        spin_unlock(&t->lock);
        if (fits)
            return copy;
        /* Another thread made it grow meanwhile. */
        fdtable_put(copy);
    }
}

void fdtable_fill(struct fdtable *to, struct fdtable *from)
{
    ASSERT(to->nslots == FDS_MAX);
    spin_lock(&from->lock);
    fdtable_copy_locked(from, to);
    spin_unlock(&from->lock);
}

/* Lock held.  Empties a slot; the file that was there. */
static struct file *slot_take(struct fdtable *t, unsigned fd) REQUIRES(t->lock)
{
    struct file *f = t->files[fd];

    t->files[fd] = NULL;
    bit_set(t->used, fd, false);
    bit_set(t->cloexec, fd, false);
    return f;
}

void fdtable_close_on_exec(struct fdtable *t)
{
    for (unsigned fd = 0; fd < FDS_MAX; fd++) {
        struct file *f = NULL;
        spin_lock(&t->lock);
        if (fd < t->nslots && bit_get(t->cloexec, fd) && t->files[fd] != NULL)
            f = slot_take(t, fd);
        spin_unlock(&t->lock);
        file_put(f);
    }
}

struct file *fd_get(struct fdtable *t, int fd)
{
    struct file *f = NULL;

    spin_lock(&t->lock);
    if (fd >= 0 && (unsigned)fd < t->nslots)
        f = t->files[fd];
    if (f != NULL)
        file_get(f);
    spin_unlock(&t->lock);
    return f;
}

/* Makes room for descriptor `fd`.  No lock held. */
static err_t fdtable_grow(struct fdtable *t, unsigned fd)
{
    unsigned nslots = FDS_FIRST, old_nslots;

    while (nslots <= fd)
        nslots *= 2;
    struct file **files = kmem_alloc_bytes(nslots * sizeof(files[0]));
    if (files == NULL)
        return -ENOMEM;
    memset(files, 0, nslots * sizeof(files[0]));
    spin_lock(&t->lock);
    struct file **old = files;
    old_nslots = nslots;
    if (t->nslots < nslots) {
        old = t->files;
        old_nslots = t->nslots;
        memcpy(files, old, old_nslots * sizeof(files[0]));
        t->files = files;
        __atomic_store_n(&t->nslots, nslots, __ATOMIC_RELAXED);
    }
    spin_unlock(&t->lock);
    kmem_free_bytes(old, old_nslots * sizeof(files[0]));
    return 0;
}

/* Lock held.  The lowest free number at or above min, FDS_MAX when there is none. */
static unsigned lowest_free(const struct fdtable *t, unsigned min) REQUIRES(t->lock)
{
    for (unsigned word = min / 64; word < FDS_MAX / 64; word++) {
        uint64_t free = ~t->used[word];
        if (word == min / 64)
            free &= ~(uint64_t)0 << (min % 64);
        if (free != 0)
            return word * 64 + (unsigned)__builtin_ctzll(free);
    }
    return FDS_MAX;
}

int fd_reserve(struct fdtable *t, unsigned min)
{
    if (min >= FDS_MAX)
        return -EINVAL;
    for (;;) {
        spin_lock(&t->lock);
        unsigned fd = lowest_free(t, min);
        bool fits = fd < t->nslots;
        if (fits)
            bit_set(t->used, fd, true);
        spin_unlock(&t->lock);
        if (fd == FDS_MAX)
            return -EMFILE;
        if (fits)
            return (int)fd;
        err_t err = fdtable_grow(t, fd);
        if (err != 0)
            return err;
    }
}

void fd_install(struct fdtable *t, int fd, struct file *f, bool cloexec)
{
    spin_lock(&t->lock);
    ASSERT(bit_get(t->used, (unsigned)fd) && t->files[fd] == NULL);
    t->files[fd] = f;
    bit_set(t->cloexec, (unsigned)fd, cloexec);
    spin_unlock(&t->lock);
}

void fd_unreserve(struct fdtable *t, int fd)
{
    spin_lock(&t->lock);
    ASSERT(bit_get(t->used, (unsigned)fd) && t->files[fd] == NULL);
    bit_set(t->used, (unsigned)fd, false);
    spin_unlock(&t->lock);
}

err_t fd_close(struct fdtable *t, int fd)
{
    struct file *f = NULL;

    spin_lock(&t->lock);
    if (fd >= 0 && (unsigned)fd < t->nslots && t->files[fd] != NULL)
        f = slot_take(t, (unsigned)fd);
    spin_unlock(&t->lock);
    if (f == NULL)
        return -EBADF;
    file_put(f);
    return 0;
}

err_t fd_replace(struct fdtable *t, int fd, struct file *f, bool cloexec)
{
    struct file *old = NULL;

    if (fd < 0 || fd >= FDS_MAX)
        return -EBADF;
    if ((unsigned)fd >= __atomic_load_n(&t->nslots, __ATOMIC_RELAXED)) {
        err_t err = fdtable_grow(t, (unsigned)fd);
        if (err != 0)
            return err;
    }
    file_get(f);
    spin_lock(&t->lock);
    bool reserved = bit_get(t->used, (unsigned)fd) && t->files[fd] == NULL;
    if (!reserved) {
        old = slot_take(t, (unsigned)fd);
        t->files[fd] = f;
        bit_set(t->used, (unsigned)fd, true);
        bit_set(t->cloexec, (unsigned)fd, cloexec);
    }
    spin_unlock(&t->lock);
    file_put(reserved ? f : old);
    return reserved ? -EBUSY : 0;
}

int fd_cloexec(struct fdtable *t, int fd)
{
    int on = -EBADF;

    spin_lock(&t->lock);
    if (fd >= 0 && (unsigned)fd < t->nslots && t->files[fd] != NULL)
        on = bit_get(t->cloexec, (unsigned)fd);
    spin_unlock(&t->lock);
    return on;
}

err_t fd_set_cloexec(struct fdtable *t, int fd, bool on)
{
    err_t err = -EBADF;

    spin_lock(&t->lock);
    if (fd >= 0 && (unsigned)fd < t->nslots && t->files[fd] != NULL) {
        bit_set(t->cloexec, (unsigned)fd, on);
        err = 0;
    }
    spin_unlock(&t->lock);
    return err;
}
