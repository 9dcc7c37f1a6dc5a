/* getdents64(2): directory entries packed for the caller. */
#include <kernel/fs/file.h>
#include <lib/string.h>

/* One call's progress.  `err` is why it stopped, 0 when there was only no more room. */
struct getdents {
    struct dir_sink sink;
    struct iobuf *to;
    uint64_t cookie; /* of the first entry not emitted */
    uint64_t end;    /* what is behind it came later */
    size_t done_bytes;
    err_t err;
};

static bool getdents_emit(struct dir_sink *sink, const char *name, uint64_t ino, uint32_t mode,
                          uint64_t next)
{
    struct getdents *g = container_of(sink, struct getdents, sink);
    struct {
        struct linux_dirent64 head;
        char name[NAME_MAX + 1 + 7];
    } __attribute__((packed)) entry;
    size_t name_bytes = strlen(name) + 1;
    size_t bytes = ALIGN_UP(sizeof(entry.head) + name_bytes, (size_t)8);

    if (next > g->end)
        return false;
    if (bytes > g->to->left_bytes) {
        if (g->done_bytes == 0)
            g->err = -EINVAL;
        return false;
    }
    /* The padding goes to the user too: it must not be old kernel stack. */
    memset(&entry, 0, bytes);
    entry.head.d_ino = ino;
    entry.head.d_off = (int64_t)next;
    entry.head.d_reclen = (uint16_t)bytes;
    entry.head.d_type = DT_OF_MODE(mode);
    memcpy(entry.name, name, name_bytes);
    g->err = iobuf_put(g->to, &entry, bytes);
    if (g->err != 0)
        return false;
    g->done_bytes += bytes;
    g->cookie = next;
    return true;
}

/* Where the reading of f ends that goes on now, or begins: with what the directory held at its
 * start, so that one who replaces each file he reads comes to an end. */
static uint64_t reading_end(struct file *f) REQUIRES(names_lock, f->vnode->lock)
{
    if (f->offset == 0 || f->readdir_end == 0) {
        const struct vnode_ops *ops = f->vnode->ops;
        f->readdir_end = ops->readdir_end != NULL ? ops->readdir_end(f->vnode) : UINT64_MAX;
    }
    return f->readdir_end;
}

/* Tree lock and dir->lock held. */
static err_t readdir_from(struct vnode *dir, struct getdents *g) REQUIRES(names_lock, dir->lock)
{
    if (dir->parent == NULL)
        return -ENOENT;
    if (g->cookie == 0 && !g->sink.emit(&g->sink, ".", dir->ino, S_IFDIR, 1))
        return 0;
    if (g->cookie == 1 &&
        !g->sink.emit(&g->sink, "..", dir->parent->ino, S_IFDIR, DIR_COOKIE_FIRST))
        return 0;
    return dir->ops->readdir(dir, g->cookie, &g->sink);
}

long file_readdir(struct file *f, struct iobuf *to)
{
    struct getdents g = {.sink = {.emit = getdents_emit}, .to = to};

    if (!file_readable(f))
        return -EBADF;
    if (!vnode_is_dir(f->vnode) || f->vnode->ops->readdir == NULL)
        return -ENOTDIR;
    tree_lock();
    mutex_lock(&f->vnode->lock);
    g.cookie = f->offset;
    g.end = reading_end(f);
    err_t err = readdir_from(f->vnode, &g);
    if (err == 0 && g.done_bytes == 0)
        err = g.err;
    if (err == 0)
        f->offset = g.cookie;
    mutex_unlock(&f->vnode->lock);
    tree_unlock();
    return err != 0 ? err : (long)g.done_bytes;
}
