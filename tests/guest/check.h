/* Checks for guest tests.
 *
 * A test is one static program: exit status 0 is success.  Its cases run one after the other, each
 * in a process of its own with a time limit, so that what a case leaves behind goes with it and one
 * failure does not hide the next:
 *
 *     static void case_names_are_exact(void) { CHECK_ERR(createMapping("a", &p), ERR_NOTEXIST); }
 *     int main(void) { RUN(case_names_are_exact); return check_done(); }
 *
 * A failed check prints file, line and both values, and ends its process with status 1. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <shoal/region.h>

#define CHECK_UNUSED __attribute__((unused))

/* Longest time one case may take, and any wait in it. */
#define CHECK_LIMIT_MS 100000

static unsigned check_failures;

CHECK_UNUSED __attribute__((format(printf, 3, 4))) static _Noreturn void
check_fail(const char *file, int line, const char *fmt, ...)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "FAIL %s:%d: ", file, line);
    va_list ap;

    va_start(ap, fmt);
    n += vsnprintf(text + n, sizeof(text) - (size_t)n - 1, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof(text) - 2)
        n = (int)sizeof(text) - 2;
    text[n++] = '\n';
    /* One write, so that lines of several processes do not mix; no stdio, so that no buffer is
     * flushed twice. */
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
    _exit(1);
}

/* CHECK(condition, "what must hold, %d", ...) */
#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            char check_text[256];                                                                  \
            snprintf(check_text, sizeof(check_text), __VA_ARGS__);                                 \
            check_fail(__FILE__, __LINE__, "%s: %s", #cond, check_text);                           \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        long long check_a = (long long)(a), check_b = (long long)(b);                              \
        if (check_a != check_b)                                                                    \
            check_fail(__FILE__, __LINE__, "%s is %lld (0x%llx), must be %s, %lld (0x%llx)", #a,   \
                       check_a, (unsigned long long)check_a, #b, check_b,                          \
                       (unsigned long long)check_b);                                               \
    } while (0)

/* A region call and the err_t it must answer. */
#define CHECK_ERR(call, err)                                                                       \
    do {                                                                                           \
        err_t check_got = (call), check_want = (err);                                              \
        if (check_got != check_want)                                                               \
            check_fail(__FILE__, __LINE__, "%s = %s (%d), must be %s", #call,                      \
                       shoal_errname(check_got), check_got, shoal_errname(check_want));            \
    } while (0)

/* A C library call that must succeed (not -1), or fail with this errno. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        if ((long)(call) == -1)                                                                    \
            check_fail(__FILE__, __LINE__, "%s: %s", #call, strerror(errno));                      \
    } while (0)

#define CHECK_ERRNO(call, err)                                                                     \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long check_r = (long)(call);                                                               \
        if (check_r != -1 || errno != (err))                                                       \
            check_fail(__FILE__, __LINE__, "%s = %ld, errno %d (%s), must fail with %s", #call,    \
                       check_r, errno, strerror(errno), #err);                                     \
    } while (0)

CHECK_UNUSED static long check_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000L + ts.tv_nsec / 1000000L;
}

CHECK_UNUSED static void check_sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

/* waitpid with a limit: 0 and the raw status, or -1 when the time is over.  Ends the process when
 * there is no such child. */
CHECK_UNUSED static int check_wait(pid_t pid, int *status, long limit_ms)
{
    long end_ms = check_now_ms() + limit_ms;

    for (unsigned turn = 0;; turn++) {
        pid_t got = waitpid(pid, status, WNOHANG);

        if (got == pid)
            return 0;
        if (got < 0)
            check_fail(__FILE__, __LINE__, "waitpid(%d): %s", (int)pid, strerror(errno));
        if (check_now_ms() > end_ms)
            return -1;
        check_sleep_ms(turn < 20 ? 0 : 1);
    }
}

/* Waits until the condition holds; fails after the limit. */
#define WAIT_UNTIL(cond, ...)                                                                      \
    do {                                                                                           \
        long check_end_ms = check_now_ms() + CHECK_LIMIT_MS / 3;                                   \
        while (!(cond)) {                                                                          \
            CHECK(check_now_ms() < check_end_ms, __VA_ARGS__);                                     \
            check_sleep_ms(1);                                                                     \
        }                                                                                          \
    } while (0)

CHECK_UNUSED static void check_case(const char *name, void (*run)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        run();
        _exit(0);
    }
    if (pid < 0) {
        dprintf(STDERR_FILENO, "FAIL %s: fork: %s\n", name, strerror(errno));
        check_failures++;
        return;
    }
    if (check_wait(pid, &status, CHECK_LIMIT_MS) < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        dprintf(STDERR_FILENO, "FAIL %s: no end within %d ms\n", name, CHECK_LIMIT_MS);
        check_failures++;
    } else if (WIFSIGNALED(status)) {
        dprintf(STDERR_FILENO, "FAIL %s: killed by signal %d (%s)\n", name, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        check_failures++;
    } else if (WEXITSTATUS(status) != 0) {
        dprintf(STDERR_FILENO, "FAIL %s\n", name);
        check_failures++;
    } else {
        dprintf(STDOUT_FILENO, "ok   %s\n", name);
    }
}

#define RUN(fn) check_case(#fn, fn)

/* The test's exit status. */
CHECK_UNUSED static int check_done(void)
{
    return check_failures ? 1 : 0;
}

/* Pseudo-random numbers from a seed (xorshift64*); never 0 as a state. */
struct rng {
    uint64_t state;
};

CHECK_UNUSED static uint64_t rng_next(struct rng *rng)
{
    rng->state ^= rng->state >> 12;
    rng->state ^= rng->state << 25;
    rng->state ^= rng->state >> 27;
    return rng->state * 0x2545f4914f6cdd1dull;
}

/* 0 .. n-1 */
CHECK_UNUSED static unsigned long rng_below(struct rng *rng, unsigned long n)
{
    return (unsigned long)((rng_next(rng) >> 11) % n);
}

/* Seed of a random test: the first argument, or always the same. */
CHECK_UNUSED static struct rng rng_from_args(int argc, char **argv)
{
    struct rng rng = {argc > 1 ? strtoull(argv[1], NULL, 0) : 20240229};

    if (rng.state == 0)
        rng.state = 1;
    return rng;
}
