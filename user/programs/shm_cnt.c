/* xv6 pages (X3): two processes open page 1 by its number and count to 20000 together, under a spin
 * lock that lies in the page. */
#include <sched.h>

#include <shoal/uspinlock.h>
#include <shoal/xv6shm.h>

#include "program.h"

#define PAGE_ID    1
#define INCREMENTS 10000

struct shm_cnt {
    struct uspinlock lock;
    volatile int count;
    unsigned
        opened; /* processes that have the page: it is gone when the last of them closes it (X2) */
};

static struct shm_cnt *counter_open(void)
{
    struct shm_cnt *counter;

    MUST(xv6_shm_open(PAGE_ID, (char **)&counter) == 0);
    __atomic_fetch_add(&counter->opened, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&counter->opened, __ATOMIC_SEQ_CST) < 2)
        sched_yield();
    return counter;
}

static void counter_use(struct shm_cnt *counter, const char *who)
{
    for (int i = 0; i < INCREMENTS; i++) {
        uacquire(&counter->lock);
        counter->count++;
        urelease(&counter->lock);
        if (i % 2500 == 0)
            printf("%s sees %d\n", who, counter->count);
    }
}

int main(void)
{
    pid_t pid = program_fork();
    struct shm_cnt *counter = counter_open();

    counter_use(counter, pid ? "parent" : "child");
    if (pid == 0) {
        MUST(xv6_shm_close(PAGE_ID) == 0);
        return 0;
    }
    program_wait(pid);
    printf("the counter is %d, it must be %d\n", counter->count, 2 * INCREMENTS);
    MUST(counter->count == 2 * INCREMENTS);
    MUST(xv6_shm_close(PAGE_ID) == 0 && xv6_shm_close(PAGE_ID) == -1);
    return 0;
}
