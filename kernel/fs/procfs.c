/* /proc. */
#include <arch/time.h>
#include <kernel/fs/procfs.h>
#include <kernel/phys/kmem.h>
#include <lib/string.h>

#define PROC_INO_DIR        1u
#define PROC_INO_FILE_FIRST 2u

struct proc_entry {
    const char *name;
    void (*print)(struct textbuf *b);
};

/* A file of /proc, made by lookup and gone with its last user. */
struct proc_file {
    struct vnode vnode;
    const struct proc_entry *entry;
};

static struct kmem_cache proc_dir_cache = KMEM_CACHE("proc directory", struct vnode);
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
    {"meminfo", meminfo_print},
    {"uptime", uptime_print},
};
static size_t nentries = 2;

void procfs_add(const char *name, void (*print)(struct textbuf *b))
{
    size_t i = 0;

    while (i < nentries && strcmp(entries[i].name, name) != 0)
        i++;
    ASSERT(i < PROCFS_FILES_MAX);
    entries[i].name = name;
    entries[i].print = print;
    if (i == nentries)
        nentries++;
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

static err_t proc_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    static const struct vnode_new how = {.mode = S_IFREG | 0444};
    size_t i = 0;

    while (i < nentries && strcmp(entries[i].name, name) != 0)
        i++;
    if (i == nentries)
        return -ENOENT;
    struct proc_file *file = kmem_alloc(&proc_file_cache);
    if (file == NULL)
        return -ENOMEM;
    vnode_init(&file->vnode, &proc_file_ops, VNODE_DEV_PROC, PROC_INO_FILE_FIRST + i, &how);
    file->entry = &entries[i];
    *out = &file->vnode;
    return 0;
}

static err_t proc_readdir(struct vnode *dir, uint64_t cookie, struct dir_sink *sink)
{
    for (size_t i = cookie - DIR_COOKIE_FIRST; i < nentries; i++) {
        if (!sink->emit(sink, entries[i].name, PROC_INO_FILE_FIRST + i, S_IFREG,
                        DIR_COOKIE_FIRST + i + 1))
            break;
    }
    return 0;
}

static void proc_dir_release(struct vnode *v)
{
    kmem_free(&proc_dir_cache, v);
}

static const struct vnode_ops proc_dir_ops = {
    .lookup = proc_lookup,
    .readdir = proc_readdir,
    .setattr = proc_setattr,
    .release = proc_dir_release,
};

struct vnode *procfs_create(void)
{
    static const struct vnode_new how = {.mode = S_IFDIR | 0555};
    struct vnode *dir = kmem_alloc(&proc_dir_cache);

    if (dir == NULL)
        return NULL;
    vnode_init(dir, &proc_dir_ops, VNODE_DEV_PROC, PROC_INO_DIR, &how);
    dir->nlink = 2;
    return dir;
}
