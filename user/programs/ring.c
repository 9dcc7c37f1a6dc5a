/* A named region with its lock (R7, R9): several processes pass numbers through one ring.  The
 * workers know nothing but its name, and may start before it exists. */
#include <sched.h>

#include "program.h"

#define NAME    "ring"
#define SLOTS   64
#define WORKERS 3
#define ITEMS   600

struct ring {
    unsigned put, got;
    unsigned taken[WORKERS];
    unsigned long sum;
    unsigned slots[SLOTS];
};

/* Takes one item, under the lock; 0: there is none now, -1: there will be no more. */
static int take(struct ring *ring, int worker)
{
    int result = 0;

    MUST_BE(lockRegion(NAME), ERR_OK);
    if (ring->got < ring->put) {
        ring->sum += ring->slots[ring->got++ % SLOTS];
        ring->taken[worker]++;
        result = 1;
    } else if (ring->got == ITEMS) {
        result = -1;
    }
    MUST_BE(unlockRegion(NAME), ERR_OK);
    return result;
}

static void work(int worker)
{
    struct region_map how = {.flags = RM_WAIT, .timeout_s = 10};
    void *beg;
    int result;

    MUST_BE(createMappingWith(NAME, &beg, &how), ERR_OK);
    while ((result = take(beg, worker)) >= 0)
        if (result == 0)
            sched_yield();
    MUST_BE(destroyMapping(NAME, beg), ERR_OK);
    _exit(0);
}

static void fill(struct ring *ring)
{
    while (ring->put < ITEMS) {
        MUST_BE(lockRegion(NAME), ERR_OK);
        while (ring->put - ring->got < SLOTS && ring->put < ITEMS) {
            ring->slots[ring->put % SLOTS] = ring->put + 1;
            ring->put++;
        }
        MUST_BE(unlockRegion(NAME), ERR_OK);
        sched_yield();
    }
}

int main(void)
{
    pid_t pids[WORKERS];
    struct ring *ring;
    void *beg;

    for (int i = 0; i < WORKERS; i++)
        if ((pids[i] = program_fork()) == 0)
            work(i);
    MUST_BE(createSharedRegion(NAME, sizeof(*ring), RS_DEFAULT), ERR_OK);
    MUST_BE(createMapping(NAME, &beg), ERR_OK);
    ring = beg;
    fill(ring);
    for (int i = 0; i < WORKERS; i++) {
        program_wait(pids[i]);
        printf("worker %d took %u\n", i, ring->taken[i]);
    }
    MUST(ring->got == ITEMS && ring->sum == ITEMS * (ITEMS + 1ul) / 2);
    MUST_BE(destroyMapping(NAME, ring), ERR_OK);
    MUST_BE(destroySharedRegion(NAME), ERR_OK);
    return 0;
}
