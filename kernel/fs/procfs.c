/* /proc. */
#include <arch/time.h>
#include <kernel/fs/procfs.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define PROC_INO_DIR        1u
#define PROC_INO_FILE_FIRST 2u

struct proc_entry {
    const char *dir; /* the directory of /proc it is in; NULL: /proc itself */
    const char *name;
    void (*print)(struct textbuf *b); /* NULL: a directory */
    bool root_only;
};

/* A file or directory of /proc, made by lookup and gone with its last user. */
struct proc_file {
    struct vnode vnode;
    const struct proc_entry *entry; /* NULL: /proc itself */
};

static struct kmem_cache proc_file_cache = KMEM_CACHE("proc file", struct proc_file);

static void meminfo_print(struct textbuf *b)
{
    size_t page_kb = PAGE_BYTES / 1024;
    size_t free_kb = pmem_free_pages() * page_kb;

    textbuf_print(b, "MemTotal:       %8zu kB\n", pmem_total_pages() * page_kb);
    textbuf_print(b, "MemFree:        %8zu kB\n", free_kb);
    textbuf_print(b, "MemAvailable:   %8zu kB\n", free_kb);
}

static void uptime_print(struct textbuf *b)
{
    uint64_t centiseconds = arch_time_ns() / (NS_PER_S / 100);

    textbuf_print(b, "%lu.%02lu 0.00\n", (unsigned long)(centiseconds / 100),
                  (unsigned long)(centiseconds % 100));
}

/* Written during boot, constant after. */
static struct proc_entry entries[PROCFS_FILES_MAX] = {
    {NULL, "meminfo", meminfo_print, false},
    {NULL, "uptime", uptime_print, false},
};
static size_t nentries = 2;
static const struct procfs_processes *processes;

static bool entry_is_in(const struct proc_entry *entry, const char *dir)
{
    return dir == NULL || entry->dir == NULL ? dir == entry->dir : strcmp(dir, entry->dir) == 0;
}

/* Its index, or nentries. */
static size_t entry_find(const char *dir, const char *name)
{
    size_t i = 0;

    while (i < nentries && !(entry_is_in(&entries[i], dir) && strcmp(entries[i].name, name) == 0))
        i++;
    return i;
}

static void entry_add(const struct proc_entry *entry)
{
    size_t i = entry_find(entry->dir, entry->name);

    ASSERT(i < PROCFS_FILES_MAX);
    entries[i] = *entry;
    if (i == nentries)
        nentries++;
}

void procfs_add_in(const char *dir, const char *name, void (*print)(struct textbuf *b))
{
    if (dir != NULL && entry_find(NULL, dir) == nentries)
        procfs_add_in(NULL, dir, NULL);
    entry_add(&(struct proc_entry){dir, name, print, false});
}

void procfs_add(const char *name, void (*print)(struct textbuf *b))
{
    procfs_add_in(NULL, name, print);
}

void procfs_add_for_root(const char *name, void (*print)(struct textbuf *b))
{
    entry_add(&(struct proc_entry){NULL, name, print, true});
}

void procfs_set_processes(const struct procfs_processes *ops)
{
    processes = ops;
}

static void proc_file_print(struct vnode *v, struct textbuf *b)
{
    container_of(v, struct proc_file, vnode)->entry->print(b);
}

static err_t proc_file_open(struct vnode *v, unsigned flags, struct file **out)
{
    return textfile_open(v, flags, proc_file_print, out);
}

static void proc_file_release(struct vnode *v)
{
    kmem_free(&proc_file_cache, container_of(v, struct proc_file, vnode));
}

static err_t proc_setattr(struct vnode *v, const struct vnode_attr *attr)
{
    return -EPERM;
}

static const struct vnode_ops proc_file_ops = {
    .open = proc_file_open,
    .setattr = proc_setattr,
    .release = proc_file_release,
};

static const struct vnode_ops proc_dir_ops;

/* The entry of a directory; NULL: /proc itself. */
static const struct proc_entry *dir_entry(const struct vnode *dir)
{
    return container_of(dir, const struct proc_file, vnode)->entry;
}

static const char *dir_name(const struct vnode *dir)
{
    return dir_entry(dir) != NULL ? dir_entry(dir)->name : NULL;
}

static err_t proc_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    static const struct vnode_new as_file = {.mode = S_IFREG | 0444};
    static const struct vnode_new as_root_file = {.mode = S_IFREG | 0400};
    static const struct vnode_new as_dir = {.mode = S_IFDIR | 0555};
    size_t i = entry_find(dir_name(dir), name);

    if (i == nentries && (dir_entry(dir) != NULL || processes == NULL))
        return -ENOENT;
    if (i == nentries)
        return processes->lookup(dir, name, out);
    struct proc_file *file = kmem_alloc(&proc_file_cache);
    if (file == NULL)
        return -ENOMEM;
    bool is_dir = entries[i].print == NULL;
    const struct vnode_new *how = entries[i].root_only ? &as_root_file : &as_file;
    vnode_init(&file->vnode, is_dir ? &proc_dir_ops : &proc_file_ops, VNODE_DEV_PROC,
               PROC_INO_FILE_FIRST + i, is_dir ? &as_dir : how);
    if (is_dir) {
        file->vnode.nlink = 2;
        file->vnode.parent = dir;
    }
    file->entry = &entries[i];
    *out = &file->vnode;
    return 0;
}

static err_t proc_readdir(struct vnode *dir, uint64_t cookie, struct dir_sink *sink)
{
    for (size_t i = cookie - DIR_COOKIE_FIRST; i < nentries; i++) {
        if (entry_is_in(&entries[i], dir_name(dir)) &&
            !sink->emit(sink, entries[i].name, PROC_INO_FILE_FIRST + i,
                        entries[i].print == NULL ? S_IFDIR : S_IFREG, DIR_COOKIE_FIRST + i + 1))
            return 0;
    }
    if (dir_entry(dir) != NULL || processes == NULL)
        return 0;
    return processes->readdir(MAX(cookie, (uint64_t)PROCFS_COOKIE_PROCESSES), sink);
}

static err_t proc_child_name(struct vnode *dir, const struct vnode *child, char *buf)
{
    if (dir_entry(dir) != NULL)
        return -ENOENT;
    if (child->ops == &proc_dir_ops) {
        str_copy(buf, dir_name(child), NAME_MAX + 1);
        return 0;
    }
    return processes != NULL ? processes->child_name(child, buf) : -ENOENT;
}

static const struct vnode_ops proc_dir_ops = {
    .lookup = proc_lookup,
    .readdir = proc_readdir,
    .child_name = proc_child_name,
    .setattr = proc_setattr,
    .release = proc_file_release,
};

struct vnode *procfs_create(void)
{
    static const struct vnode_new how = {.mode = S_IFDIR | 0555};
    struct proc_file *dir = kmem_alloc(&proc_file_cache);

    if (dir == NULL)
        return NULL;
    vnode_init(&dir->vnode, &proc_dir_ops, VNODE_DEV_PROC, PROC_INO_DIR, &how);
    dir->vnode.nlink = 2;
    return &dir->vnode;
}
