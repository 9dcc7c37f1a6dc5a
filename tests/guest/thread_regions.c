/* Regions and the threads of one process: R9 and R10 (a waiter whose region goes, a thread id that
 * comes again), A1 (the first touch), A2 (a name that changes during the call), A6 (a mapping taken
 * away under a thread that uses it). */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE       4096ul
#define HIGHEST_ID 32768 /* of processes and threads; then they start again */

static void *lock_and_go(void *tid)
{
    CHECK_ERR(lockRegion("tid"), ERR_OK);
    *(long *)tid = syscall(SYS_gettid);
    return NULL;
}

/* 1 when this thread has the id; then it must own nothing. */
static void *try_as(void *tid)
{
    if (syscall(SYS_gettid) != *(long *)tid)
        return NULL;
    CHECK_ERR(unlockRegion("tid"), ERR_INVAL);
    CHECK_ERR(lockRegion("tid"), ERR_OWNERDEAD);
    CHECK_ERR(unlockRegion("tid"), ERR_OK);
    return (void *)1;
}

/* Uses up all ids that are not taken: the next one is low again. */
static void ids_use_up(void)
{
    pid_t given;

    do {
        given = vfork();
        if (given == 0)
            _exit(0);
        CHECK(given > 0, "vfork: %s", strerror(errno));
        CHECK_EQ(waitpid(given, NULL, 0), given);
    } while (given != HIGHEST_ID);
}

/* R10: the holder has ended; a thread that gets its id is not the owner. */
static void case_reused_thread_id(void)
{
    bool again = false;
    long tid = 0;

    region_new("tid", PAGE);
    thread_end(thread_new(lock_and_go, &tid));
    ids_use_up();
    for (unsigned i = 0; i < 64 && !again; i++)
        again = thread_end(thread_new(try_as, &tid)) != NULL;
    CHECK(again, "id %ld did not come again", tid);
}

#define HELD 150u /* its end takes several pieces */

static const char *held_name(char text[16], unsigned i)
{
    snprintf(text, 16, "held%u", i);
    return text;
}

static void *lock_many(void *arg)
{
    char name[16];

    (void)arg;
    for (unsigned i = 0; i < HELD; i++)
        CHECK_ERR(lockRegion(held_name(name, i)), ERR_OK);
    return NULL;
}

/* R10: whatever a thread holds is free when it has ended. */
static void case_ends_with_many_locks(void)
{
    void *beg[HELD];
    char name[16];

    for (unsigned i = 0; i < HELD; i++)
        beg[i] = region_new(held_name(name, i), PAGE);
    thread_end(thread_new(lock_many, NULL));
    for (unsigned i = 0; i < HELD; i++) {
        CHECK_ERR(tryLockRegion(held_name(name, i)), ERR_OWNERDEAD);
        CHECK_ERR(unlockRegion(name), ERR_OK);
        region_unmap(name, beg[i]);
        CHECK_ERR(destroySharedRegion(name), ERR_OK);
    }
}

static void *wait_until_gone(void *name)
{
    CHECK_ERR(lockRegion(name), ERR_NOTEXIST);
    return NULL;
}

static pthread_t waiter_new(char *name)
{
    pthread_t t = thread_new(wait_until_gone, name);

    WAIT_WAITERS(name, 1);
    return t;
}

/* R9: another thread of the waiter's process takes the last mapping away. */
static void waiter_unmapped(bool by_munmap)
{
    char *p = region_new("wait", 2 * PAGE);
    pthread_t t;

    CHECK_ERR(lockRegion("wait"), ERR_OK);
    t = waiter_new("wait");
    if (by_munmap)
        CHECK_OK(munmap(p, 2 * PAGE));
    else
        region_unmap("wait", p);
    thread_end(t);
    CHECK_ERR(unlockRegion("wait"), ERR_NOTEXIST);
    CHECK_EQ(region_look("wait").waiters, 0);
    p = region_map("wait");
    CHECK_ERR(lockRegion("wait"), ERR_OWNERDEAD); /* R10: the holder unmapped */
    CHECK_ERR(unlockRegion("wait"), ERR_OK);
}

static void case_unmapped_under_a_waiter(void)
{
    waiter_unmapped(false);
}

static void case_munmapped_under_a_waiter(void)
{
    waiter_unmapped(true);
}

static void hold_for_ever(void *gate)
{
    CHECK_ERR(lockRegion("wait"), ERR_OK);
    gate_open(gate, 1);
    for (;;)
        pause();
}

/* The same, when the holder is another process, whose lock stays as it was. */
static void case_unmapped_beside_a_holder(void)
{
    struct gate g = gate_make();
    void *p = region_new("wait", PAGE);
    pid_t holder = child_start(hold_for_ever, &g);
    pthread_t t;

    gate_pass(&g);
    t = waiter_new("wait");
    region_unmap("wait", p);
    thread_end(t);
    region_map("wait");
    CHECK_ERR(tryLockRegion("wait"), ERR_BUSY);
    child_kill(holder);
    CHECK_ERR(tryLockRegion("wait"), ERR_OWNERDEAD);
}

static void unmap_and_destroy(void *beg)
{
    region_unmap("wait", beg);
    CHECK_ERR(destroySharedRegion("wait"), ERR_OK);
}

/* R5, R9: a destroyer waits for the mappers, and the lock's waiters go on waiting; the thread that
 * unmaps ends it all: the waiters are told, none gets the lock, and the region is destroyed. */
static void case_destroyed_under_waiters(void)
{
    void *p = region_new("wait", PAGE);
    pthread_t t[3];
    pid_t destroyer;

    CHECK_ERR(lockRegion("wait"), ERR_OK);
    for (unsigned i = 0; i < 3; i++) {
        t[i] = thread_new(wait_until_gone, "wait");
        WAIT_WAITERS("wait", i + 1);
    }
    destroyer = child_start(unmap_and_destroy, p);
    region_wait_closed("wait");
    CHECK_EQ(region_look("wait").waiters, 3);
    region_unmap("wait", p);
    for (unsigned i = 0; i < 3; i++)
        thread_end(t[i]);
    CHILD_EXITS(destroyer, 0);
    CHECK_ERR(unlockRegion("wait"), ERR_NOTEXIST);
    region_must_be_gone("wait", "R5");
}

/* R9, R6: the name is taken away, though the memory stays while it is mapped, and the holder can
 * still unlock it by the name that it was made with. */
static void case_unlinked_under_a_waiter(void)
{
    volatile char *p = region_new("wait", PAGE);
    pthread_t t;

    *p = 5;
    CHECK_ERR(lockRegion("wait"), ERR_OK);
    t = waiter_new("wait");
    CHECK_ERR(destroySharedRegionWith("wait", RS_UNLINK, NULL), ERR_OK);
    thread_end(t);
    CHECK_ERR(unlockRegion("wait"), ERR_OK);
    CHECK_ERR(unlockRegion("wait"), ERR_NOTEXIST);
    CHECK_EQ(*p, 5);
    CHECK_OK(munmap((void *)p, PAGE));
    region_must_be_gone("wait", "R6");
}

#define TOUCH_PAGES 64u

static pthread_barrier_t together;

static void *touch_each(void *arg)
{
    volatile unsigned *p = arg;

    for (unsigned i = 0; i < TOUCH_PAGES; i++) {
        pthread_barrier_wait(&together);
        __atomic_fetch_add(&p[i * PAGE / sizeof(*p)], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* A1: filled once, so that no increment is lost; a page is counted once (A10). */
static void case_same_absent_page(void)
{
    for (unsigned round = 0; round < 8; round++) {
        unsigned *p = region_new("fill", TOUCH_PAGES * PAGE);
        pthread_t t;

        pthread_barrier_init(&together, NULL, 2);
        t = thread_new(touch_each, p);
        touch_each(p);
        thread_end(t);
        for (unsigned i = 0; i < TOUCH_PAGES; i++)
            CHECK_EQ(p[i * PAGE / sizeof(*p)], 2);
        CHECK_EQ(region_look("fill").resident_pages, TOUCH_PAGES);
        region_unmap("fill", p);
        CHECK_ERR(destroySharedRegion("fill"), ERR_OK);
    }
}

static char changing[] = "abc";
static volatile bool changing_ends;

/* "abc" and "a", by the one byte that ends the name. */
static void *name_change(void *arg)
{
    volatile char *at = &changing[1];

    for (unsigned i = 0; !changing_ends; i++)
        *at = i % 2 ? '\0' : 'b';
    return arg;
}

/* A2, R1: the name is one or the other, never a mixture. */
static void case_name_rewritten_during_the_call(void)
{
    unsigned seen[2] = {0, 0};
    pthread_t t;

    *(char *)region_new("a", PAGE) = 0;
    *(char *)region_new("abc", PAGE) = 1;
    t = thread_new(name_change, NULL);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned char *p = region_map(changing);

        CHECK(*p < 2, "A2: byte %u", *p);
        seen[*p]++;
        CHECK_OK(munmap(p, PAGE));
    }
    changing_ends = true;
    thread_end(t);
    CHECK_EQ(seen[0] + seen[1], 20000);
    CHECK_EQ(region_look("a").mappings, 1);
    CHECK_EQ(region_look("abc").mappings, 1);
}

static volatile char *victim;

static void *loop_on_victim(void *gate)
{
    gate_open(gate, 1);
    for (;;)
        if (*victim == 2)
            _exit(9); /* written after the page was taken away */
    return NULL;
}

static void unmap_under_a_looper(void *by_munmap)
{
    struct gate g = gate_make();
    volatile char *other = region_new("loop", PAGE);

    victim = region_map("loop");
    *victim = 1;
    thread_new(loop_on_victim, &g);
    gate_pass(&g);
    if (by_munmap)
        CHECK_OK(munmap((void *)victim, PAGE));
    else
        region_unmap("loop", (void *)victim);
    *other = 2;
    for (;;)
        pause();
}

/* A6: a CPU that reads a page in a loop faults when another unmaps it, and reads nothing stale. */
static void case_loop_on_an_unmapped_page(void)
{
    for (unsigned long round = 0; round < 30; round++)
        MUST_DIE(unmap_under_a_looper, (void *)(round % 2), SIGSEGV);
}

static sigjmp_buf looper_back;
static _Atomic unsigned epoch;
static volatile unsigned *fixed_at;

static void on_fault(int sig)
{
    (void)sig;
    siglongjmp(looper_back, 1);
}

/* While epoch is n, the page shows n or newer, or nothing. */
static void *loop_on_epochs(void *end)
{
    sigsetjmp(looper_back, 1);
    while (epoch != *(unsigned *)end) {
        unsigned least = epoch, got = *fixed_at;

        CHECK(got >= least, "A6: %u read after %u was mapped there", got, least);
    }
    return NULL;
}

/* A6: two regions take turns at one address. */
static void case_never_reads_stale(void)
{
    const struct sigaction sa = {.sa_handler = on_fault};
    static const char *const names[] = {"even", "odd"};
    unsigned end = 1000;
    volatile unsigned *all[2] = {region_new("even", PAGE), region_new("odd", PAGE)};
    void *room = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t t;

    CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
    CHECK(room != MAP_FAILED, "mmap: %s", strerror(errno));
    fixed_at = room;
    t = thread_new(loop_on_epochs, &end);
    CHECK_OK(munmap(room, PAGE));
    for (unsigned i = 1; i <= end; i++) {
        struct region_map how = {.flags = RM_FIXED, .addr = (uintptr_t)room};
        void *beg;

        *all[i % 2] = i;
        CHECK_ERR(createMappingWith(names[i % 2], &beg, &how), ERR_OK);
        epoch = i;
        region_unmap(names[i % 2], beg);
    }
    thread_end(t);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) { /* as many threads as there are ids: a test of its own */
        RUN(case_reused_thread_id);
        return check_done();
    }
    RUN(case_ends_with_many_locks);
    RUN(case_unmapped_under_a_waiter);
    RUN(case_munmapped_under_a_waiter);
    RUN(case_unmapped_beside_a_holder);
    RUN(case_destroyed_under_waiters);
    RUN(case_unlinked_under_a_waiter);
    RUN(case_same_absent_page);
    RUN(case_name_rewritten_during_the_call);
    RUN(case_loop_on_an_unmapped_page);
    RUN(case_never_reads_stale);
    return check_done();
}
