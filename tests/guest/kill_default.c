/* kill, and what each signal does to a process that has not asked for anything else. */
#include <limits.h>

#include "child.h"

static const int ending[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
                             SIGBUS,  SIGFPE,    SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
                             SIGPIPE, SIGALRM,   SIGTERM, SIGXCPU, SIGXFSZ, SIGPROF,
                             SIGSYS,  SIGVTALRM, SIGIO,   SIGPWR,  40};
static const int ignored[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};

static void sleep_long(void *arg)
{
    (void)arg;
    check_sleep_ms(20000);
}

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        __asm__ volatile("pause");
}

static void raise_in_child(void *arg)
{
    kill(getpid(), *(const int *)arg);
    _exit(0);
}

static void case_ending_signals(void)
{
    for (unsigned i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        MUST_DIE(raise_in_child, (void *)&ending[i], ending[i]);
}

static void case_ignored_signals(void)
{
    for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        MUST_EXIT(raise_in_child, (void *)&ignored[i], 0);
}

static void case_sleeper_and_spinner(void)
{
    for (unsigned i = 0; i < 6; i++) {
        pid_t a = child_start(sleep_long, NULL), b = child_start(spin, NULL);

        check_sleep_ms(i);
        CHECK_OK(kill(a, SIGTERM));
        CHECK_OK(kill(b, SIGTERM));
        CHILD_DIES(a, SIGTERM);
        CHILD_DIES(b, SIGTERM);
    }
}

static void ignore_and_raise(void *arg)
{
    (void)arg;
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_IGN);
    for (int sig = 1; sig < 32; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            kill(getpid(), sig);
    _exit(17);
}

static void case_ignored_by_choice(void)
{
    struct sigaction sa = {.sa_handler = SIG_IGN};

    MUST_EXIT(ignore_and_raise, NULL, 17);
    CHECK_ERRNO(sigaction(SIGKILL, &sa, NULL), EINVAL);
    CHECK_ERRNO(sigaction(SIGSTOP, &sa, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &sa, NULL), EINVAL);
}

static void case_refusals(void)
{
    pid_t pid = child_start(sleep_long, NULL);

    CHECK_OK(kill(pid, 0));
    CHECK_ERRNO(kill(pid, 65), EINVAL);
    CHECK_ERRNO(kill(pid, -1), EINVAL);
    CHECK_ERRNO(kill(99999999, SIGTERM), ESRCH);
    CHECK_ERRNO(kill(INT_MIN, SIGTERM), ESRCH);
    child_kill(pid);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
}

/* A fault whose signal is ignored or blocked ends the process all the same. */
static void fault_while_ignored(void *arg)
{
    sigset_t set;

    if (arg) {
        signal(SIGSEGV, SIG_IGN);
    } else {
        sigemptyset(&set);
        sigaddset(&set, SIGSEGV);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    *(volatile int *)8 = 1;
}

static void case_faults_cannot_be_ignored(void)
{
    MUST_DIE(fault_while_ignored, NULL, SIGSEGV);
    MUST_DIE(fault_while_ignored, "", SIGSEGV);
}

static void divide(void *arg)
{
    int zero = 0;

    (void)arg;
    __asm__ volatile("cltd; idivl %0" : : "r"(zero), "a"(1) : "edx");
}

static void undefined(void *arg)
{
    (void)arg;
    __asm__ volatile("ud2");
}

static void breakpoint(void *arg)
{
    (void)arg;
    __asm__ volatile("int3");
}

static void privileged(void *arg)
{
    (void)arg;
    __asm__ volatile("hlt");
}

static void case_exceptions(void)
{
    MUST_DIE(divide, NULL, SIGFPE);
    MUST_DIE(undefined, NULL, SIGILL);
    MUST_DIE(breakpoint, NULL, SIGTRAP);
    MUST_DIE(privileged, NULL, SIGSEGV);
}

int main(void)
{
    RUN(case_ending_signals);
    RUN(case_ignored_signals);
    RUN(case_sleeper_and_spinner);
    RUN(case_ignored_by_choice);
    RUN(case_refusals);
    RUN(case_faults_cannot_be_ignored);
    RUN(case_exceptions);
    return check_done();
}
