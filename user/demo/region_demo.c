/* The region demo: two programs that know nothing of each other but a name share memory.
 * This one, the producer, creates the region, starts the consumer, sends 10,000 messages through a
 * ring in the region, and takes everything down again.  Exits with 0 only when all of it went as it
 * must. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "region_demo.h"

#define ME "producer"

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000L + ts.tv_nsec / 1000000L;
}

static pid_t consumer_start(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        /* The mapping goes with the old program: the consumer has to find the region by its name.
         */
        execl(DEMO_CONSUMER, "region-demo-consumer", (char *)NULL);
        fprintf(stderr, ME ": %s: %s\n", DEMO_CONSUMER, strerror(errno));
        _exit(127);
    }
    if (pid < 0) {
        fprintf(stderr, ME ": fork: %s\n", strerror(errno));
        exit(1);
    }
    return pid;
}

/* Called when there is nothing to do; ends the demo when the consumer has died instead of hanging
 * with it. */
static void consumer_let_run(pid_t consumer)
{
    int status;

    if (waitpid(consumer, &status, WNOHANG) == consumer) {
        fprintf(stderr, ME ": the consumer ended early, status 0x%x\n", (unsigned)status);
        exit(1);
    }
    sched_yield();
}

static void consumer_await_ready(struct demo_ring *ring, pid_t consumer)
{
    for (;;) {
        uint32_t ready;

        demo_lock(ME);
        ready = ring->consumer_ready;
        demo_unlock(ME);
        if (ready)
            return;
        consumer_let_run(consumer);
    }
}

static void table_show(void)
{
    char line[256];
    FILE *f = fopen("/proc/regions", "r");

    if (!f) {
        fprintf(stderr, ME ": /proc/regions: %s\n", strerror(errno));
        exit(1);
    }
    puts(ME ": both have it mapped; the kernel's table of regions:");
    while (fgets(line, sizeof(line), f))
        printf("    %s", line);
    fclose(f);
}

struct totals {
    uint64_t bytes;
    uint32_t sum;
    uint32_t locks;
};

static void message_put(struct demo_ring *ring, struct totals *t)
{
    struct demo_message *m = &ring->slots[ring->sent % DEMO_SLOTS];

    m->number = ++ring->sent;
    m->length_bytes = (uint32_t)snprintf(m->text, sizeof(m->text), "greeting number %u", m->number);
    t->bytes += m->length_bytes;
    t->sum = demo_sum_add(t->sum, m->text, m->length_bytes);
}

static struct totals messages_send(struct demo_ring *ring, pid_t consumer)
{
    struct totals t = {.sum = DEMO_SUM_START};
    uint32_t sent = 0;

    while (sent < DEMO_MESSAGES) {
        uint32_t batch = 0;

        demo_lock(ME);
        t.locks++;
        ring->go = 1;
        while (batch < DEMO_BATCH && ring->sent < DEMO_MESSAGES &&
               ring->sent - ring->received < DEMO_SLOTS) {
            message_put(ring, &t);
            batch++;
        }
        sent = ring->sent;
        demo_unlock(ME);
        if (batch == 0)
            consumer_let_run(consumer);
    }
    return t;
}

static void consumer_await_end(pid_t consumer)
{
    int status;

    if (waitpid(consumer, &status, 0) != consumer) {
        fprintf(stderr, ME ": waitpid: %s\n", strerror(errno));
        exit(1);
    }
    if (status != 0) {
        fprintf(stderr, ME ": the consumer failed, status 0x%x\n", (unsigned)status);
        exit(1);
    }
}

static void totals_compare(const struct demo_ring *ring, const struct totals *t, long elapsed_ms)
{
    printf(ME ": sent %u messages, %llu bytes, checksum %08x, in %ld ms; took the lock %u times\n",
           ring->sent, (unsigned long long)t->bytes, t->sum, elapsed_ms, t->locks);
    if (ring->received != ring->sent || ring->received_bytes != t->bytes ||
        ring->received_sum != t->sum) {
        fputs(ME ": what arrived is NOT what was sent\n", stderr);
        exit(1);
    }
    puts(ME ": every message arrived, once and in order: the checksums match");
}

static void region_end(struct demo_ring *ring)
{
    void *again = NULL;
    err_t err;

    demo_must(ME, "destroyMapping", destroyMapping(DEMO_REGION, ring));
    demo_must(ME, "destroySharedRegion", destroySharedRegion(DEMO_REGION));
    puts(ME ": unmapped and destroyed \"" DEMO_REGION "\"");
    err = createMapping(DEMO_REGION, &again);
    printf(ME ": createMapping(\"" DEMO_REGION "\") now answers %s%s\n", shoal_errname(err),
           err == ERR_NOTEXIST ? ", as it must" : ", which is WRONG");
    if (err != ERR_NOTEXIST)
        exit(1);
}

int main(void)
{
    void *beg = NULL;
    struct totals t;
    pid_t consumer;
    long start_ms;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    puts("Shoal region demo: two programs, one named region, " /* the first sign of life */
         "10000 messages");
    demo_must(ME, "createSharedRegion",
              createSharedRegion(DEMO_REGION, DEMO_REGION_BYTES, RS_DEFAULT));
    demo_must(ME, "createMapping", createMapping(DEMO_REGION, &beg));
    printf(ME ": created \"" DEMO_REGION "\", %u bytes, and mapped it at %p\n", DEMO_REGION_BYTES,
           beg);
    consumer = consumer_start();
    consumer_await_ready(beg, consumer);
    table_show();
    start_ms = now_ms();
    t = messages_send(beg, consumer);
    consumer_await_end(consumer);
    totals_compare(beg, &t, now_ms() - start_ms);
    region_end(beg);
    puts("Shoal region demo: all is well");
    return 0;
}
