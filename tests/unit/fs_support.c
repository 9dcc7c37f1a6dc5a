#include "fs_support.h"
#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <arch/time.h>
#include <arch/usercopy.h>
#include <kernel/base/audit.h>
#include <kernel/base/context.h>
#include <kernel/fs/path.h>
#include <kernel/fs/ramfs.h>
#include <kernel/fs/shm.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/process.h>

#include "../../kernel/mm/mm.h"

static struct process process;
static struct failpoint failpoint;
static unsigned sigpipes;
static uintptr_t bad_page;
static uint64_t now_ns;
static struct audit before;

/* ---- the machine */

uint64_t arch_time_ns(void)
{
    return now_ns += NS_PER_MS;
}

uint64_t arch_boot_wall_ns(void)
{
    return 1000 * NS_PER_S;
}

static bool user_range_ok(uintptr_t addr, size_t n)
{
    return n == 0 || (addr >= 0x10000 && (addr + n <= bad_page || addr >= bad_page + PAGE_BYTES));
}

/* Copies what can be touched before it fails, as the machine does. */
static int user_copy(char *dst, const char *src, size_t n, uintptr_t user)
{
    for (size_t i = 0; i < n; i++) {
        if (!user_range_ok(user + i, 1))
            return -EFAULT;
        dst[i] = src != NULL ? src[i] : 0;
    }
    return 0;
}

int arch_copy_from_user(void *dst, uintptr_t src, size_t n)
{
    return user_copy(dst, (const char *)src, n, src);
}

int arch_copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    return user_copy((char *)dst, src, n, dst);
}

int arch_clear_user(uintptr_t dst, size_t n)
{
    return user_copy((char *)dst, NULL, n, dst);
}

long arch_copy_string_from_user(char *dst, uintptr_t src, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (arch_copy_from_user(&dst[i], src + i, 1) != 0)
            return -EFAULT;
        if (dst[i] == '\0')
            return (long)i;
    }
    return -ENAMETOOLONG;
}

/* ---- the scheduler: one thread that never sleeps */

void waitq_init(struct waitq *q)
{
    list_init(&q->waiters);
}

int waitq_sleep(struct waitq *q, struct spinlock *lock, enum sleep_mode mode, uint64_t deadline_ns)
{
    assert_true(spin_is_locked(lock));
    if (deadline_ns == NS_NEVER)
        return mode == SLEEP_INTERRUPTIBLE ? -EINTR : 0;
    now_ns = deadline_ns;
    return -ETIMEDOUT;
}

bool thread_interrupted(enum sleep_mode mode)
{
    return false;
}

bool waitq_wake_one(struct waitq *q)
{
    return false;
}

void waitq_wake_all(struct waitq *q) {}

void mutex_init(struct mutex *m, const char *name, enum lock_rank rank)
{
    *m = (struct mutex){.inner = SPINLOCK_INIT(name, RANK_SLEEPLOCK), .rank = rank};
}

/* `owner` only says that it is taken. */
void mutex_lock(struct mutex *m)
{
    assert_may_sleep(m->inner.name);
    assert_null(m->owner);
    m->owner = (struct thread *)m;
    lock_rank_acquire(&(struct lock_taker){
        .lock = m, .name = m->inner.name, .rank = m->rank, .frame = __builtin_frame_address(0)});
}

void mutex_unlock(struct mutex *m)
{
    lock_rank_release(m);
    assert_non_null(m->owner);
    m->owner = NULL;
}

bool mutex_held(const struct mutex *m)
{
    return m->owner != NULL;
}

/* Nothing is mapped in these tests. */
void pt_clear(struct addrspace *as, uintptr_t beg, uintptr_t end)
{
    fail();
}

void pt_restrict(struct addrspace *as, uintptr_t beg, uintptr_t end, unsigned prot)
{
    fail();
}

err_t addrspace_map(struct addrspace *as, const struct map_request *req, uintptr_t *addr)
{
    fail();
    return -ENOMEM;
}

err_t addrspace_unmap_mapping(struct addrspace *as, struct memstore *store, uintptr_t addr)
{
    fail();
    return -ENOENT;
}

void addrspace_unmap_store(struct addrspace *as, const struct memstore *store)
{
    fail();
}

void addrspace_for_each(struct addrspace *as, bool (*fn)(const struct memregion *r, void *arg),
                        void *arg)
{
    fail();
}

/* ---- the process */

struct process *process_current(void)
{
    return &process;
}

const struct cred *process_cred(void)
{
    return &process.cred;
}

struct vnode *process_cwd(struct process *proc)
{
    vnode_get(proc->cwd);
    return proc->cwd;
}

void process_set_cwd(struct process *proc, struct vnode *vnode)
{
    vnode_put(proc->cwd);
    proc->cwd = vnode;
}

unsigned process_umask_swap(unsigned umask)
{
    unsigned old = process.umask;
    process.umask = umask;
    return old;
}

unsigned process_umask(void)
{
    return process.umask;
}

uint64_t signal_sleep_deadline(void)
{
    return 0;
}

void signal_set_sleep_deadline(uint64_t deadline_ns)
{
    (void)deadline_ns;
}

void signal_raise_current(int sig)
{
    assert_int_equal(sig, SIGPIPE);
    sigpipes++;
}

unsigned fs_sigpipes(void)
{
    return sigpipes;
}

struct cred *fs_cred(void)
{
    return &process.cred;
}

void fs_set_bad_page(const void *beg)
{
    bad_page = (uintptr_t)beg;
}

bool fs_fail_nth(unsigned n)
{
    bool hit = failpoint.countdown[FAIL_ALLOC] == 0;
    failpoint.countdown[FAIL_ALLOC] = n;
    return hit;
}

long fs_call(long (*handler)(const unsigned long args[6]), const unsigned long args[6])
{
    long result = handler(args);
    assert_no_locks("after a call");
    assert_true(arch_irq_enabled());
    return result;
}

void fs_memory_init(void)
{
    host_memory_init((size_t)32 << 20, 0);
}

static void audit_take(struct audit *audit)
{
    *audit = (struct audit){0};
    kmem_shrink();
    pmem_drain();
    pmem_audit(audit);
    kmem_audit(audit);
    shm_audit(audit);
}

err_t fs_begin(const void *image, size_t bytes)
{
    failpoint_switch(&failpoint);
    audit_take(&before);
    err_t err = rootfs_mount(image, bytes);
    failpoint.countdown[FAIL_ALLOC] = 0;
    if (err != 0) {
        struct audit after;
        audit_take(&after);
        assert_int_equal(audit_compare(&before, &after), 0);
        return err;
    }
    process = (struct process){.umask = 022};
    process.fds = fdtable_create();
    assert_non_null(process.fds);
    vnode_get(fs_root());
    process.cwd = fs_root();
    return 0;
}

void fs_end(void)
{
    struct audit after;
    fs_set_bad_page(NULL);
    fs_fail_nth(0);
    fdtable_put(process.fds);
    vnode_put(process.cwd);
    shm_check();
    shm_shutdown();
    rootfs_unmount();
    audit_take(&after);
    if (audit_compare(&before, &after) != 0)
        fail_msg("not everything came back:\n%s", host_console());
}

int fs_group_setup(void **state)
{
    fs_memory_init();
    return 0;
}

int fs_setup(void **state)
{
    return fs_begin(NULL, 0);
}

int fs_teardown(void **state)
{
    fs_end();
    return 0;
}
