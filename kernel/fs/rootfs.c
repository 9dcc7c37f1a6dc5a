/* Mounting the root: a ramfs with the initramfs unpacked, /dev, /proc and /tmp.  The archive is not
 * trusted. */
#include <arch/time.h>
#include <kernel/base/printk.h>
#include <kernel/fs/devfs.h>
#include <kernel/fs/path.h>
#include <kernel/fs/procfs.h>
#include <kernel/fs/ramfs.h>
#include <kernel/fs/shm.h>
#include <kernel/phys/kmem.h>
#include <lib/cpio.h>
#include <lib/string.h>

#define PERMISSIONS 07777u

/* A regular file of the archive that says it has more names. */
struct hard_link {
    struct list node;
    uint32_t ino; /* in the archive */
    struct vnode *vnode;
};

struct unpack {
    struct vnode *root;
    struct list hard_links;
    const char *why; /* what is wrong, for the console */
};

static struct kmem_cache hard_link_cache = KMEM_CACHE("rootfs hard link", struct hard_link);

static err_t damaged(struct unpack *u, const char *why)
{
    u->why = why;
    return -EINVAL;
}

/* The directory `name` of dir, made if it is missing; the tree keeps it alive. */
static err_t enter_dir(struct unpack *u, struct vnode **dir, const char *name, uint32_t mode)
{
    const struct vnode_new how = {.mode = S_IFDIR | mode};
    struct vnode *child;

    err_t err = (*dir)->ops->lookup(*dir, name, &child);
    if (err == -ENOENT)
        err = (*dir)->ops->create(*dir, name, &how, &child);
    if (err != 0)
        return err;
    bool is_dir = vnode_is_dir(child);
    vnode_put(child);
    if (!is_dir)
        return damaged(u, "a file where a directory should be");
    *dir = child;
    return 0;
}

/* Takes the next component of *path into name; *path goes on behind it and its slashes. */
static err_t take_component(struct unpack *u, const char **path, char name[NAME_MAX + 1])
{
    const char *end = strchr(*path, '/');
    size_t n = end != NULL ? (size_t)(end - *path) : strlen(*path);

    if (n > NAME_MAX)
        return damaged(u, "name too long");
    memcpy(name, *path, n);
    name[n] = '\0';
    *path += n;
    while (**path == '/')
        (*path)++;
    if (n == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return damaged(u, "a path with an empty component, '.' or '..'");
    return 0;
}

/* The directory that shall hold `path`, and its last component.  Missing directories are made. */
static err_t find_place(struct unpack *u, const char *path, struct vnode **dir,
                        char last[NAME_MAX + 1])
{
    *dir = u->root;
    if (strnlen(path, PATH_BYTES) == PATH_BYTES)
        return damaged(u, "path too long");
    for (;;) {
        err_t err = take_component(u, &path, last);
        if (err != 0 || *path == '\0')
            return err;
        err = enter_dir(u, dir, last, 0755);
        if (err != 0)
            return err;
    }
}

static void set_attributes(struct vnode *v, const struct cpio_entry *entry)
{
    v->mode = (v->mode & S_IFMT) | (entry->mode & PERMISSIONS);
    v->uid = entry->uid;
    v->gid = entry->gid;
    v->atime_ns = v->mtime_ns = v->ctime_ns = (int64_t)(entry->mtime_s * NS_PER_S);
}

static err_t remember_hard_link(struct unpack *u, uint32_t ino, struct vnode *v)
{
    struct hard_link *l = kmem_alloc(&hard_link_cache);

    if (l == NULL)
        return -ENOMEM;
    l->ino = ino;
    l->vnode = v;
    vnode_get(v);
    list_push_back(&u->hard_links, &l->node);
    return 0;
}

static struct vnode *find_hard_link(struct unpack *u, const struct cpio_entry *entry)
{
    if (!S_ISREG(entry->mode) || entry->nlink < 2)
        return NULL;
    list_for_each (node, &u->hard_links) {
        struct hard_link *l = list_entry(node, struct hard_link, node);
        if (l->ino == entry->ino)
            return l->vnode;
    }
    return NULL;
}

static err_t add_symlink(struct unpack *u, struct vnode *dir, const char *name,
                         const struct cpio_entry *entry, struct vnode_new *how, struct vnode **out)
{
    size_t n = entry->size_bytes;

    if (n == 0 || n >= PATH_BYTES || memchr(entry->data, '\0', n) != NULL)
        return damaged(u, "a symbolic link without a proper target");
    char *target = kmem_alloc_bytes(n + 1);
    if (target == NULL)
        return -ENOMEM;
    memcpy(target, entry->data, n);
    target[n] = '\0';
    how->target = target;
    err_t err = dir->ops->create(dir, name, how, out);
    kmem_free_bytes(target, n + 1);
    return err;
}

static err_t add_new(struct unpack *u, struct vnode *dir, const char *name,
                     const struct cpio_entry *entry)
{
    struct vnode_new how = {.mode = entry->mode, .uid = entry->uid, .gid = entry->gid};
    struct vnode *v;
    err_t err;

    if (S_ISLNK(entry->mode))
        err = add_symlink(u, dir, name, entry, &how, &v);
    else
        err = dir->ops->create(dir, name, &how, &v);
    if (err != 0)
        return err;
    if (S_ISREG(entry->mode)) {
        ramfs_set_image(v, entry->data, entry->size_bytes);
        if (entry->nlink > 1)
            err = remember_hard_link(u, entry->ino, v);
    }
    set_attributes(v, entry);
    vnode_put(v);
    return err;
}

/* One more name of a file; of all its members only the last need have the contents. */
static err_t add_hard_link(struct vnode *dir, const char *name, const struct cpio_entry *entry,
                           struct vnode *v)
{
    if (v->size_bytes == 0 && entry->size_bytes != 0)
        ramfs_set_image(v, entry->data, entry->size_bytes);
    return dir->ops->link(dir, name, v);
}

static err_t add_entry(struct unpack *u, const struct cpio_entry *entry)
{
    uint32_t type = entry->mode & S_IFMT;
    char name[NAME_MAX + 1];
    struct vnode *dir, *there;

    /* devfs makes the devices this kernel has. */
    if (type == S_IFCHR || type == S_IFBLK)
        return 0;
    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFIFO &&
        type != S_IFSOCK)
        return damaged(u, "unknown file type");
    if (entry->name[0] == '\0') {
        if (type != S_IFDIR)
            return damaged(u, "a root that is no directory");
        set_attributes(u->root, entry);
        return 0;
    }
    err_t err = find_place(u, entry->name, &dir, name);
    if (err != 0)
        return err;
    if (dir->ops->lookup(dir, name, &there) == 0) {
        bool both_dirs = vnode_is_dir(there) && type == S_IFDIR;
        if (both_dirs)
            set_attributes(there, entry);
        vnode_put(there);
        return both_dirs ? 0 : damaged(u, "the same name twice");
    }
    struct vnode *linked = find_hard_link(u, entry);
    return linked != NULL ? add_hard_link(dir, name, entry, linked) : add_new(u, dir, name, entry);
}

/* Tree lock held. */
static err_t unpack_all(struct unpack *u, const void *image, size_t bytes) REQUIRES(names_lock)
{
    struct cpio_iter it;
    struct cpio_entry entry;

    cpio_begin(&it, image, bytes);
    for (;;) {
        size_t offset = it.offset;
        u->why = NULL;
        err_t err = cpio_next(&it, &entry);
        if (err == 0)
            return 0;
        if (err < 0) {
            printk("initramfs: damaged or cut at offset %zu of %zu\n", it.offset, bytes);
            return err;
        }
        err = add_entry(u, &entry);
        if (err != 0) {
            printk("initramfs: member at offset %zu of %zu: %s\n", offset, bytes,
                   u->why != NULL ? u->why : err_name(err));
            return err;
        }
    }
}

/* Another file system gets the name: what the archive has there must be an empty directory. */
static err_t free_mount_point(struct unpack *u, struct vnode *dir, const char *name)
{
    struct vnode *there = dir;
    err_t err = enter_dir(u, &there, name, 0755);

    return err != 0 ? err : dir->ops->unlink(dir, name, there);
}

/* /dev, /dev/shm, /proc and /tmp.  Tree lock held. */
static err_t add_standard_dirs(struct unpack *u) REQUIRES(names_lock)
{
    struct vnode *dev = u->root, *tmp = u->root;

    err_t err = enter_dir(u, &dev, "dev", 0755);
    if (err == 0)
        err = devfs_populate(dev);
    if (err == 0)
        err = free_mount_point(u, dev, "shm");
    if (err == 0)
        err = shm_file_init(dev);
    if (err == 0)
        err = enter_dir(u, &tmp, "tmp", 01777);
    if (err == 0)
        err = free_mount_point(u, u->root, "proc");
    if (err != 0)
        return err;
    struct vnode *proc = procfs_create();
    if (proc == NULL)
        return -ENOMEM;
    err = ramfs_attach(u->root, "proc", proc);
    vnode_put(proc);
    return err;
}

static void forget_hard_links(struct unpack *u)
{
    list_for_each_safe (node, &u->hard_links) {
        struct hard_link *l = list_entry(node, struct hard_link, node);
        list_remove(node);
        vnode_put(l->vnode);
        kmem_free(&hard_link_cache, l);
    }
}

err_t rootfs_mount(const void *image, size_t bytes)
{
    struct unpack u = {.hard_links = LIST_INIT(u.hard_links)};
    err_t err = 0;

    tree_init();
    u.root = ramfs_create_root();
    if (u.root == NULL)
        return -ENOMEM;
    tree_lock();
    if (image != NULL)
        err = unpack_all(&u, image, bytes);
    if (err == 0) {
        err = add_standard_dirs(&u);
        if (err != 0)
            printk("rootfs: cannot make /dev, /proc, /tmp: %s\n",
                   u.why != NULL ? u.why : err_name(err));
    }
    tree_unlock();
    forget_hard_links(&u);
    if (err == 0) {
        fs_set_root(u.root);
    } else {
        ramfs_empty(u.root);
        vnode_put(u.root);
    }
    return err;
}

void rootfs_unmount(void)
{
    struct vnode *root = fs_root();

    fs_set_root(NULL);
    ramfs_empty(root);
    vnode_put(root);
}
