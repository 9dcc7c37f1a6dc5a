/* Alarms in a test: SIGALRM counted, the timer of setitimer(2) set, asked and waited for. */
#pragma once

#include <sys/time.h>

#include "check.h"

static volatile sig_atomic_t alarms; /* how many were handled */

static void alarms_count(int sig)
{
    (void)sig;
    alarms++;
}

CHECK_UNUSED static void alarms_handle(void)
{
    struct sigaction sa = {.sa_handler = alarms_count};

    CHECK_OK(sigaction(SIGALRM, &sa, NULL));
}

CHECK_UNUSED static void alarms_wait(int n)
{
    WAIT_UNTIL(alarms >= n, "%d alarms, must be %d", (int)alarms, n);
}

CHECK_UNUSED static void alarm_set_us(long value_us, long interval_us)
{
    struct itimerval it = {{interval_us / 1000000, interval_us % 1000000},
                           {value_us / 1000000, value_us % 1000000}};

    CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
}

CHECK_UNUSED static bool alarm_is_set(void)
{
    struct itimerval it;

    CHECK_OK(getitimer(ITIMER_REAL, &it));
    return it.it_value.tv_sec || it.it_value.tv_usec;
}
