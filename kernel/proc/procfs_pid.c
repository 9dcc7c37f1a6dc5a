/* /proc/PID and /proc/self: the names.  What stands in the files: procfs_text.c. */
#include "procfs_pid.h"

#include <kernel/fs/procfs.h>
#include <kernel/phys/kmem.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* A file of a process's directory.  Owner-only files show addresses. */
struct pid_file {
    const char *name;
    bool owner_only;
    void (*print)(struct process *proc, struct textbuf *b);
};

static const struct pid_file files[] = {
    {"maps", true, process_print_maps},
    {"status", false, process_print_status},
    {"comm", false, process_print_comm},
};

/* A directory or a file, made by lookup and gone with its last user.  It means this process, not
 * one that has the same number later. */
struct pid_node {
    struct vnode vnode;
    struct process *proc;        /* c  a reference */
    const struct pid_file *file; /* c  NULL: the directory */
};

static struct kmem_cache pid_node_cache = KMEM_CACHE("proc process", struct pid_node);
static struct kmem_cache self_cache = KMEM_CACHE("proc self", struct vnode);

static struct pid_node *node_of(struct vnode *v)
{
    return container_of(v, struct pid_node, vnode);
}

static bool is_gone(struct process *proc)
{
    spin_lock(&proctable_lock);
    bool gone = proc->state == PROCESS_REAPED;
    spin_unlock(&proctable_lock);
    return gone;
}

static void node_release(struct vnode *v)
{
    struct pid_node *node = node_of(v);

    process_put(node->proc);
    kmem_free(&pid_node_cache, node);
}

static err_t node_setattr(struct vnode *v, const struct vnode_attr *attr)
{
    return -EPERM;
}

static void file_print(struct vnode *v, struct textbuf *b)
{
    node_of(v)->file->print(node_of(v)->proc, b);
}

static err_t file_open_text(struct vnode *v, unsigned flags, struct file **out)
{
    if (is_gone(node_of(v)->proc))
        return -ESRCH;
    return textfile_open(v, flags, file_print, out);
}

static const struct vnode_ops file_ops = {
    .open = file_open_text,
    .setattr = node_setattr,
    .release = node_release,
};

static uint64_t ino_of(int pid, size_t nth)
{
    return (uint64_t)pid * PROCFS_INO_PROCESSES + nth;
}

/* Who may look: the process's user.  One that changes between users belongs to root alone. */
static struct vnode_new owner_of(struct process *proc, uint32_t mode)
{
    struct vnode_new how = {.mode = mode};

    spin_lock(&proctable_lock);
    const struct cred *cred = &proc->cred;
    if (cred->uid == cred->euid && cred->uid == cred->suid) {
        how.uid = cred->uid;
        how.gid = cred->gid;
    }
    spin_unlock(&proctable_lock);
    return how;
}

/* Takes over the reference to proc. */
static err_t node_create(struct process *proc, const struct vnode_ops *ops, uint32_t mode,
                         size_t nth, struct pid_node **out)
{
    struct pid_node *node = kmem_alloc(&pid_node_cache);
    struct vnode_new how = owner_of(proc, mode);

    if (node == NULL) {
        process_put(proc);
        return -ENOMEM;
    }
    vnode_init(&node->vnode, ops, VNODE_DEV_PROC, ino_of(proc->pid, nth), &how);
    node->proc = proc;
    *out = node;
    return 0;
}

static err_t dir_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    struct process *proc = node_of(dir)->proc;
    struct pid_node *node;
    size_t i = 0;

    while (i < ARRAY_LEN(files) && strcmp(files[i].name, name) != 0)
        i++;
    if (i == ARRAY_LEN(files) || is_gone(proc))
        return -ENOENT;
    ref_get(&proc->refs);
    uint32_t mode = S_IFREG | (files[i].owner_only ? 0400 : 0444);
    err_t err = node_create(proc, &file_ops, mode, i + 1, &node);
    if (err != 0)
        return err;
    node->file = &files[i];
    *out = &node->vnode;
    return 0;
}

static err_t dir_readdir(struct vnode *dir, uint64_t cookie, struct dir_sink *sink)
{
    struct process *proc = node_of(dir)->proc;

    if (is_gone(proc))
        return -ENOENT;
    for (size_t i = cookie - DIR_COOKIE_FIRST; i < ARRAY_LEN(files); i++) {
        if (!sink->emit(sink, files[i].name, ino_of(proc->pid, i + 1), S_IFREG,
                        DIR_COOKIE_FIRST + i + 1))
            break;
    }
    return 0;
}

static const struct vnode_ops dir_ops = {
    .lookup = dir_lookup,
    .readdir = dir_readdir,
    .setattr = node_setattr,
    .release = node_release,
};

static long self_readlink(struct vnode *v, char *buf, size_t size)
{
    char text[16];
    struct process *self = process_current();

    if (self == NULL)
        return -ENOENT;
    size_t n = MIN(fmt_snprint(text, sizeof(text), "%d", self->pid), size);
    memcpy(buf, text, n);
    return (long)n;
}

static void self_release(struct vnode *v)
{
    kmem_free(&self_cache, v);
}

static const struct vnode_ops self_ops = {
    .readlink = self_readlink,
    .setattr = node_setattr,
    .release = self_release,
};

static err_t self_create(struct vnode **out)
{
    static const struct vnode_new how = {.mode = S_IFLNK | 0777};
    struct vnode *v = kmem_alloc(&self_cache);

    if (v == NULL)
        return -ENOMEM;
    vnode_init(v, &self_ops, VNODE_DEV_PROC, PROCFS_INO_PROCESSES, &how);
    *out = v;
    return 0;
}

/* The number that `name` is, as readdir shows it; 0 when it is none. */
static int pid_parse(const char *name)
{
    int pid = 0;

    if (*name == '0')
        return 0;
    for (; *name != '\0'; name++) {
        if (*name < '0' || *name > '9' || pid > PID_MAX)
            return 0;
        pid = pid * 10 + (*name - '0');
    }
    return pid;
}

static err_t processes_lookup(struct vnode *proc_dir, const char *name, struct vnode **out)
{
    struct pid_node *node;

    if (strcmp(name, "self") == 0)
        return self_create(out);
    spin_lock(&proctable_lock);
    struct process *proc = process_find(pid_parse(name));
    if (proc != NULL)
        ref_get(&proc->refs);
    spin_unlock(&proctable_lock);
    if (proc == NULL)
        return -ENOENT;
    err_t err = node_create(proc, &dir_ops, S_IFDIR | 0555, 0, &node);
    if (err != 0)
        return err;
    node->vnode.nlink = 2;
    node->vnode.parent = proc_dir;
    *out = &node->vnode;
    return 0;
}

/* The cookie of self, then of each process one more than its number behind that. */
static err_t processes_readdir(uint64_t cookie, struct dir_sink *sink)
{
    char name[16];

    if (cookie == PROCFS_COOKIE_PROCESSES &&
        !sink->emit(sink, "self", PROCFS_INO_PROCESSES, S_IFLNK, ++cookie))
        return 0;
    int pid = (int)(cookie - PROCFS_COOKIE_PROCESSES);
    while ((pid = process_next_pid(pid)) != 0) {
        fmt_snprint(name, sizeof(name), "%d", pid);
        uint64_t next = PROCFS_COOKIE_PROCESSES + (uint64_t)pid + 1;
        if (!sink->emit(sink, name, ino_of(pid, 0), S_IFDIR, next))
            break;
        pid++;
    }
    return 0;
}

static err_t processes_child_name(const struct vnode *child, char *buf)
{
    if (child->ops != &dir_ops)
        return -ENOENT;
    fmt_snprint(buf, NAME_MAX + 1, "%d", container_of(child, struct pid_node, vnode)->proc->pid);
    return 0;
}

void process_procfs_init(void)
{
    static const struct procfs_processes processes = {
        .lookup = processes_lookup,
        .readdir = processes_readdir,
        .child_name = processes_child_name,
    };

    procfs_set_processes(&processes);
    if (KERNEL_DEBUG) {
        procfs_add_for_root("check", process_print_check);
        procfs_add_for_root("audit", process_print_audit);
    }
}
