/* ramfs objects other than directories: regular files, symbolic links, device nodes. */
#include "ramfs_node.h"
#include <kernel/fs/ramfs.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

static struct kmem_cache file_cache = KMEM_CACHE("ramfs file", struct ramfs_file);
static struct kmem_cache link_cache = KMEM_CACHE("ramfs link", struct ramfs_link);
static struct kmem_cache dir_cache = KMEM_CACHE("ramfs directory", struct ramfs_dir);
static struct kmem_cache special_cache = KMEM_CACHE("ramfs special file", struct vnode);

static struct ramfs_file *file_of(struct vnode *v)
{
    return container_of(v, struct ramfs_file, vnode);
}

/* Takes no lock: a shrinking file first lowers image_bytes, then drops or zeroes the pages. */
static err_t ramfs_fill(struct memstore *store, size_t idx, struct page *page)
{
    struct ramfs_file *file = container_of(store, struct ramfs_file, store);
    size_t image_bytes = __atomic_load_n(&file->image_bytes, __ATOMIC_ACQUIRE);
    char *to = page_to_ptr(page);
    size_t n = 0;

    if (idx < (image_bytes + PAGE_BYTES - 1) / PAGE_BYTES) {
        n = MIN(image_bytes - idx * PAGE_BYTES, PAGE_BYTES);
        memcpy(to, file->image + idx * PAGE_BYTES, n);
    }
    memset(to + n, 0, PAGE_BYTES - n);
    return 0;
}

static void ramfs_store_release(struct memstore *store)
{
    kmem_free(&file_cache, container_of(store, struct ramfs_file, store));
}

static const struct memstore_ops ramfs_store_ops = {
    .name = "ramfs",
    .fill = ramfs_fill,
    .release = ramfs_store_release,
};

bool ramfs_describe_store(const struct memstore *store, uint64_t *ino)
{
    if (store->ops != &ramfs_store_ops)
        return false;
    *ino = container_of(store, const struct ramfs_file, store)->vnode.ino;
    return true;
}

static struct memstore *ramfs_file_store(struct vnode *v)
{
    memstore_get(&file_of(v)->store);
    return &file_of(v)->store;
}

/* Zeroes the store from `pos` to the end of its page: behind the end of the file there may be what
 * mappings wrote. */
static void zero_tail(struct memstore *store, uint64_t pos)
{
    struct page *page;

    /* A failure means that the page is not there: when it is, it will be filled as the file then
     * is. */
    if (pos % PAGE_BYTES == 0 || memstore_page(store, pos / PAGE_BYTES, &page) != 0)
        return;
    memset((char *)page_to_ptr(page) + pos % PAGE_BYTES, 0, PAGE_BYTES - pos % PAGE_BYTES);
    page_unpin(page);
}

static err_t ramfs_file_resize(struct vnode *v, uint64_t size_bytes)
{
    struct ramfs_file *file = file_of(v);
    size_t npages = (size_t)((size_bytes + PAGE_BYTES - 1) / PAGE_BYTES);

    if (size_bytes > FILE_BYTES_MAX)
        return -EFBIG;
    if (size_bytes < file->image_bytes)
        __atomic_store_n(&file->image_bytes, (size_t)size_bytes, __ATOMIC_RELEASE);
    if (size_bytes > v->size_bytes)
        zero_tail(&file->store, v->size_bytes);
    if (npages != memstore_npages(&file->store))
        memstore_resize(&file->store, npages);
    if (size_bytes < v->size_bytes)
        zero_tail(&file->store, size_bytes);
    v->size_bytes = size_bytes;
    return 0;
}

static void ramfs_file_release(struct vnode *v)
{
    memstore_put(&file_of(v)->store);
}

static const struct vnode_ops ramfs_file_ops = {
    .store = ramfs_file_store,
    .resize = ramfs_file_resize,
    .release = ramfs_file_release,
};

static long ramfs_readlink(struct vnode *v, char *buf, size_t size)
{
    size_t n = MIN(size, (size_t)v->size_bytes);

    memcpy(buf, container_of(v, struct ramfs_link, vnode)->target, n);
    return (long)n;
}

static void ramfs_link_release(struct vnode *v)
{
    struct ramfs_link *link = container_of(v, struct ramfs_link, vnode);

    kmem_free_bytes(link->target, (size_t)v->size_bytes + 1);
    kmem_free(&link_cache, link);
}

static const struct vnode_ops ramfs_link_ops = {
    .readlink = ramfs_readlink,
    .release = ramfs_link_release,
};

static void ramfs_special_release(struct vnode *v)
{
    kmem_free(&special_cache, v);
}

static const struct vnode_ops ramfs_special_ops = {
    .release = ramfs_special_release,
};

static struct vnode *file_create_node(const struct vnode_new *how)
{
    struct ramfs_file *file = kmem_alloc(&file_cache);

    if (file == NULL)
        return NULL;
    vnode_init(&file->vnode, &ramfs_file_ops, VNODE_DEV_RAMFS, vnode_next_ino(), how);
    memstore_init(&file->store, &ramfs_store_ops, 0);
    return &file->vnode;
}

static struct vnode *link_create_node(const struct vnode_new *how)
{
    size_t n = strlen(how->target);
    struct ramfs_link *link = kmem_alloc(&link_cache);

    if (link == NULL)
        return NULL;
    link->target = kmem_alloc_bytes(n + 1);
    if (link->target == NULL) {
        kmem_free(&link_cache, link);
        return NULL;
    }
    memcpy(link->target, how->target, n + 1);
    vnode_init(&link->vnode, &ramfs_link_ops, VNODE_DEV_RAMFS, vnode_next_ino(), how);
    link->vnode.size_bytes = n;
    return &link->vnode;
}

static struct vnode *dir_create_node(const struct vnode_new *how)
{
    struct ramfs_dir *dir = kmem_alloc(&dir_cache);

    if (dir == NULL)
        return NULL;
    vnode_init(&dir->vnode, &ramfs_dir_ops, VNODE_DEV_RAMFS, vnode_next_ino(), how);
    dir->vnode.nlink = 2;
    list_init(&dir->order);
    dir->next_cookie = DIR_COOKIE_FIRST;
    return &dir->vnode;
}

static struct vnode *special_create_node(const struct vnode_new *how)
{
    struct vnode *v = kmem_alloc(&special_cache);

    if (v != NULL)
        vnode_init(v, &ramfs_special_ops, VNODE_DEV_RAMFS, vnode_next_ino(), how);
    return v;
}

err_t ramfs_node_create(const struct vnode_new *how, struct vnode **out)
{
    switch (how->mode & S_IFMT) {
    case S_IFREG:
        *out = file_create_node(how);
        break;
    case S_IFDIR:
        *out = dir_create_node(how);
        break;
    case S_IFLNK:
        *out = link_create_node(how);
        break;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        *out = special_create_node(how);
        break;
    default:
        return -EPERM;
    }
    return *out != NULL ? 0 : -ENOMEM;
}

void ramfs_set_image(struct vnode *v, const void *data, size_t bytes)
{
    struct ramfs_file *file = file_of(v);

    ASSERT(v->ops == &ramfs_file_ops && v->size_bytes == 0);
    file->image = data;
    file->image_bytes = bytes;
    v->size_bytes = bytes;
    memstore_resize(&file->store, (bytes + PAGE_BYTES - 1) / PAGE_BYTES);
}

void ramfs_dir_free(struct vnode *v)
{
    kmem_free(&dir_cache, container_of(v, struct ramfs_dir, vnode));
}
