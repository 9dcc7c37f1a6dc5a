/* The CPU time of a thread never goes back, however often others take its CPU. */
#define _GNU_SOURCE
#include "child.h"

#define CHILDREN 6

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec ts;

    CHECK_OK(clock_gettime(clock, &ts));
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void watch(void *arg)
{
    (void)arg;
    long end_ms = check_now_ms() + 1500;
    uint64_t thread_ns = 0, process_ns = 0;

    while (check_now_ms() < end_ms) {
        for (int i = 0; i < 100; i++) {
            uint64_t t = cpu_ns(CLOCK_THREAD_CPUTIME_ID), p = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);

            CHECK(t >= thread_ns, "the thread's time goes back by %lu ns",
                  (unsigned long)(thread_ns - t));
            CHECK(p >= process_ns, "the process's time goes back by %lu ns",
                  (unsigned long)(process_ns - p));
            thread_ns = t;
            process_ns = p;
        }
    }
}

static void case_never_back(void)
{
    pid_t pids[CHILDREN];

    for (int i = 0; i < CHILDREN; i++)
        pids[i] = child_start(watch, NULL);
    for (int i = 0; i < CHILDREN; i++)
        CHILD_EXITS(pids[i], 0);
}

int main(void)
{
    RUN(case_never_back);
    return check_done();
}
