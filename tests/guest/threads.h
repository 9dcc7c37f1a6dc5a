/* Threads in a test: start, and demand what they return. */
#pragma once

#include <pthread.h>

#include "check.h"

/* A pthread call answers an error number, not errno. */
#define CHECK_THR(call, err)                                                                       \
    do {                                                                                           \
        int check_got = (call), check_want = (err);                                                \
        if (check_got != check_want)                                                               \
            check_fail(__FILE__, __LINE__, "%s = %d (%s), must be %d", #call, check_got,           \
                       strerror(check_got), check_want);                                           \
    } while (0)

CHECK_UNUSED static pthread_t thread_new(void *(*fn)(void *), void *arg)
{
    pthread_t t;

    CHECK_THR(pthread_create(&t, NULL, fn, arg), 0);
    return t;
}

CHECK_UNUSED static void *thread_end(pthread_t t)
{
    void *result;

    CHECK_THR(pthread_join(t, &result), 0);
    return result;
}

/* An absolute time, ms from now, by the clock that pthread waits use. */
CHECK_UNUSED static struct timespec thread_deadline(clockid_t clock, long ms)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    ts.tv_nsec += ms % 1000 * 1000000L;
    ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000L;
    ts.tv_nsec %= 1000000000L;
    return ts;
}
