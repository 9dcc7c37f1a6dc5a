/* Alarms of a microsecond: they go off no more often than somebody takes their signal, so that no
 * CPU does nothing else.  Where instructions are counted, time is short enough for that to happen.
 */
#include <sys/time.h>

#include "child.h"

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
    (void)sig;
    alarms++;
}

static void handle_alarms(void)
{
    struct sigaction sa = {.sa_handler = on_alarm};

    CHECK_OK(sigaction(SIGALRM, &sa, NULL));
}

static void set_us(long value_us, long interval_us)
{
    struct itimerval it = {{interval_us / 1000000, interval_us % 1000000},
                           {value_us / 1000000, value_us % 1000000}};

    CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
}

static bool is_set(void)
{
    struct itimerval it;

    CHECK_OK(getitimer(ITIMER_REAL, &it));
    return it.it_value.tv_sec || it.it_value.tv_usec;
}

static void wait_alarms(int n)
{
    WAIT_UNTIL(alarms >= n, "%d alarms, must be %d", (int)alarms, n);
}

/* Does some work under an alarm of a microsecond, which it blocks or ignores. */
static void work_under_alarms(void *ignore)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    if (ignore)
        signal(SIGALRM, SIG_IGN);
    else
        CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    set_us(1, 1);
    for (unsigned i = 0; i < 200; i++)
        CHECK(is_set(), "an alarm with an interval goes on");
    set_us(0, 0);
}

/* May get no further than its handler, again and again. */
static void handle_for_ever(void *arg)
{
    (void)arg;
    handle_alarms();
    set_us(1, 1);
    for (;;)
        ;
}

/* A CPU that does nothing but timers would end no case at all. */
static void case_alarms_of_a_microsecond(void)
{
    pid_t handler = child_start(handle_for_ever, NULL);
    pid_t blocks = child_start(work_under_alarms, NULL);
    pid_t ignores = child_start(work_under_alarms, "");

    CHILD_EXITS(blocks, 0);
    CHILD_EXITS(ignores, 0);
    child_kill(handler);
}

/* An alarm that rests goes on when its signal is taken, or when somebody cares for it again. */
static void case_rests_and_goes_on(void)
{
    sigset_t set, pending;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    signal(SIGALRM, SIG_IGN);
    set_us(1000, 1000);
    check_sleep_ms(5);
    handle_alarms();
    wait_alarms(2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    WAIT_UNTIL(sigpending(&pending) == 0 && sigismember(&pending, SIGALRM), "SIGALRM is pending");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(sigwaitinfo(&set, NULL), SIGALRM);
}

int main(void)
{
    RUN(case_alarms_of_a_microsecond);
    RUN(case_rests_and_goes_on);
    return check_done();
}
