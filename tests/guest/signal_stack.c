/* Where signal frames go: the alternate stack, a stack without room, and frames that are none. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "child.h"

#define PAGE 4096ul

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

/* A system call with the stack pointer somewhere else. */
static __attribute__((noinline)) long syscall_at(uintptr_t sp, long nr, long a, long b, long c,
                                                 long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %[sp], %%rsp\n\t"
                     "syscall\n\t"
                     "mov %%rbx, %%rsp"
                     : "=a"(result)
                     : [sp] "r"(sp), "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rbx", "rcx", "r11", "memory");
    return result;
}

static long send_at(uintptr_t sp, int sig)
{
    return syscall_at(sp, SYS_kill, getpid(), sig, 0, 0);
}

static char *pages; /* shared: one that is nobody's stack, then two of the alternate stack */

static void set_altstack(void *at, size_t bytes)
{
    stack_t ss = {.ss_sp = at, .ss_size = bytes};

    CHECK_OK(sigaltstack(&ss, NULL));
}

static void send_in_handler(int sig)
{
    (void)sig;
    count++;
    send_at((uintptr_t)pages + PAGE + (uintptr_t)count, SIGUSR2);
}

static void on_inner(int sig)
{
    (void)sig;
    count += 1000;
}

static void nest(void *room_bytes)
{
    set_altstack(pages + PAGE, 2 * PAGE);
    handle(SIGUSR1, send_in_handler, SA_ONSTACK);
    handle(SIGUSR2, on_inner, SA_ONSTACK);
    count = (int)(long)room_bytes - 1;
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(count, (long)room_bytes + 1000);
}

/* A handler that has used its alternate stack up: the next frame does not go below it. */
static void case_frame_beyond_the_alternate_stack(void)
{
    pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED, "mmap: %s", strerror(errno));
    memset(pages, 7, PAGE);
    MUST_EXIT(nest, (void *)PAGE, 0);
    MUST_DIE(nest, (void *)1024, SIGSEGV);
    MUST_DIE(nest, (void *)64, SIGSEGV);
    for (unsigned i = 0; i < PAGE; i++)
        CHECK_EQ(pages[i], 7);
}

/* An empty stack whose end is where the alternate one begins is not that one. */
static void case_stack_below_the_alternate_stack(void)
{
    set_altstack(alt_stack + PAGE, 4 * PAGE);
    handle(SIGUSR2, on_inner, SA_ONSTACK);
    memset(alt_stack, 7, PAGE);
    CHECK_EQ(send_at((uintptr_t)alt_stack + PAGE, SIGUSR2), 0);
    CHECK_EQ(count, 1000);
    for (unsigned i = 0; i < PAGE; i++)
        CHECK_EQ(alt_stack[i], 7);
}

static volatile int last_code;
static volatile uintptr_t last_sp;
static volatile bool usr1_blocked;

static void on_segv(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    (void)sig;
    last_code = info->si_code;
    last_sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
    usr1_blocked = sigismember(&uc->uc_sigmask, SIGUSR1);
    siglongjmp(back, 1);
}

static void handle_segv(void)
{
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    set_altstack(alt_stack, sizeof(alt_stack));
    CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
}

static void never(int sig)
{
    _exit(93 + (sig == SIGSEGV));
}

/* A frame that has no room is a SIGSEGV, which may have a stack of its own. */
static void case_no_room_is_a_fault(void)
{
    handle_segv();
    handle(SIGUSR1, never, 0);
    if (sigsetjmp(back, 1) == 0)
        send_at(PAGE, SIGUSR1);
    CHECK_EQ(last_code, SI_KERNEL);
    CHECK_EQ(last_sp, PAGE);
    CHECK(!usr1_blocked, "a signal is blocked whose handler was not entered");
}

static void no_room_and_blocked(void *arg)
{
    sigset_t set;

    (void)arg;
    handle_segv();
    handle(SIGUSR1, never, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    send_at(PAGE, SIGUSR1);
}

static void case_no_room_while_faults_are_blocked(void)
{
    MUST_DIE(no_room_and_blocked, NULL, SIGSEGV);
}

/* The handler of a fault sees what faulted, and no handler of a signal that came at the same time:
 * here a fault that SIGHUP's frame is, with SIGUSR1 pending. */
static void case_fault_goes_first(void)
{
    uint64_t set = 1ul << (SIGHUP - 1) | 1ul << (SIGUSR1 - 1);

    handle_segv();
    handle(SIGHUP, never, 0);
    handle(SIGUSR1, on_inner, SA_ONSTACK);
    CHECK_OK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof(set)));
    CHECK_EQ(raise(SIGHUP), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    if (sigsetjmp(back, 0) == 0)
        syscall_at(PAGE, SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, sizeof(set));
    CHECK_EQ(last_sp, PAGE);
    CHECK_EQ(count, 1000);
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
    RUN(case_frame_beyond_the_alternate_stack);
    RUN(case_stack_below_the_alternate_stack);
    RUN(case_no_room_is_a_fault);
    RUN(case_no_room_while_faults_are_blocked);
    RUN(case_fault_goes_first);
    RUN(case_bad_sigreturn);
    return check_done();
}
