/* U2: futex(2) itself, private and in a named region, and robust lists. */
#define _GNU_SOURCE

#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "futex.h"
#include "regions.h"
#include "threads.h"

#define PAGE 4096ul
#define ANY  0xffffffffu

static long futex(volatile void *addr, int op, unsigned value, const void *timeout_or_value2,
                  volatile void *addr2, unsigned value3)
{
    return syscall(SYS_futex, addr, op, value, timeout_or_value2, addr2, value3);
}

static long wait_on(volatile unsigned *addr, unsigned value)
{
    return futex(addr, FUTEX_WAIT, value, NULL, NULL, 0);
}

static long wake(volatile unsigned *addr, unsigned n)
{
    return futex(addr, FUTEX_WAKE, n, NULL, NULL, 0);
}

/* Moves sleepers from one word to another until n have come: how the tests know that they sleep. */
static void gather(volatile unsigned *from, volatile unsigned *to, long n)
{
    long end_ms = check_now_ms() + CHECK_LIMIT_MS / 3;

    for (long got = 0; got < n;) {
        long moved = futex(from, FUTEX_CMP_REQUEUE, 0, (void *)1000l, to, *from);

        CHECK(moved >= 0, "U2: FUTEX_CMP_REQUEUE: %s", strerror(errno));
        got += moved;
        CHECK(got <= n && check_now_ms() < end_ms, "U2: %ld of %ld sleepers", got, n);
        if (got < n)
            check_sleep_ms(0);
    }
}

/* Waiters in other processes, on words of one region, which each maps where it comes to lie. */
struct shared {
    unsigned door, room, annex; /* they fall asleep at the door */
    unsigned order;
    unsigned came[8]; /* by waiter: 1 + the order in which it came back */
};

struct waiter {
    unsigned number, bitset;
};

static void region_waiter(void *arg)
{
    const struct waiter *w = arg;
    struct shared *s;

    region_map("elsewhere"); /* so that it lies elsewhere than in the parent */
    s = region_map("words");
    CHECK_EQ(futex(&s->door, FUTEX_WAIT_BITSET, 0, NULL, NULL, w->bitset), 0);
    s->came[w->number] = 1 + __atomic_fetch_add(&s->order, 1, __ATOMIC_SEQ_CST);
}

static struct shared *words_new(void)
{
    CHECK_ERR(createSharedRegion("elsewhere", 3 * PAGE, RS_DEFAULT), ERR_OK);
    return region_new("words", PAGE);
}

/* n waiters, asleep in the room, in the order of their numbers. */
static void waiters_start(struct shared *s, pid_t *pids, unsigned n, const unsigned *bitsets)
{
    for (unsigned i = 0; i < n; i++) {
        struct waiter w = {i, bitsets ? bitsets[i] : ANY};

        pids[i] = child_start(region_waiter, &w);
        gather(&s->door, &s->room, 1);
    }
}

static void case_wake_across_processes(void)
{
    struct shared *s = words_new();
    pid_t pids[4];

    waiters_start(s, pids, 4, NULL);
    CHECK_EQ(wake(&s->door, 100), 0); /* U2: another word of the same page */
    CHECK_EQ(wake(&s->room, 1), 1);
    CHILD_EXITS(pids[0], 0);
    CHECK_EQ(s->came[0], 1);
    CHECK_EQ(wake(&s->room, 0), 0);
    CHECK_EQ(wake(&s->room, 100), 3);
    for (unsigned i = 1; i < 4; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_EQ(wake(&s->room, 100), 0);
}

static void case_bitset(void)
{
    static const unsigned bitsets[4] = {1, 2, 4, 6};
    struct shared *s = words_new();
    pid_t pids[4];

    waiters_start(s, pids, 4, bitsets);
    CHECK_EQ(futex(&s->room, FUTEX_WAKE_BITSET, 100, NULL, NULL, 8), 0);
    CHECK_EQ(futex(&s->room, FUTEX_WAKE_BITSET, 1, NULL, NULL, 4), 1);
    CHILD_EXITS(pids[2], 0);
    CHECK_EQ(futex(&s->room, FUTEX_WAKE_BITSET, 100, NULL, NULL, 6), 2);
    CHILD_EXITS(pids[1], 0);
    CHILD_EXITS(pids[3], 0);
    CHECK_EQ(futex(&s->room, FUTEX_WAKE_BITSET, 100, NULL, NULL, ANY), 1);
    CHILD_EXITS(pids[0], 0);
    CHECK_ERRNO(futex(&s->room, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(&s->room, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
}

static void case_requeue(void)
{
    struct shared *s = words_new();
    pid_t pids[5];

    waiters_start(s, pids, 5, NULL);
    s->room = 7;
    CHECK_ERRNO(futex(&s->room, FUTEX_CMP_REQUEUE, 1, (void *)2l, &s->annex, 8), EAGAIN);
    CHECK_EQ(futex(&s->room, FUTEX_CMP_REQUEUE, 1, (void *)2l, &s->annex, 7), 3);
    CHILD_EXITS(pids[0], 0);
    CHECK_EQ(wake(&s->annex, 100), 2);
    CHILD_EXITS(pids[1], 0);
    CHILD_EXITS(pids[2], 0);
    CHECK(futex(&s->room, FUTEX_REQUEUE, 0, (void *)1l, &s->annex, 0) >= 0, "U2: FUTEX_REQUEUE");
    CHECK_EQ(wake(&s->room, 100), 1);
    CHECK_EQ(wake(&s->annex, 100), 1);
    CHILD_EXITS(pids[3], 0);
    CHILD_EXITS(pids[4], 0);
}

static void case_wake_op(void)
{
    struct shared *s = words_new();
    pid_t pids[3];

    waiters_start(s, pids, 3, NULL);
    gather(&s->room, &s->annex, 3);
    s->door = 5;
    /* annex += 3 of old 0; wakes of the annex only when old > 0 */
    CHECK_EQ(futex(&s->door, FUTEX_WAKE_OP, 1, (void *)1l, &s->annex,
                   FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 0)),
             0);
    CHECK_EQ(s->annex, 3);
    CHECK_EQ(futex(&s->door, FUTEX_WAKE_OP, 1, (void *)1l, &s->annex,
                   FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 3)),
             1);
    CHECK_EQ(s->annex, 9);
    CHILD_EXITS(pids[0], 0);
    /* both words the same */
    CHECK_EQ(futex(&s->annex, FUTEX_WAKE_OP, 1, (void *)100l, &s->annex,
                   FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_NE, 0)),
             2);
    CHECK_EQ(s->annex, 8);
    CHECK_EQ(futex(&s->door, FUTEX_WAKE_OP, 0, NULL, &s->annex,
                   FUTEX_OP(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 1, FUTEX_OP_CMP_LT, 0)),
             0);
    CHECK_EQ(s->annex, 8 | 2);
    CHECK_EQ(futex(&s->door, FUTEX_WAKE_OP, 0, NULL, &s->annex,
                   FUTEX_OP(FUTEX_OP_XOR, 3, FUTEX_OP_CMP_GE, 0)),
             0);
    CHECK_EQ(s->annex, (8 | 2) ^ 3);
    CHILD_EXITS(pids[1], 0);
    CHILD_EXITS(pids[2], 0);
}

/* The same address in two processes is two words when the memory is private. */
static volatile unsigned private_word, private_room;

static void private_waiter(void *arg)
{
    struct timespec ts = {0, 20000000};

    gate_open(arg, 1);
    CHECK_ERRNO(futex(&private_word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0), ETIMEDOUT);
}

static void *private_thread(void *arg)
{
    (void)arg;
    return (void *)futex(&private_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void case_private(void)
{
    struct gate g = gate_make();
    pid_t pid = child_start(private_waiter, &g);
    pthread_t t[2];
    int status;

    gate_pass(&g);
    while (check_wait(pid, &status, 1) < 0)
        CHECK_EQ(futex(&private_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    CHECK_EQ(status, 0);
    for (unsigned i = 0; i < 2; i++) {
        t[i] = thread_new(private_thread, NULL);
        gather(&private_word, &private_room, 1);
    }
    CHECK_EQ(futex(&private_room, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 2);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(thread_end(t[i]), 0);
}

static void case_answers_at_once(void)
{
    static unsigned word = 5;
    struct timespec none = {0, 0}, negative = {-1, 0}, bad = {0, 1000000000}, past = {1, 0};

    CHECK_ERRNO(wait_on(&word, 4), EAGAIN);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, &negative, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, &none, NULL, 0), ETIMEDOUT);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, (void *)8, NULL, 0), EFAULT);
    CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &past, NULL, ANY),
                ETIMEDOUT);
    CHECK_EQ(wake(&word, 1), 0);
    CHECK_ERRNO(wait_on((unsigned *)((char *)&word + 1), 5), EINVAL);
    CHECK_ERRNO(wake((unsigned *)((char *)&word + 2), 1), EINVAL);
    CHECK_ERRNO(wait_on((unsigned *)8, 5), EFAULT);
    CHECK_ERRNO(wait_on((unsigned *)0xffffffff80000000ul, 5), EFAULT);
    CHECK_ERRNO(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
}

/* Memory that was never touched is 0; memory that may only be read can be waited on. */
static void case_untouched(void)
{
    struct timespec soon = {0, 1000000};
    char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED && q != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_ERRNO(futex(p, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT);
    CHECK_ERRNO(futex(p, FUTEX_WAIT, 1, &soon, NULL, 0), EAGAIN);
    CHECK_EQ(wake((unsigned *)(p + PAGE), 1), 0);
    CHECK_ERRNO(futex(q, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT);
    CHECK_ERRNO(futex(q, FUTEX_WAKE_OP, 1, NULL, p, FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)),
                EFAULT);
    CHECK_OK(mprotect(q, PAGE, PROT_NONE));
    CHECK_ERRNO(futex(q, FUTEX_WAIT, 0, &soon, NULL, 0), EFAULT);
}

static void on_usr1(int sig)
{
    (void)sig;
}

static void interrupted(void *arg)
{
    struct sigaction sa = {.sa_handler = on_usr1};
    struct shared *s = arg;
    struct timespec ts = {20, 0};

    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    CHECK_ERRNO(futex(&s->door, FUTEX_WAIT, 0, &ts, NULL, 0), EINTR);
}

static void case_interrupted(void)
{
    struct shared *s = words_new();
    pid_t pid = child_start(interrupted, s);

    gather(&s->door, &s->room, 1);
    CHECK_OK(kill(pid, SIGUSR1));
    CHILD_EXITS(pid, 0);
    CHECK_EQ(wake(&s->room, 1), 0);
}

/* A killed sleeper is asleep no more, in whatever word. */
static void case_killed(void)
{
    struct shared *s = words_new();
    pid_t pids[3];

    waiters_start(s, pids, 3, NULL);
    gather(&s->room, &s->annex, 3);
    child_kill(pids[1]);
    CHECK_EQ(wake(&s->annex, 100), 2);
    CHILD_EXITS(pids[0], 0);
    CHILD_EXITS(pids[2], 0);
}

int main(void)
{
    RUN(case_wake_across_processes);
    RUN(case_bitset);
    RUN(case_requeue);
    RUN(case_wake_op);
    RUN(case_private);
    RUN(case_answers_at_once);
    RUN(case_untouched);
    RUN(case_interrupted);
    RUN(case_killed);
    return check_done();
}
