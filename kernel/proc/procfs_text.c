/* What /proc/PID/maps, status and comm say (proc(5)). */
#include "procfs_pid.h"
#include "signal.h"

#include <abi/zone.h>
#include <kernel/fs/ramfs.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* The column in which names begin. */
#define MAPS_NAME_COLUMN 73

/* Its address space, held; NULL in a zombie.  The process may exit meanwhile: nothing of what it
 * has lives longer for our looking. */
static struct addrspace *hold_addrspace(struct process *proc)
{
    spin_lock(&proc->siglock);
    struct addrspace *as = proc->as;
    if (as)
        addrspace_hold(as);
    spin_unlock(&proc->siglock);
    return as;
}

/* How the context behind a mapping is called.  Unique by the inode number, which is its id. */
static void name_context(const struct memregion *r, const char *kind, const char *plain_key,
                         uint64_t id, char *name, size_t size)
{
    char key[TEXT_ESCAPED_BYTES(RS_NAME_MAX)];
    text_escape(key, plain_key);
    if (strcmp(kind, "region") == 0)
        fmt_snprint(name, size, "/dev/shm/%s", key);
    else if (strcmp(kind, "memfd") == 0)
        fmt_snprint(name, size, "/memfd:%s", key);
    else if (strcmp(kind, "anon") == 0)
        fmt_snprint(name, size, "[anon_shared]");
    else if (strcmp(kind, "fry") == 0)
        fmt_snprint(name, size, r->beg == SHRIMP ? "[shrimp]" : "[fry]");
    else if (*key)
        fmt_snprint(name, size, "[%s:%s]", kind, key);
    else
        fmt_snprint(name, size, "[%s:#%lu]", kind, id);
}

/* What a mapping shows: the file system and number of its file, and a name where it has one. */
struct map_object {
    unsigned dev;
    uint64_t ino;
    char name[TEXT_ESCAPED_BYTES(RS_NAME_MAX) + 16];
};

static void describe_map(const struct memregion *r, struct map_object *o)
{
    const char *kind, *key;
    const struct addrspace *as = r->as;
    o->dev = 0;
    o->ino = 0;
    o->name[0] = '\0';
    if (!r->mapping) {
        /* It may be one region with the program's zeros before it. */
        bool heap = r->beg < as->brk_end && r->end > as->brk_beg;
        str_copy(o->name, r->stack ? "[stack]" : heap ? "[heap]" : "", sizeof o->name);
    } else if (shm_describe_store(r->mapping->store, &kind, &key, &o->ino)) {
        o->dev = VNODE_DEV_SHM;
        name_context(r, kind, key, o->ino, o->name, sizeof o->name);
    } else if (ramfs_describe_store(r->mapping->store, &o->ino)) {
        o->dev = VNODE_DEV_RAMFS;
    }
}

/* Longer than a line without its name can get. */
#define MAPS_HEAD_BYTES 128

/* A held. */
static bool print_map(const struct memregion *r, void *arg)
{
    struct map_object o;
    char head[MAPS_HEAD_BYTES];
    describe_map(r, &o);
    size_t offset = r->mapping ? r->store_page << PAGE_SHIFT : 0;
    size_t n =
        fmt_snprint(head, sizeof head, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", r->beg, r->end,
                    r->prot & VP_READ ? 'r' : '-', r->prot & VP_WRITE ? 'w' : '-',
                    r->prot & VP_EXEC ? 'x' : '-', r->shared ? 's' : 'p', offset, o.dev, o.ino);
    int pad = o.name[0] && n < MAPS_NAME_COLUMN ? (int)(MAPS_NAME_COLUMN - n) : 0;
    textbuf_print(arg, "%s%*s%s\n", head, pad, "", o.name);
    return true;
}

void process_print_maps(struct process *proc, struct textbuf *b)
{
    struct addrspace *as = hold_addrspace(proc);
    if (!as)
        return;
    addrspace_for_each(as, print_map, b);
    addrspace_unhold(as);
}

void process_print_comm(struct process *proc, struct textbuf *b)
{
    char name[PROC_NAME_BYTES];
    spin_lock(&proc->siglock);
    memcpy(name, proc->name, sizeof name);
    spin_unlock(&proc->siglock);
    textbuf_print(b, "%s\n", name);
}

/* One moment of a process. */
struct process_look {
    char name[PROC_NAME_BYTES];
    const char *state;
    int pid, ppid;
    unsigned threads;
    struct cred cred;
    sigset_t pending, shared_pending, blocked, ignored, caught;
};

/* siglock held. */
static const char *thread_states(struct process *proc) REQUIRES(proc->siglock)
{
    const char *state = "D (disk sleep)";
    list_for_each (node, &proc->threads) {
        struct thread *t = &list_entry(node, struct uthread, proc_node)->thread;
        if (__atomic_load_n(&t->state, __ATOMIC_RELAXED) == THREAD_RUNNABLE)
            return "R (running)";
        if (__atomic_load_n(&t->sleep_mode, __ATOMIC_RELAXED) != SLEEP_UNINTERRUPTIBLE)
            state = "S (sleeping)";
    }
    return state;
}

/* p and siglock held. */
static const char *process_state_name(struct process *proc) REQUIRES(proctable_lock, proc->siglock)
{
    if (proc->state == PROCESS_REAPED)
        return "X (dead)";
    if (proc->state == PROCESS_ZOMBIE)
        return "Z (zombie)";
    return proc->stopped ? "T (stopped)" : thread_states(proc);
}

/* siglock held. */
static void look_at_signals(struct process *proc, struct process_look *look) REQUIRES(proc->siglock)
{
    look->pending = look->blocked = look->ignored = look->caught = 0;
    look->shared_pending = proc->pending.set;
    if (!list_empty(&proc->threads)) {
        struct uthread *first = list_first(&proc->threads, struct uthread, proc_node);
        look->pending = first->pending.set;
        look->blocked = first->blocked;
    }
    for (int sig = 1; sig <= NSIG; sig++) {
        uint64_t handler = proc->actions.action[sig - 1].handler;
        if (handler == SIG_IGN)
            look->ignored |= SIG_BIT(sig);
        else if (handler != SIG_DFL)
            look->caught |= SIG_BIT(sig);
    }
}

static void look_at(struct process *proc, struct process_look *look)
{
    spin_lock(&proctable_lock);
    look->pid = proc->pid;
    look->ppid = proc->parent && proc->state != PROCESS_REAPED ? proc->parent->pid : 0;
    look->cred = proc->cred;
    spin_lock(&proc->siglock);
    memcpy(look->name, proc->name, sizeof look->name);
    look->state = process_state_name(proc);
    look->threads = proc->nthreads;
    look_at_signals(proc, look);
    spin_unlock(&proc->siglock);
    spin_unlock(&proctable_lock);
}

static void print_ids(const struct cred *c, struct textbuf *b)
{
    textbuf_print(b, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->euid);
    textbuf_print(b, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->egid);
    textbuf_print(b, "Groups:\t");
    for (unsigned i = 0; i < c->ngroups; i++)
        textbuf_print(b, "%u ", c->groups[i]);
    textbuf_print(b, "\n");
}

static uint64_t counter(const uint64_t *n)
{
    return __atomic_load_n(n, __ATOMIC_RELAXED);
}

/* Absent in a zombie, as its memory is. */
static void print_memory(struct process *proc, struct textbuf *b)
{
    struct addrspace *as = hold_addrspace(proc);
    if (!as)
        return;
    const struct vm_stats *s = &as->stats;
    size_t pages = __atomic_load_n(&as->mapped_pages, __ATOMIC_RELAXED);
    textbuf_print(b, "VmSize:\t%8zu kB\n", pages * (PAGE_BYTES / 1024));
    textbuf_print(b, "Faults:\t%lu\n", counter(&s->faults));
    textbuf_print(b, "FaultsFilled:\t%lu\n", counter(&s->faults_filled));
    textbuf_print(b, "FaultsCopied:\t%lu\n", counter(&s->faults_copied));
    textbuf_print(b, "FaultsSpurious:\t%lu\n", counter(&s->faults_spurious));
    addrspace_unhold(as);
}

/* A name has no end of line of its own: proc(5) shows \n, and \\ for a backslash. */
static void print_name(const char *name, struct textbuf *b)
{
    textbuf_print(b, "Name:\t");
    for (; *name; name++) {
        if (*name == '\n' || *name == '\\')
            textbuf_print(b, "\\%c", *name == '\n' ? 'n' : '\\');
        else
            textbuf_print(b, "%c", *name);
    }
    textbuf_print(b, "\n");
}

void process_print_status(struct process *proc, struct textbuf *b)
{
    struct process_look look;
    look_at(proc, &look);
    print_name(look.name, b);
    textbuf_print(b, "State:\t%s\n", look.state);
    textbuf_print(b, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\n", look.pid, look.pid, look.ppid);
    print_ids(&look.cred, b);
    print_memory(proc, b);
    textbuf_print(b, "Threads:\t%u\n", look.threads);
    textbuf_print(b, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", look.pending, look.shared_pending);
    textbuf_print(b, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", look.blocked,
                  look.ignored, look.caught);
}
