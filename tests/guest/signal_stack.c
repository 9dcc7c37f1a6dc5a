/* Where signal frames go: the alternate stack, a stack without room, and frames that are none. */
#define _GNU_SOURCE
#include <setjmp.h>

#include "child.h"

static volatile sig_atomic_t count;
static sigjmp_buf back;

static char alt_stack[32 * 1024] __attribute__((aligned(16)));
static void on_alt(int sig)
{
    char here;

    (void)sig;
    count++;
    if (&here < alt_stack || &here >= alt_stack + sizeof(alt_stack))
        _exit(92);
    siglongjmp(back, 1);
}

static void handle(int sig, void (*fn)(int), int flags)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

    CHECK_OK(sigaction(sig, &sa, NULL));
}

static int recurse(volatile int n)
{
    volatile char frame[512];

    frame[0] = (char)n;
    return n == 0 ? 0 : recurse(n + 1) + frame[0];
}

static void case_alternate_stack(void)
{
    stack_t ss = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)}, old;

    CHECK_OK(sigaltstack(&ss, NULL));
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK(old.ss_sp == alt_stack && old.ss_size == sizeof(alt_stack),
          "sigaltstack says what was set");
    handle(SIGSEGV, on_alt, SA_ONSTACK);
    for (int i = 1; i <= 3; i++) {
        if (sigsetjmp(back, 1) == 0)
            recurse(1);
        CHECK_EQ(count, i);
    }
    ss.ss_flags = SS_DISABLE;
    CHECK_OK(sigaltstack(&ss, NULL));
    ss = (stack_t){.ss_sp = alt_stack, .ss_size = 100};
    CHECK_ERRNO(sigaltstack(&ss, NULL), ENOMEM);
}

static void overflow(void *arg)
{
    (void)arg;
    handle(SIGSEGV, on_alt, 0);
    recurse(1); /* the frame has no room either */
}

static void case_no_room_for_the_frame(void)
{
    MUST_DIE(overflow, NULL, SIGSEGV);
}

/* sigreturn with a frame that is not one. */
static void bad_sigreturn(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "mov $15, %%eax\n\t"
                     "syscall\n\t"
                     "ud2"
                     :
                     : "r"(arg)
                     : "memory");
}

static void case_bad_sigreturn(void)
{
    static char zeros[4096];

    MUST_DIE(bad_sigreturn, NULL, SIGSEGV);
    MUST_DIE(bad_sigreturn, (void *)0xffff800000000000, SIGSEGV);
    MUST_DIE(bad_sigreturn, (void *)0x8000000000000000, SIGSEGV);
    MUST_DIE(bad_sigreturn, zeros, SIGSEGV);
}

int main(void)
{
    RUN(case_alternate_stack);
    RUN(case_no_room_for_the_frame);
    RUN(case_bad_sigreturn);
    return check_done();
}
