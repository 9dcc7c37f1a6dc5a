/* Zones (Z1, Z2): a consumer waits for zone 7 until the producer makes it, and reads what it is
 * given; it cannot write there. */
#include <sched.h>
#include <string.h>

#include <shoal/zone.h>

#include "program.h"

#define ZONE       7
#define ZONE_PAGES 4
#define ITEMS      1000

struct feed {
    unsigned sent;
    unsigned items[ITEMS];
};

static void consumer(void)
{
    const struct feed *feed = shmem(ZONE, M_WAIT | M_RDONLY, 0);
    unsigned sum = 0;

    MUST(feed != (void *)-1 && (unsigned long)feed >= SHMBASE);
    for (unsigned i = 0; i < ITEMS; i++) {
        while (__atomic_load_n(&feed->sent, __ATOMIC_ACQUIRE) <= i)
            sched_yield();
        sum += feed->items[i];
    }
    printf("consumer: %d items, sum %u, at %p\n", ITEMS, sum, (const void *)feed);
    MUST(sum == ITEMS * (ITEMS + 1) / 2);
    exit(0);
}

int main(void)
{
    pid_t pids[2];
    struct feed *feed;

    for (int i = 0; i < 2; i++)
        if ((pids[i] = program_fork()) == 0)
            consumer();
    MUST(shmem(ZONE, 0, 0) == (void *)-1);
    feed = shmem(ZONE, M_CREATE, ZONE_PAGES);
    MUST(feed != (void *)-1);
    MUST(shmem(ZONE, M_CREATE, ZONE_PAGES) == (void *)-1);
    for (unsigned i = 0; i < ITEMS; i++) {
        feed->items[i] = i + 1;
        __atomic_store_n(&feed->sent, i + 1, __ATOMIC_RELEASE);
    }
    printf("producer: sent %d items\n", ITEMS);
    program_wait(pids[0]);
    program_wait(pids[1]);
    return 0;
}
