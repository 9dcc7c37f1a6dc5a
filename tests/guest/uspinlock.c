/* U1: a lock that is one word in a page of a region.  Processes, threads, and both at once count
 * under it, in two steps with a pause between: exact. */
#include <sched.h>

#include <shoal/uspinlock.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE  4096ul
#define TURNS 2000u
#define CROWD 4u

struct counted {
    struct uspinlock lock;
    volatile unsigned long count;
    struct uspinlock other_lock;
    volatile unsigned long other_count;
};

static void *add(void *arg)
{
    struct counted *c = arg;

    for (unsigned i = 0; i < TURNS; i++) {
        unsigned long was;

        uacquire(&c->lock);
        was = c->count;
        if (i % 64 == 0)
            sched_yield(); /* whoever comes now must wait */
        c->count = was + 1;
        urelease(&c->lock);
    }
    return NULL;
}

static void add_in_a_process(void *arg)
{
    add(arg);
}

/* Maps the region itself, so that the word is at another address. */
static void add_through_own_mapping(void *arg)
{
    (void)arg;
    add(region_map("spin"));
}

static void add_in_threads(void *arg)
{
    pthread_t t[CROWD];

    for (unsigned i = 0; i < CROWD; i++)
        t[i] = thread_new(add, arg);
    for (unsigned i = 0; i < CROWD; i++)
        thread_end(t[i]);
}

static void must_count(struct counted *c, unsigned long adders)
{
    CHECK(c->count == adders * TURNS, "U1: the count is %lu, must be %lu", c->count,
          adders * TURNS);
    CHECK_EQ(c->lock.locked, 0);
}

static void case_processes(void)
{
    struct counted *c = region_new("spin", PAGE);
    pid_t pids[CROWD];

    for (unsigned i = 0; i < CROWD; i++)
        pids[i] = child_start(i % 2 ? add_in_a_process : add_through_own_mapping, c);
    for (unsigned i = 0; i < CROWD; i++)
        CHILD_EXITS(pids[i], 0);
    must_count(c, CROWD);
}

static void case_threads(void)
{
    struct counted *c = region_new("spin", PAGE);

    add_in_threads(c);
    must_count(c, CROWD);
}

static void case_threads_of_two_processes(void)
{
    struct counted *c = region_new("spin", PAGE);
    pid_t pid = child_start(add_in_threads, c);

    add_in_threads(c);
    CHILD_EXITS(pid, 0);
    must_count(c, 2 * CROWD);
}

static void *add_to_the_other(void *arg)
{
    struct counted *c = arg;

    for (unsigned i = 0; i < TURNS; i++) {
        uacquire(&c->other_lock);
        c->other_count++;
        urelease(&c->other_lock);
    }
    return NULL;
}

/* One taken word does not stop who takes another. */
static void case_two_locks(void)
{
    struct counted *c = region_new("spin", PAGE);

    uacquire(&c->lock);
    CHECK_EQ(c->lock.locked, 1);
    thread_end(thread_new(add_to_the_other, c));
    CHECK_EQ(c->other_count, TURNS);
    CHECK_EQ(c->lock.locked, 1);
    urelease(&c->lock);
}

int main(void)
{
    RUN(case_processes);
    RUN(case_threads);
    RUN(case_threads_of_two_processes);
    RUN(case_two_locks);
    return check_done();
}
