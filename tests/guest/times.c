/* Clocks and sleeping. */
#include "child.h"

static int64_t now_ns(clockid_t clock)
{
    struct timespec ts;

    CHECK_OK(clock_gettime(clock, &ts));
    CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000, "tv_nsec %ld", ts.tv_nsec);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void case_never_goes_back(void)
{
    int64_t last = now_ns(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < 20000; i++) {
        int64_t now = now_ns(CLOCK_MONOTONIC);

        CHECK(now >= last, "the clock went back by %lld ns", (long long)(last - now));
        last = now;
    }
}

static void ping(void *arg)
{
    struct gate *g = arg;

    for (unsigned i = 0; i < 300; i++) {
        int64_t then, now;

        CHECK_EQ(read(g[0].fd[0], &then, sizeof(then)), sizeof(then));
        now = now_ns(CLOCK_MONOTONIC);
        CHECK(now >= then, "another CPU's clock is %lld ns behind", (long long)(then - now));
        CHECK_EQ(write(g[1].fd[1], &now, sizeof(now)), sizeof(now));
    }
}

static void case_agrees_between_processes(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    pid_t pid = child_start(ping, g);

    for (unsigned i = 0; i < 300; i++) {
        int64_t now = now_ns(CLOCK_MONOTONIC);

        CHECK_EQ(write(g[0].fd[1], &now, sizeof(now)), sizeof(now));
        CHECK_EQ(read(g[1].fd[0], &now, sizeof(now)), sizeof(now));
        CHECK(now <= now_ns(CLOCK_MONOTONIC), "another CPU's clock is ahead");
    }
    CHILD_EXITS(pid, 0);
}

static void case_sleep_takes_its_time(void)
{
    const long ms[] = {0, 1, 5, 20, 60};

    for (unsigned i = 0; i < 5; i++) {
        struct timespec ts = {0, ms[i] * 1000000};
        int64_t start = now_ns(CLOCK_MONOTONIC), took;

        CHECK_OK(nanosleep(&ts, NULL));
        took = now_ns(CLOCK_MONOTONIC) - start;
        CHECK(took >= ms[i] * 1000000, "nanosleep of %ld ms took %lld ns", ms[i], (long long)took);
    }
}

static void sleeper(void *arg)
{
    check_sleep_ms((long)arg);
}

static void case_many_sleepers(void)
{
    long start_ms = check_now_ms(), took_ms;

    for (long i = 0; i < 20; i++)
        child_start(sleeper, (void *)(100 - i));
    while (wait(NULL) > 0)
        ;
    took_ms = check_now_ms() - start_ms;
    CHECK(took_ms >= 100, "20 sleepers of 100 ms at once took %ld ms", took_ms);
}

static void case_refusals(void)
{
    struct timespec ts = {0, 1000000000};

    CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
    ts.tv_nsec = -1;
    CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
    ts = (struct timespec){-1, 0};
    CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
    CHECK_ERRNO(nanosleep((struct timespec *)-4096l, NULL), EFAULT);
    CHECK_ERRNO(clock_gettime(12345, &ts), EINVAL);
    CHECK(now_ns(CLOCK_REALTIME) > 1600000000ll * 1000000000, "the wall clock is not set");
}

static void on_signal(int sig)
{
    (void)sig;
}

static void interrupter(void *arg)
{
    check_sleep_ms(30);
    kill((pid_t)(long)arg, SIGUSR1);
}

static void case_signal_interrupts_sleep(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    struct timespec ts = {5, 0}, left = {0, 0};
    pid_t pid;

    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    pid = child_start(interrupter, (void *)(long)getpid());
    CHECK_ERRNO(nanosleep(&ts, &left), EINTR);
    CHECK(left.tv_sec >= 3 && left.tv_sec < 5, "%lld s are left", (long long)left.tv_sec);
    CHILD_EXITS(pid, 0);
}

int main(void)
{
    RUN(case_never_goes_back);
    RUN(case_agrees_between_processes);
    RUN(case_sleep_takes_its_time);
    RUN(case_many_sleepers);
    RUN(case_refusals);
    RUN(case_signal_interrupts_sleep);
    return check_done();
}
