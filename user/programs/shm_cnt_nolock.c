/* shm_cnt without the lock (X3): increments get lost.  Not every time, for it takes a switch or
 * another CPU between the load and the store; so it tries until it has seen it. */
#include <shoal/xv6shm.h>

#include "program.h"

#define PAGE_ID    2
#define INCREMENTS 10000
#define ROUNDS     100

struct page {
    volatile int count;
    volatile unsigned ready; /* processes that have come so far, in this round */
};

/* The load and the store are some way apart, as in a real update; all of it takes longer than a
 * turn on the CPU. */
static void count_up(struct page *page)
{
    for (int i = 0; i < INCREMENTS; i++) {
        int was = page->count;

        for (volatile int delay = 0; delay < 300; delay++)
            ;
        page->count = was + 1;
    }
}

static int round_run(struct page *page)
{
    pid_t pid;

    page->count = 0;
    page->ready = 0;
    pid = program_fork();
    __atomic_fetch_add(&page->ready, 1, __ATOMIC_SEQ_CST);
    for (long spins = 0; page->ready < 2 && spins < 100000000; spins++)
        if (spins % 100 == 99)
            sleep(0);
    count_up(page);
    if (pid == 0)
        _exit(0);
    program_wait(pid);
    return page->count;
}

int main(void)
{
    struct page *page;

    MUST(xv6_shm_open(PAGE_ID, (char **)&page) == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        int count = round_run(page);

        MUST(count <= 2 * INCREMENTS);
        if (count < 2 * INCREMENTS) {
            printf("round %d: the counter is %d, %d increments are lost\n", round, count,
                   2 * INCREMENTS - count);
            return 0;
        }
    }
    printf("%d rounds, and nothing was lost\n", ROUNDS);
    return 1;
}
