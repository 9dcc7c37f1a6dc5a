/* Walking along a path, component by component, through symbolic links. */
#include "walk.h"
#include <kernel/phys/kmem.h>
#include <lib/string.h>

/* Room to put a link's target in front of the rest of the path. */
#define WALK_BUF_BYTES ((size_t)2 * PATH_BYTES)

static struct vnode *root_vnode; /* written at boot and shutdown only */

struct vnode *fs_root(void)
{
    return root_vnode;
}

void fs_set_root(struct vnode *root)
{
    root_vnode = root;
}

static void walk_move(struct walk *w, struct vnode *to)
{
    vnode_put(w->dir);
    w->dir = to;
}

static void walk_move_to_root(struct walk *w)
{
    vnode_get(root_vnode);
    walk_move(w, root_vnode);
}

/* `link`, found as w->last, is replaced by its target: the walk goes on from w->dir with the target
 * and the rest. */
static err_t walk_follow(struct walk *w, struct vnode *link)
{
    size_t rest_bytes = strlen(w->rest) + 1;

    if (++w->links > SYMLINKS_MAX)
        return -ELOOP;
    if (link->ops->readlink == NULL)
        return -EINVAL;
    if (w->buf == NULL)
        w->buf = kmem_alloc_bytes(WALK_BUF_BYTES);
    if (w->buf == NULL)
        return -ENOMEM;
    /* The rest may lie in buf already, anywhere: first move it out of the target's way. */
    char *parked = w->buf + WALK_BUF_BYTES - rest_bytes - 1;
    memmove(parked + 1, w->rest, rest_bytes);
    long n = link->ops->readlink(link, w->buf, PATH_BYTES);
    if (n < 0)
        return (err_t)n;
    if (n == 0)
        return -ENOENT;
    if ((size_t)n + w->slash + rest_bytes > PATH_BYTES)
        return -ENAMETOOLONG;
    if (w->slash) {
        *parked = '/';
        memmove(w->buf + n, parked, rest_bytes + 1);
    } else {
        memmove(w->buf + n, parked + 1, rest_bytes);
    }
    w->rest = w->buf;
    if (w->buf[0] == '/')
        walk_move_to_root(w);
    return 0;
}

/* Takes the next component off the rest into w->last.  False when it is the last. */
static err_t walk_next(struct walk *w, bool *more)
{
    while (*w->rest == '/')
        w->rest++;
    const char *beg = w->rest;
    while (*w->rest != '\0' && *w->rest != '/')
        w->rest++;
    size_t n = (size_t)(w->rest - beg);
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(w->last, n != 0 ? beg : ".", n != 0 ? n : 1);
    w->last[n != 0 ? n : 1] = '\0';
    w->slash = *w->rest == '/';
    while (*w->rest == '/')
        w->rest++;
    *more = *w->rest != '\0';
    return 0;
}

/* Goes on until only w->last is left. */
static err_t walk_on(struct walk *w) REQUIRES(names_lock)
{
    for (;;) {
        struct vnode *child;
        bool more;
        err_t err = walk_next(w, &more);
        if (err != 0 || !more)
            return err;
        err = vnode_lookup(w->dir, w->last, w->cred, &child);
        if (err != 0)
            return err;
        if (S_ISLNK(vnode_mode(child))) {
            err = walk_follow(w, child);
            vnode_put(child);
            if (err != 0)
                return err;
        } else if (vnode_is_dir(child)) {
            walk_move(w, child);
        } else {
            vnode_put(child);
            return -ENOTDIR;
        }
    }
}

err_t walk_parent(struct walk *w, const struct path_at *at)
{
    w->cred = at->cred;
    w->dir = NULL;
    w->rest = at->path;
    w->buf = NULL;
    w->links = 0;
    w->slash = w->missing = false;
    ASSERT(tree_locked());
    if (at->path[0] == '\0' || root_vnode == NULL)
        return -ENOENT;
    if (strnlen(at->path, PATH_BYTES) == PATH_BYTES)
        return -ENAMETOOLONG;
    if (at->path[0] == '/') {
        walk_move_to_root(w);
    } else {
        vnode_get(at->base);
        walk_move(w, at->base);
    }
    if (!vnode_is_dir(w->dir))
        return -ENOTDIR;
    return walk_on(w);
}

bool walk_last_is_dots(const struct walk *w)
{
    return strcmp(w->last, ".") == 0 || strcmp(w->last, "..") == 0;
}

err_t walk_last(struct walk *w, bool follow, struct vnode **out)
{
    for (;;) {
        struct vnode *child;
        err_t err = vnode_lookup(w->dir, w->last, w->cred, &child);
        w->missing = err == -ENOENT && !walk_last_is_dots(w);
        if (err != 0)
            return err;
        if (S_ISLNK(vnode_mode(child)) && (follow || w->slash)) {
            err = walk_follow(w, child);
            vnode_put(child);
            if (err == 0)
                err = walk_on(w);
            if (err != 0)
                return err;
            continue;
        }
        if (w->slash && !vnode_is_dir(child)) {
            vnode_put(child);
            return -ENOTDIR;
        }
        *out = child;
        return 0;
    }
}

void walk_end(struct walk *w)
{
    vnode_put(w->dir);
    if (w->buf != NULL)
        kmem_free_bytes(w->buf, WALK_BUF_BYTES);
}

static err_t walk_may_write(const struct walk *w)
{
    if (!vnode_is_dir(w->dir))
        return -ENOTDIR;
    return vnode_may(w->dir, w->cred, MAY_WRITE | MAY_EXEC);
}

err_t walk_may_create(const struct walk *w)
{
    if (w->dir->nlink == 0)
        return -ENOENT;
    return walk_may_write(w);
}

err_t walk_may_remove(const struct walk *w, const struct vnode *child)
{
    err_t err = walk_may_write(w);

    if (err != 0)
        return err;
    if ((vnode_mode(w->dir) & S_ISVTX) && w->cred->euid != 0 && w->cred->euid != vnode_uid(child) &&
        w->cred->euid != vnode_uid(w->dir))
        return w->dir->dev == VNODE_DEV_SHM ? -EACCES : -EPERM; /* A9: as the native calls say */
    return child->dev != w->dir->dev ? -EBUSY : 0;
}

err_t walk_create(struct walk *w, uint32_t mode, const char *target, struct vnode **out)
{
    struct vnode_new how = {
        .mode = mode, .uid = w->cred->euid, .gid = w->cred->egid, .target = target};

    err_t err = walk_may_create(w);
    if (err != 0)
        return err;
    if (w->dir->ops->create == NULL)
        return -EPERM;
    if (vnode_mode(w->dir) & S_ISGID) {
        how.gid = vnode_gid(w->dir);
        if (S_ISDIR(mode))
            how.mode |= S_ISGID;
        else if (w->cred->euid != 0 && !cred_in_group(w->cred, how.gid))
            how.mode &= ~(uint32_t)S_ISGID; /* as chmod(2) */
    }
    return w->dir->ops->create(w->dir, w->last, &how, out);
}
