/* ramfs directories. */
#include "ramfs_node.h"
#include <kernel/fs/ramfs.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define LINKS_MAX 65000u

static struct ramfs_dir *dir_of(struct vnode *v)
{
    return container_of(v, struct ramfs_dir, vnode);
}

/* The link where `name` hangs, or would; *parent is its node. */
static struct rbnode **entry_link(struct ramfs_dir *dir, const char *name, struct rbnode **parent)
{
    struct rbnode **link = &dir->names.root;

    *parent = NULL;
    while (*link != NULL) {
        int order = strcmp(name, rb_entry(*link, struct ramfs_entry, node)->name);
        if (order == 0)
            break;
        *parent = *link;
        link = order < 0 ? &(*link)->left : &(*link)->right;
    }
    return link;
}

static struct ramfs_entry *entry_find(struct ramfs_dir *dir, const char *name)
{
    struct rbnode *parent;
    struct rbnode *node = *entry_link(dir, name, &parent);

    return node != NULL ? rb_entry(node, struct ramfs_entry, node) : NULL;
}

static struct ramfs_entry *entry_alloc(const char *name)
{
    size_t bytes = sizeof(struct ramfs_entry) + strlen(name) + 1;
    struct ramfs_entry *e = kmem_alloc_bytes(bytes);

    if (e == NULL)
        return NULL;
    memset(e, 0, sizeof(*e));
    e->bytes = bytes;
    memcpy(e->name, name, bytes - sizeof(*e));
    return e;
}

/* F keeps others from changing it, not stat from reading it. */
static void set_nlink(struct vnode *v, uint32_t nlink)
{
    __atomic_store_n(&v->nlink, nlink, __ATOMIC_RELAXED);
}

/* Enters e, which names v and takes over a reference to it.  The name is free.  Cannot fail. */
static void entry_insert(struct ramfs_dir *dir, struct ramfs_entry *e, struct vnode *v)
{
    struct rbnode *parent;
    struct rbnode **link = entry_link(dir, e->name, &parent);

    ASSERT(*link == NULL);
    rb_insert(&dir->names, &e->node, parent, link);
    e->cookie = dir->next_cookie++;
    list_push_back(&dir->order, &e->order_node);
    e->vnode = v;
    if (vnode_is_dir(v)) {
        v->parent = &dir->vnode;
        set_nlink(&dir->vnode, dir->vnode.nlink + 1);
    }
    vnode_modified(&dir->vnode);
}

/* Takes e out; its reference to the vnode is the caller's now.  Frees e. */
static void entry_remove(struct ramfs_dir *dir, struct ramfs_entry *e)
{
    rb_remove(&dir->names, &e->node);
    list_remove(&e->order_node);
    if (vnode_is_dir(e->vnode)) {
        e->vnode->parent = NULL;
        set_nlink(&dir->vnode, dir->vnode.nlink - 1);
    }
    kmem_free_bytes(e, e->bytes);
    vnode_modified(&dir->vnode);
}

/* `v` has lost one of its names; drops the reference that the name had. */
static void name_gone(struct vnode *v)
{
    vnode_changed(v);
    set_nlink(v, vnode_is_dir(v) ? 0 : v->nlink - 1);
    vnode_put(v);
}

/* `name` becomes v's, and is no longer that of `replaced`, another directory or another file.  It
 * stays where it was: who reads the directory meanwhile finds it, and once. */
static void entry_replace(struct ramfs_dir *dir, const char *name, struct vnode *v,
                          struct vnode *replaced)
{
    entry_find(dir, name)->vnode = v;
    if (vnode_is_dir(v)) {
        replaced->parent = NULL;
        v->parent = &dir->vnode;
    }
    vnode_modified(&dir->vnode);
    name_gone(replaced);
}

static err_t ramfs_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    struct ramfs_entry *e = entry_find(dir_of(dir), name);

    if (e == NULL)
        return -ENOENT;
    vnode_get(e->vnode);
    *out = e->vnode;
    return 0;
}

static err_t ramfs_create(struct vnode *dir, const char *name, const struct vnode_new *how,
                          struct vnode **out)
{
    struct ramfs_entry *e = entry_alloc(name);

    if (e == NULL)
        return -ENOMEM;
    err_t err = ramfs_node_create(how, out);
    if (err != 0) {
        kmem_free_bytes(e, e->bytes);
        return err;
    }
    vnode_get(*out);
    entry_insert(dir_of(dir), e, *out);
    return 0;
}

static err_t ramfs_link(struct vnode *dir, const char *name, struct vnode *target)
{
    if (target->nlink >= LINKS_MAX)
        return -EMLINK;
    /* An open file without a name cannot get one again. */
    if (target->nlink == 0)
        return -ENOENT;
    struct ramfs_entry *e = entry_alloc(name);
    if (e == NULL)
        return -ENOMEM;
    vnode_get(target);
    set_nlink(target, target->nlink + 1);
    vnode_changed(target);
    entry_insert(dir_of(dir), e, target);
    return 0;
}

static err_t ramfs_unlink(struct vnode *dir, const char *name, struct vnode *child)
{
    struct ramfs_entry *e = entry_find(dir_of(dir), name);

    ASSERT(e != NULL && e->vnode == child);
    if (vnode_is_dir(child) && !list_empty(&dir_of(child)->order))
        return -ENOTEMPTY;
    entry_remove(dir_of(dir), e);
    name_gone(child);
    return 0;
}

static err_t ramfs_rename(struct vnode *old_dir, const char *old_name, struct vnode *child,
                          struct vnode *new_dir, const char *new_name, struct vnode *replaced)
{
    struct ramfs_entry *old = entry_find(dir_of(old_dir), old_name);

    ASSERT(old != NULL && old->vnode == child);
    if (replaced != NULL && vnode_is_dir(replaced) && !list_empty(&dir_of(replaced)->order))
        return -ENOTEMPTY;
    struct ramfs_entry *e = replaced == NULL ? entry_alloc(new_name) : NULL;
    if (replaced == NULL && e == NULL)
        return -ENOMEM;
    entry_remove(dir_of(old_dir), old);
    if (replaced == NULL)
        entry_insert(dir_of(new_dir), e, child);
    else
        entry_replace(dir_of(new_dir), new_name, child, replaced);
    vnode_changed(child);
    return 0;
}

static err_t ramfs_readdir(struct vnode *dir, uint64_t cookie, struct dir_sink *sink)
{
    list_for_each (node, &dir_of(dir)->order) {
        struct ramfs_entry *e = list_entry(node, struct ramfs_entry, order_node);
        if (e->cookie < cookie)
            continue;
        if (!sink->emit(sink, e->name, e->vnode->ino, vnode_mode(e->vnode), e->cookie + 1))
            break;
    }
    return 0;
}

static uint64_t ramfs_readdir_end(struct vnode *dir)
{
    return dir_of(dir)->next_cookie;
}

static err_t ramfs_child_name(struct vnode *dir, const struct vnode *child, char *buf)
{
    list_for_each (node, &dir_of(dir)->order) {
        struct ramfs_entry *e = list_entry(node, struct ramfs_entry, order_node);
        if (e->vnode == child) {
            str_copy(buf, e->name, NAME_MAX + 1);
            return 0;
        }
    }
    return -ENOENT;
}

static void ramfs_dir_release(struct vnode *v)
{
    ASSERT(list_empty(&dir_of(v)->order));
    ramfs_dir_free(v);
}

const struct vnode_ops ramfs_dir_ops = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .link = ramfs_link,
    .unlink = ramfs_unlink,
    .rename = ramfs_rename,
    .readdir = ramfs_readdir,
    .readdir_end = ramfs_readdir_end,
    .child_name = ramfs_child_name,
    .release = ramfs_dir_release,
};

struct vnode *ramfs_create_root(void)
{
    static const struct vnode_new how = {.mode = S_IFDIR | 0755};
    struct vnode *root;

    if (ramfs_node_create(&how, &root) != 0)
        return NULL;
    root->parent = root;
    return root;
}

err_t ramfs_attach(struct vnode *dir, const char *name, struct vnode *child)
{
    ASSERT(tree_locked() && dir->ops == &ramfs_dir_ops);
    if (entry_find(dir_of(dir), name) != NULL)
        return -EEXIST;
    struct ramfs_entry *e = entry_alloc(name);
    if (e == NULL)
        return -ENOMEM;
    vnode_get(child);
    entry_insert(dir_of(dir), e, child);
    return 0;
}

void ramfs_empty(struct vnode *top)
{
    struct vnode *dir = top;

    tree_lock();
    for (;;) {
        if (list_empty(&dir_of(dir)->order)) {
            if (dir == top)
                break;
            /* It is now its parent's first entry, an empty directory. */
            dir = dir->parent;
        } else {
            struct ramfs_entry *e = list_first(&dir_of(dir)->order, struct ramfs_entry, order_node);
            struct vnode *child = e->vnode;
            if (child->ops == &ramfs_dir_ops && !list_empty(&dir_of(child)->order)) {
                dir = child;
                continue;
            }
            entry_remove(dir_of(dir), e);
            name_gone(child);
        }
    }
    tree_unlock();
}
