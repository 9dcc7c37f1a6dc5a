/* Vnodes: life, rights, attributes. */
#include <abi/region.h>
#include <arch/time.h>
#include <kernel/base/printk.h>
#include <kernel/fs/vnode.h>
#include <lib/string.h>

struct mutex names_lock;
static uint64_t last_ino; /* atomic */

void tree_init(void)
{
    mutex_init(&names_lock, "names", RANK_FS_TREE);
}

void tree_lock(void)
{
    mutex_lock(&names_lock);
}

void tree_unlock(void)
{
    mutex_unlock(&names_lock);
}

bool tree_locked(void)
{
    return mutex_held(&names_lock);
}

int64_t fs_now_ns(void)
{
    return (int64_t)(arch_boot_wall_ns() + arch_time_ns());
}

uint64_t vnode_next_ino(void)
{
    return __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED);
}

void vnode_init(struct vnode *v, const struct vnode_ops *ops, uint32_t dev, uint64_t ino,
                const struct vnode_new *how)
{
    v->ops = ops;
    ref_init(&v->refs, 1);
    v->mode = how->mode;
    v->uid = how->uid;
    v->gid = how->gid;
    v->nlink = 1;
    v->dev = dev;
    v->rdev = how->rdev;
    v->ino = ino;
    v->size_bytes = 0;
    v->atime_ns = v->mtime_ns = v->ctime_ns = fs_now_ns();
    mutex_init(&v->lock, "vnode", RANK_VNODE);
    v->parent = NULL;
}

static void set_time(int64_t *time_ns, int64_t ns)
{
    __atomic_store_n(time_ns, ns, __ATOMIC_RELAXED);
}

void vnode_accessed(struct vnode *v)
{
    set_time(&v->atime_ns, fs_now_ns());
}

void vnode_modified(struct vnode *v)
{
    int64_t now_ns = fs_now_ns();

    set_time(&v->mtime_ns, now_ns);
    set_time(&v->ctime_ns, now_ns);
}

void vnode_changed(struct vnode *v)
{
    set_time(&v->ctime_ns, fs_now_ns());
}

void vnode_get(struct vnode *v)
{
    ref_get(&v->refs);
}

void vnode_put(struct vnode *v)
{
    if (v != NULL && ref_put(&v->refs))
        v->ops->release(v);
}

err_t vnode_may(const struct vnode *v, const struct cred *cred, unsigned want)
{
    return cred_may(cred, vnode_uid(v), vnode_gid(v), vnode_mode(v), want) ? 0 : -EACCES;
}

err_t vnode_lookup(struct vnode *dir, const char *name, const struct cred *cred, struct vnode **out)
{
    ASSERT(tree_locked());
    if (!vnode_is_dir(dir) || dir->ops->lookup == NULL)
        return -ENOTDIR;
    err_t err = vnode_may(dir, cred, MAY_EXEC);
    if (err != 0)
        return err;
    if (strcmp(name, ".") == 0) {
        vnode_get(dir);
        *out = dir;
        return 0;
    }
    if (strcmp(name, "..") == 0) {
        if (dir->parent == NULL)
            return -ENOENT;
        vnode_get(dir->parent);
        *out = dir->parent;
        return 0;
    }
    return dir->ops->lookup(dir, name, out);
}

/* The rules of chmod(2), chown(2) and utimensat(2).  vnode->lock held. */
static err_t setattr_check(const struct vnode *v, const struct vnode_attr *attr,
                           const struct cred *cred) REQUIRES(v->lock)
{
    bool root = cred->euid == 0;
    bool owner = root || cred->euid == vnode_uid(v);

    if (!owner && (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID)))
        return -EPERM;
    if (!root && (attr->valid & ATTR_UID) && attr->uid != vnode_uid(v))
        return -EPERM;
    if (!root && (attr->valid & ATTR_GID) && attr->gid != vnode_gid(v) &&
        !cred_in_group(cred, attr->gid))
        return -EPERM;
    if (owner || !(attr->valid & (ATTR_ATIME | ATTR_MTIME)))
        return 0;
    return attr->valid & ATTR_NOW ? vnode_may(v, cred, MAY_WRITE) : -EPERM;
}

/* S_ISGID gives the rights of the file's group: only root and who is in the group may set it.
 * vnode->lock held. */
static bool may_set_group_id(const struct vnode *v, const struct cred *cred) REQUIRES(v->lock)
{
    return cred->euid == 0 || cred_in_group(cred, vnode_gid(v));
}

static void setattr_apply(struct vnode *v, const struct vnode_attr *attr)
{
    uint32_t mode = vnode_mode(v);

    if (attr->valid & ATTR_MODE)
        mode = (mode & S_IFMT) | (attr->mode & 07777);
    /* A program must not run with rights that its former owner gave it. */
    if ((attr->valid & (ATTR_UID | ATTR_GID)) && !vnode_is_dir(v))
        mode &= ~(uint32_t)(S_ISUID | S_ISGID);
    __atomic_store_n(&v->mode, mode, __ATOMIC_RELAXED);
    if (attr->valid & ATTR_UID)
        __atomic_store_n(&v->uid, attr->uid, __ATOMIC_RELAXED);
    if (attr->valid & ATTR_GID)
        __atomic_store_n(&v->gid, attr->gid, __ATOMIC_RELAXED);
    if (attr->valid & ATTR_ATIME)
        set_time(&v->atime_ns, attr->atime_ns);
    if (attr->valid & ATTR_MTIME)
        set_time(&v->mtime_ns, attr->mtime_ns);
    vnode_changed(v);
}

err_t vnode_setattr(struct vnode *v, const struct vnode_attr *attr, const struct cred *cred)
{
    struct vnode_attr set = *attr;

    mutex_lock(&v->lock);
    err_t err = setattr_check(v, &set, cred);
    if (!may_set_group_id(v, cred))
        set.mode &= ~(uint32_t)S_ISGID;
    if (err == 0 && v->ops->setattr != NULL)
        err = v->ops->setattr(v, &set);
    if (err == 0)
        setattr_apply(v, &set);
    mutex_unlock(&v->lock);
    return err;
}

err_t vnode_truncate(struct vnode *v, uint64_t size_bytes)
{
    if (vnode_is_dir(v))
        return -EISDIR;
    if (v->ops->resize == NULL)
        return -EINVAL;
    if (size_bytes > FILE_BYTES_MAX)
        return -EFBIG;
    mutex_lock(&v->lock);
    err_t err = v->ops->resize(v, size_bytes);
    if (err == 0)
        vnode_modified(v);
    mutex_unlock(&v->lock);
    return err;
}

/* Before 1970 the seconds are negative, and the nanoseconds count forward all the same. */
static struct linux_timespec timespec_of(const int64_t *time_ns)
{
    int64_t ns = __atomic_load_n(time_ns, __ATOMIC_RELAXED);
    struct linux_timespec t = {.sec = ns / (int64_t)NS_PER_S, .nsec = ns % (int64_t)NS_PER_S};

    if (t.nsec < 0) {
        t.sec--;
        t.nsec += (int64_t)NS_PER_S;
    }
    return t;
}

void vnode_stat(struct vnode *v, struct linux_stat *st)
{
    memset(st, 0, sizeof(*st));
    mutex_lock(&v->lock);
    st->st_dev = v->dev;
    st->st_ino = v->ino;
    st->st_nlink = __atomic_load_n(&v->nlink, __ATOMIC_RELAXED);
    st->st_mode = vnode_mode(v);
    st->st_uid = vnode_uid(v);
    st->st_gid = vnode_gid(v);
    st->st_rdev = v->rdev;
    st->st_size = (int64_t)v->size_bytes;
    st->st_atim = timespec_of(&v->atime_ns);
    st->st_mtim = timespec_of(&v->mtime_ns);
    st->st_ctim = timespec_of(&v->ctime_ns);
    mutex_unlock(&v->lock);
    st->st_blksize = PAGE_BYTES;
    struct memstore *store = v->ops->store != NULL ? v->ops->store(v) : NULL;
    if (store != NULL) {
        st->st_blocks = (int64_t)(memstore_resident(store) * (PAGE_BYTES / 512));
        memstore_put(store);
    }
}

void vnode_statfs(const struct vnode *v, struct linux_statfs *st)
{
    static const int64_t magic_by_dev[] = {
        [VNODE_DEV_RAMFS] = RAMFS_MAGIC,
        [VNODE_DEV_PROC] = PROC_MAGIC,
        [VNODE_DEV_SHM] = TMPFS_MAGIC,
        [VNODE_DEV_PIPE] = PIPEFS_MAGIC,
    };

    memset(st, 0, sizeof(*st));
    if (v->dev < ARRAY_LEN(magic_by_dev))
        st->f_type = magic_by_dev[v->dev];
    st->f_bsize = st->f_frsize = PAGE_BYTES;
    if (v->dev == VNODE_DEV_RAMFS || v->dev == VNODE_DEV_SHM) {
        st->f_blocks = pmem_total_pages();
        st->f_bfree = st->f_bavail = pmem_free_pages();
    }
    st->f_fsid[0] = (int32_t)v->dev;
    st->f_namelen = v->dev == VNODE_DEV_SHM ? RS_NAME_MAX : NAME_MAX;
}
