/* Character devices, and their names in /dev. */
#include <arch/cpu.h>
#include <kernel/fs/console.h>
#include <kernel/fs/devfs.h>
#include <kernel/fs/file.h>
#include <kernel/sched/thread.h>
#include <lib/string.h>

static long null_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    return 0;
}

static long null_write(struct file *f, struct iobuf *from, uint64_t pos)
{
    return (long)from->left_bytes;
}

static const struct file_ops null_ops = {
    .same_everywhere = true, .read = null_read, .write = null_write};

/* A long read looks for signals, and ends with what it has by then: after each page, as on Linux,
 * so that a short one is always whole. */
static bool read_is_over(long total)
{
    return total % (long)PAGE_BYTES == 0 && thread_interrupted(SLEEP_INTERRUPTIBLE);
}

static long zero_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    long total = 0;

    while (to->left_bytes > 0) {
        size_t n = MIN(to->left_bytes, PAGE_BYTES);
        size_t moved = iobuf_put_zeros(to, n);
        total += (long)moved;
        if (moved < n)
            return total > 0 ? total : -EFAULT;
        if (read_is_over(total))
            break;
    }
    return total;
}

static const struct file_ops zero_ops = {
    .same_everywhere = true, .read = zero_read, .write = null_write};

static long full_write(struct file *f, struct iobuf *from, uint64_t pos)
{
    return from->left_bytes > 0 ? -ENOSPC : 0;
}

static const struct file_ops full_ops = {
    .same_everywhere = true, .read = zero_read, .write = full_write};

/* A counter in steps of the golden ratio, mixed with the cycle counter (the finalizer is
 * MurmurHash3's). */
static uint64_t random_u64(void)
{
    static uint64_t state; /* atomic */
    uint64_t x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);

    x ^= arch_cycles() * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

void random_fill(void *buf, size_t n)
{
    for (size_t done = 0; done < n;) {
        uint64_t x = random_u64();
        size_t piece = MIN(n - done, sizeof(x));
        memcpy((char *)buf + done, &x, piece);
        done += piece;
    }
}

static long random_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    char chunk[256];
    long total = 0;

    while (to->left_bytes > 0) {
        size_t n = MIN(to->left_bytes, sizeof(chunk));
        random_fill(chunk, n);
        size_t moved = iobuf_put_some(to, chunk, n);
        total += (long)moved;
        if (moved < n)
            return total > 0 ? total : -EFAULT;
        if (read_is_over(total))
            break;
    }
    return total;
}

static const struct file_ops random_ops = {
    .same_everywhere = true, .read = random_read, .write = null_write};

static const struct chardev {
    const char *name;
    uint32_t rdev;
    uint32_t mode;
    const struct file_ops *ops;
} chardevs[] = {
    {"console", DEV_OF(5, 1), 0600, &console_file_ops},
    {"tty", DEV_OF(5, 0), 0666, &console_file_ops},
    {"null", DEV_OF(1, 3), 0666, &null_ops},
    {"zero", DEV_OF(1, 5), 0666, &zero_ops},
    {"full", DEV_OF(1, 7), 0666, &full_ops},
    {"random", DEV_OF(1, 8), 0666, &random_ops},
    {"urandom", DEV_OF(1, 9), 0666, &random_ops},
};

const struct file_ops *chardev_ops(uint32_t rdev)
{
    for (size_t i = 0; i < ARRAY_LEN(chardevs); i++) {
        if (chardevs[i].rdev == rdev)
            return chardevs[i].ops;
    }
    return NULL;
}

err_t devfs_populate(struct vnode *dev)
{
    for (size_t i = 0; i < ARRAY_LEN(chardevs); i++) {
        const struct vnode_new how = {.mode = S_IFCHR | chardevs[i].mode, .rdev = chardevs[i].rdev};
        struct vnode *v;
        err_t err = dev->ops->lookup(dev, chardevs[i].name, &v);
        if (err == -ENOENT)
            err = dev->ops->create(dev, chardevs[i].name, &how, &v);
        if (err != 0)
            return err;
        vnode_put(v);
    }
    return 0;
}
