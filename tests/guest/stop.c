/* Stopped processes: what reaches them, what their parent hears, and how a sleep goes on. */
#define _GNU_SOURCE
#include "child.h"

static volatile sig_atomic_t count;

static void on_signal(int sig)
{
    (void)sig;
    count++;
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static void stop(pid_t pid)
{
    int status;

    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status), "status 0x%x", (unsigned)status);
}

static void go_on(pid_t pid)
{
    int status;

    CHECK_OK(kill(pid, SIGCONT));
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status), "status 0x%x", (unsigned)status);
}

/* Any signal but SIGKILL waits until the process goes on. */
static void case_fatal_signal_waits(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);
    int status;

    stop(pid);
    CHECK_OK(kill(pid, SIGTERM));
    check_sleep_ms(50);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_OK(kill(pid, SIGCONT));
    CHILD_DIES(pid, SIGTERM);
}

static void case_kill_does_not_wait(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);

    stop(pid);
    child_kill(pid);
}

static void case_stop_and_go(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);

    for (int i = 0; i < 50; i++) {
        stop(pid);
        go_on(pid);
    }
    child_kill(pid);
}

static void sigchld_of_stops(int flags, int want)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags | SA_RESTART};
    pid_t pid = child_start(wait_for_ever, NULL);

    CHECK_OK(sigaction(SIGCHLD, &sa, NULL));
    count = 0;
    stop(pid);
    go_on(pid);
    check_sleep_ms(1);
    CHECK_EQ(count, want);
    child_kill(pid);
    WAIT_UNTIL(count == want + 1, "no SIGCHLD for the end");
}

static void case_sigchld(void)
{
    sigchld_of_stops(0, 2);
    sigchld_of_stops(SA_NOCLDSTOP, 0);
}

/* The rest is not asked for, so that only the kernel knows how much of it is left. */
static void sleep_300_ms(void *arg)
{
    (void)arg;
    struct timespec ts = {0, 300 * 1000000L};
    long beg_ms = check_now_ms();

    CHECK_OK(nanosleep(&ts, NULL));
    CHECK(check_now_ms() - beg_ms >= 300, "ended after %ld ms", check_now_ms() - beg_ms);
}

/* Were it to begin again after each stop, it would not end here. */
static void case_sleep_goes_on(void)
{
    pid_t pid = child_start(sleep_300_ms, NULL);
    long end_ms = check_now_ms() + CHECK_LIMIT_MS / 6;
    int status;

    do {
        CHECK(check_now_ms() < end_ms, "the sleep does not end");
        check_sleep_ms(50);
        CHECK_OK(kill(pid, SIGSTOP));
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        if (WIFSTOPPED(status))
            CHECK_OK(kill(pid, SIGCONT));
    } while (WIFSTOPPED(status));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", (unsigned)status);
}

int main(void)
{
    RUN(case_fatal_signal_waits);
    RUN(case_kill_does_not_wait);
    RUN(case_stop_and_go);
    RUN(case_sigchld);
    RUN(case_sleep_goes_on);
    return check_done();
}
