/* Alarms of a microsecond: they go off no more often than somebody takes their signal, so that no
 * CPU does nothing else.  Where instructions are counted, time is short enough for that to happen.
 */
#include "alarms.h"
#include "child.h"

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
    alarm_set_us(1, 1);
    for (unsigned i = 0; i < 200; i++)
        CHECK(alarm_is_set(), "an alarm with an interval goes on");
    alarm_set_us(0, 0);
}

/* May get no further than its handler, again and again. */
static void handle_for_ever(void *arg)
{
    (void)arg;
    alarms_handle();
    alarm_set_us(1, 1);
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
    alarm_set_us(1000, 1000);
    check_sleep_ms(5);
    alarms_handle();
    alarms_wait(2);
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
