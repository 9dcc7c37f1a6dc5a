/* U2: a sleeper that was moved to a word which is no more keeps no other word's wake-up. */
#define _GNU_SOURCE

#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "futex.h"
#include "threads.h"

#define PAGE 4096ul

static volatile unsigned *common; /* shared with every child */
static volatile unsigned own;     /* the same address in each, but another word */

static long futex(volatile void *addr, int op, unsigned value, long value2, volatile void *addr2)
{
    return syscall(SYS_futex, addr, op, value, value2, addr2, 0);
}

static volatile unsigned *new_word(void)
{
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

static void sleep_on_common(void *arg)
{
    (void)arg;
    futex(common, FUTEX_WAIT, 0, 0, NULL);
}

/* Moves the sleeper to a word of this process, which ends with it. */
static void move_to_own(void *arg)
{
    volatile unsigned *to = arg ? new_word() : &own;

    WAIT_UNTIL(futex(common, FUTEX_CMP_REQUEUE, 0, 1, to) == 1, "U2: nobody sleeps");
}

static void *wait_here(void *arg)
{
    futex(arg, FUTEX_WAIT, 0, 0, NULL);
    return NULL;
}

/* One thread waits, the other wakes one: that one, and not a stranger. */
static void wake_a_thread(void *arg)
{
    volatile unsigned *word = arg ? new_word() : &own;
    pthread_t t = thread_new(wait_here, (void *)word);
    long end_ms = check_now_ms() + 300;
    long woken = 0;

    check_sleep_ms(50);
    while (!woken && check_now_ms() < end_ms)
        woken = futex(word, FUTEX_WAKE, 1, 0, NULL);
    CHECK_EQ(woken, 1);
    thread_end(t);
}

static void steal(void *shared)
{
    common = new_word();
    for (unsigned round = 0; round < 8; round++) {
        pid_t sleeper = child_start(sleep_on_common, NULL);

        MUST_EXIT(move_to_own, shared, 0);
        MUST_EXIT(wake_a_thread, shared, 0);
        child_kill(sleeper);
    }
}

static void case_private_word(void)
{
    steal(NULL);
}

static void case_shared_word(void)
{
    steal("shared");
}

int main(void)
{
    RUN(case_private_word);
    RUN(case_shared_word);
    return check_done();
}
