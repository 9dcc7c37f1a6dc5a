/* Misuse of memory on purpose: the tests see that what watches for it does. */
#include "provoke_memory.h"

#include <arch/time.h>
#include <kernel/base/cmdline.h>
#include <kernel/base/context.h>
#include <kernel/base/usercopy.h>
#include <kernel/phys/kmem.h>
#include <kernel/phys/pmem.h>
#include <kernel/sched/thread.h>
#include <lib/string.h>

static volatile unsigned char sink;
static unsigned char table[40]; /* not a multiple of anything: the compiler leaves room behind it */

/* What the compiler must not see through. */
static size_t opaque(size_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

static void undefined(void)
{
    volatile int largest = INT32_MAX;
    sink = (unsigned char)(largest + 1);
}

static void undefined_shift(void)
{
    sink = (unsigned char)(1 << opaque(32));
}

static void undefined_index(void)
{
    sink = table[opaque(40)];
}

/* Beyond the array, into the protector's word; then returns. */
__attribute__((noinline)) static void smash(void)
{
    char buffer[16];
    char *volatile p = buffer;
    for (size_t i = 0; i < opaque(32); i++)
        p[i] = 1;
}

/* Calls itself until the stack reaches below `end`. */
__attribute__((noinline)) static void deep(uintptr_t end)
{
    volatile char room[256];
    room[opaque(0)] = 1;
    if ((uintptr_t)__builtin_frame_address(0) > end)
        deep(end);
    sink = room[opaque(0)];
}

static void overflow(void)
{
    deep(0);
}

static void deep_thread(void *arg)
{
    irq_disable(); /* an interrupt there would need more than what is left */
    deep((uintptr_t)thread_current()->stack + 2048);
    irq_enable();
}

/* Comes back to its thread's end, but with too little left. */
static void nearly_overflow(void)
{
    struct thread *t = kthread_create("deep", deep_thread, NULL);
    thread_start(t);
    thread_sleep_until(arch_time_ns() + NS_PER_S, SLEEP_UNINTERRUPTIBLE);
}

static void use_after_free(void)
{
    unsigned char *p = kmem_alloc_bytes(100);
    kmem_free_bytes(p, 100);
    sink = p[8];
}

static void beyond_object(void)
{
    unsigned char *p = kmem_alloc_bytes(100);
    memset(p, 1, opaque(101));
}

static void free_frame(void)
{
    struct page *page = page_alloc(PAGE_KERNEL, 0, 0);
    unsigned char *p = page_to_ptr(page);
    page_free(page);
    p[opaque(64)] = 1;
}

static void beyond_array(void)
{
    unsigned char array[40];
    unsigned char *volatile p = array;
    p[opaque(0)] = 1;
    sink = p[opaque(40)];
}

static void out_of_scope(void)
{
    unsigned char *volatile p;
    {
        unsigned char inner[40];
        p = inner;
        p[opaque(0)] = 1;
    }
    sink = p[opaque(0)];
}

static void beyond_user_copy(void)
{
    unsigned char *p = kmem_alloc_bytes(100);
    (void)copy_from_user(p, USER_BEG, opaque(101));
}

static void beyond_global(void)
{
    unsigned char *volatile p = table;
    sink = p[opaque(40)];
}

void provoke_memory(void)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } all[] = {
        {"undefined", undefined},
        {"shift", undefined_shift},
        {"index", undefined_index},
        {"smash", smash},
        {"overflow", overflow},
        {"nearly-overflow", nearly_overflow},
        {"use-after-free", use_after_free},
        {"beyond-object", beyond_object},
        {"free-frame", free_frame},
        {"user-copy", beyond_user_copy},
        {"beyond-array", beyond_array},
        {"out-of-scope", out_of_scope},
        {"beyond-global", beyond_global},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (cmdline_has("provoke", all[i].name))
            all[i].fn();
}
