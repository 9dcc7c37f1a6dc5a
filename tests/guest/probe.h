/* Is this byte of memory there?  Asked of the CPU, not of the kernel: the access is made and its
 * SIGSEGV caught. */
#pragma once

#include <setjmp.h>

#include "check.h"

static sigjmp_buf probe_back;
static volatile sig_atomic_t probe_signal;

static void probe_handler(int sig)
{
    probe_signal = sig;
    siglongjmp(probe_back, 1);
}

CHECK_UNUSED static void probe_begin(struct sigaction old[2])
{
    struct sigaction sa = {.sa_handler = probe_handler};

    CHECK_OK(sigaction(SIGSEGV, &sa, &old[0]));
    CHECK_OK(sigaction(SIGBUS, &sa, &old[1]));
}

CHECK_UNUSED static void probe_end(const struct sigaction old[2])
{
    sigaction(SIGSEGV, &old[0], NULL);
    sigaction(SIGBUS, &old[1], NULL);
}

/* 0, or the signal that reading one byte gave. */
CHECK_UNUSED static int probe_read(const volatile void *p)
{
    struct sigaction old[2];

    probe_begin(old);
    probe_signal = 0;
    if (sigsetjmp(probe_back, 1) == 0)
        (void)*(const volatile char *)p;
    probe_end(old);
    return probe_signal;
}

/* 0, or the signal that writing one byte gave; the byte keeps its value. */
CHECK_UNUSED static int probe_write(volatile void *p)
{
    struct sigaction old[2];

    probe_begin(old);
    probe_signal = 0;
    if (sigsetjmp(probe_back, 1) == 0)
        __asm__ volatile("lock addb $0, (%0)" : : "r"(p) : "memory", "cc");
    probe_end(old);
    return probe_signal;
}
