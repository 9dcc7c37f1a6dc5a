/* Birth and death of threads. */
#include "sched.h"

#include <arch/poison.h>
#include <kernel/base/audit.h>
#include <kernel/base/context.h>
#include <kernel/base/panic.h>
#include <kernel/base/stackdepth.h>
#include <kernel/phys/kmem.h>
#include <kernel/phys/pmem.h>
#include <lib/err.h>
#include <lib/string.h>

struct kthread {
    struct thread thread;
};

static struct kmem_cache kthread_cache = KMEM_CACHE("kthread", struct kthread);

static struct spinlock all_lock = SPINLOCK_INIT("threads", RANK_THREADS);
static struct list all_threads GUARDED_BY(all_lock) = LIST_INIT(all_threads);
static size_t nthreads GUARDED_BY(all_lock);
static uint64_t next_id GUARDED_BY(all_lock) = 1;

static void *stack_alloc(void)
{
    unsigned order = (unsigned)__builtin_ctzl(KSTACK_BYTES / PAGE_BYTES);
    struct page *page = page_alloc(PAGE_KERNEL, order, 0);
    if (!page)
        return NULL;
    void *stack = arch_stack_at(page_to_paddr(page));
    if (KERNEL_DEBUG)
        stack_depth_start(stack, KSTACK_BYTES);
    return stack;
}

/* The thread has left it for good. */
static void stack_free(struct thread *t)
{
    arch_unpoison(t->stack, KSTACK_BYTES); /* frames that were never returned from */
    if (KERNEL_DEBUG)
        stack_depth_end(t->stack, KSTACK_BYTES, t->name);
    page_free(paddr_to_page(arch_stack_block(t->stack)));
}

err_t thread_init(struct thread *t, const char *name, void (*entry)(void *arg), void *arg,
                  bool user, void (*release)(struct thread *t))
{
    t->stack = stack_alloc();
    if (!t->stack)
        return -ENOMEM;
    t->state = THREAD_NEW;
    t->release = release;
    list_init(&t->runq_node);
    str_copy(t->name, name, sizeof t->name);
    t->entry = entry;
    t->arg = arg;
    arch_thread_init(&t->arch, t->stack, thread_first_run, t, user);
    spin_lock(&all_lock);
    t->id = next_id++;
    list_push_back(&all_threads, &t->all_node);
    nthreads++;
    spin_unlock(&all_lock);
    return 0;
}

void thread_destroy(struct thread *t)
{
    spin_lock(&all_lock);
    list_remove(&t->all_node);
    spin_unlock(&all_lock);
    stack_free(t);
    t->release(t);
    /* Last: who sees the count go down may rely on all of it being back (the shutdown audit). */
    spin_lock(&all_lock);
    nthreads--;
    spin_unlock(&all_lock);
}

void thread_start(struct thread *t)
{
    bool irq = irq_save();
    t->cpu = arch_cpu_id();
    irq_restore(irq);
    __atomic_store_n(&t->state, THREAD_RUNNABLE, __ATOMIC_RELEASE);
    sched_enqueue(t);
}

static void kthread_release(struct thread *t)
{
    kmem_free(&kthread_cache, container_of(t, struct kthread, thread));
}

struct thread *kthread_create(const char *name, void (*entry)(void *arg), void *arg)
{
    struct kthread *k = kmem_alloc(&kthread_cache);
    if (!k)
        return NULL;
    if (thread_init(&k->thread, name, entry, arg, false, kthread_release)) {
        kmem_free(&kthread_cache, k);
        return NULL;
    }
    return &k->thread;
}

void thread_exit(void)
{
    struct thread *t = thread_current();
    assert_may_sleep("thread_exit");
    assert_no_locks("thread_exit");
    irq_disable();
    __atomic_store_n(&t->state, THREAD_DEAD, __ATOMIC_RELEASE);
    schedule(false);
    panic("dead thread %s ran again", t->name);
}

uint64_t thread_run_ns(const struct thread *t)
{
    uint64_t clock, now;
    do { /* until no switch has come between the two reads */
        clock = __atomic_load_n(&t->run_clock, __ATOMIC_ACQUIRE);
        now = arch_time_ns();
    } while (clock != __atomic_load_n(&t->run_clock, __ATOMIC_ACQUIRE));
    return clock & THREAD_RUNS ? now - (clock & ~THREAD_RUNS) : clock;
}

void thread_for_each_unlocked(void (*fn)(struct thread *t, void *arg), void *arg)
{
    list_for_each (node, &all_threads)
        fn(list_entry(node, struct thread, all_node), arg);
}

size_t thread_count(void)
{
    spin_lock(&all_lock);
    size_t n = nthreads;
    spin_unlock(&all_lock);
    return n;
}

void thread_audit(struct audit *audit)
{
    audit_add(audit, "threads", thread_count());
}
