/* The other half of the region demo: finds the region by its name and takes every message out of
 * the ring. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "region_demo.h"

#define ME "consumer"

struct totals {
    uint32_t received;
    uint64_t bytes;
    uint32_t sum;
    uint32_t locks;
    char first[48], last[48];
};

static void message_take(struct demo_ring *ring, struct totals *t)
{
    const struct demo_message *m = &ring->slots[ring->received % DEMO_SLOTS];

    if (m->number != ring->received + 1 || m->length_bytes >= sizeof(m->text)) {
        fprintf(stderr, ME ": expected message %u, found %u of %u bytes\n", ring->received + 1,
                m->number, m->length_bytes);
        exit(1);
    }
    t->bytes += m->length_bytes;
    t->sum = demo_sum_add(t->sum, m->text, m->length_bytes);
    memcpy(m->number == 1 ? t->first : t->last, m->text, sizeof(m->text));
    ring->received++;
}

static struct totals messages_receive(struct demo_ring *ring)
{
    struct totals t = {.sum = DEMO_SUM_START};

    while (t.received < DEMO_MESSAGES) {
        uint32_t batch = 0;

        demo_lock(ME);
        t.locks++;
        while (batch < DEMO_BATCH && ring->received < ring->sent) {
            message_take(ring, &t);
            batch++;
        }
        t.received = ring->received;
        demo_unlock(ME);
        if (batch == 0)
            sched_yield();
    }
    return t;
}

static void totals_leave(struct demo_ring *ring, const struct totals *t)
{
    demo_lock(ME);
    ring->received_bytes = t->bytes;
    ring->received_sum = t->sum;
    demo_unlock(ME);
}

/* Says that the region is mapped here, and waits until the producer has shown the table. */
static void producer_await_go(struct demo_ring *ring)
{
    for (;;) {
        uint32_t go;

        demo_lock(ME);
        ring->consumer_ready = 1;
        go = ring->go;
        demo_unlock(ME);
        if (go)
            return;
        sched_yield();
    }
}

int main(void)
{
    void *beg = NULL;
    struct demo_ring *ring;
    struct totals t;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    demo_must(ME, "createMapping", createMapping(DEMO_REGION, &beg));
    ring = beg;
    printf(ME ": found \"" DEMO_REGION "\" by its name and mapped it at %p\n", beg);
    producer_await_go(ring);
    t = messages_receive(ring);
    printf(ME ": first \"%s\", last \"%s\"\n", t.first, t.last);
    printf(ME ": received %u messages, %llu bytes, checksum %08x; took the lock %u times\n",
           t.received, (unsigned long long)t.bytes, t.sum, t.locks);
    totals_leave(ring, &t);
    demo_must(ME, "destroyMapping", destroyMapping(DEMO_REGION, beg));
    puts(ME ": unmapped it");
    return 0;
}
