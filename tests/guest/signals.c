/* Signal handlers: what they are told, what they may do, and that the program goes on as if nothing
 * had been. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "child.h"

static volatile sig_atomic_t count;
static volatile int last_signal, last_code;
static void *volatile last_addr;
static sigjmp_buf back;

static void on_count(int sig)
{
    last_signal = sig;
    count++;
}

static void on_info(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    last_signal = sig;
    last_code = info->si_code;
    last_addr = info->si_addr;
    count++;
    if (uc->uc_mcontext.gregs[REG_RSP] == 0)
        _exit(90);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    on_info(sig, info, context);
    siglongjmp(back, 1);
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

    CHECK_OK(sigaction(sig, &sa, NULL));
}

static void handle_plain(int sig, void (*fn)(int), int flags)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

    CHECK_OK(sigaction(sig, &sa, NULL));
}

static void case_fault_address(void)
{
    char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap");
    handle(SIGSEGV, on_fault, 0);
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)(p + 5000) = 1;
    CHECK_EQ(last_signal, SIGSEGV);
    CHECK_EQ(last_code, SEGV_ACCERR);
    CHECK(last_addr == p + 5000, "si_addr %p, must be %p", last_addr, (void *)(p + 5000));
    CHECK_OK(munmap(p, 8192));
    if (sigsetjmp(back, 1) == 0)
        (void)*(volatile char *)(p + 17);
    CHECK_EQ(last_code, SEGV_MAPERR);
    CHECK(last_addr == p + 17, "si_addr %p, must be %p", last_addr, (void *)(p + 17));
    CHECK_EQ(count, 2);
}

/* A handler repairs the page, and the instruction is made again. */
static char *repaired;
static void on_repair(int sig, siginfo_t *info, void *context)
{
    on_info(sig, info, context);
    if (mprotect(repaired, 4096, PROT_READ | PROT_WRITE) < 0)
        _exit(91);
}

static void case_fault_is_tried_again(void)
{
    repaired = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(repaired != MAP_FAILED, "mmap");
    handle(SIGSEGV, on_repair, 0);
    *(volatile int *)repaired = 1234;
    CHECK_EQ(*(volatile int *)repaired, 1234);
    CHECK_EQ(count, 1);
}

static void case_kill_self_at_once(void)
{
    handle(SIGUSR1, on_info, 0);
    for (int i = 1; i <= 100; i++) {
        CHECK_OK(kill(getpid(), SIGUSR1));
        CHECK_EQ(count, i);
    }
    CHECK_EQ(last_code, SI_USER);
}

/* All general registers, the flags and the red zone survive a handler. */
static void case_registers(void)
{
    handle_plain(SIGUSR1, on_count, 0);
    for (unsigned i = 0; i < 10; i++) {
        long ok;
        long rbx = 0x1111 + i, r12 = 0x2222 + i;

        __asm__ volatile("movq $0x5a5a, -64(%%rsp)\n\t"
                         "mov $0x88, %%r8\n\t mov $0x99, %%r9\n\t mov $0xaa, %%r10\n\t"
                         "stc\n\t"
                         "syscall\n\t"
                         "cmpq $0x5a5a, -64(%%rsp)\n\t jne 1f\n\t"
                         "cmp $0x88, %%r8\n\t jne 1f\n\t"
                         "cmp $0x99, %%r9\n\t jne 1f\n\t"
                         "cmp $0xaa, %%r10\n\t jne 1f\n\t"
                         "test %%rax, %%rax\n\t jne 1f\n\t"
                         "mov $1, %%eax\n\t jmp 2f\n"
                         "1:\n\t xor %%eax, %%eax\n"
                         "2:"
                         : "=a"(ok), "+b"(rbx), "+r"(r12)
                         : "a"(62l), "D"((long)getpid()), "S"((long)SIGUSR1)
                         : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
        CHECK_EQ(ok, 1);
        CHECK_EQ(rbx, 0x1111 + i);
        CHECK_EQ(r12, 0x2222 + i);
    }
    CHECK_EQ(count, 10);
}

static stack_t told_stack;

static void on_stack(int sig, siginfo_t *info, void *context)
{
    on_info(sig, info, context);
    told_stack = ((const ucontext_t *)context)->uc_stack;
}

static void altstack_must_be(void *sp, size_t bytes, int told_flags, int flags)
{
    stack_t ss;

    CHECK_OK(raise(SIGUSR1));
    CHECK(told_stack.ss_sp == sp && told_stack.ss_size == bytes, "uc_stack %p, %zu bytes",
          told_stack.ss_sp, told_stack.ss_size);
    CHECK_EQ(told_stack.ss_flags, told_flags);
    CHECK_OK(sigaltstack(NULL, &ss));
    CHECK(ss.ss_sp == sp && ss.ss_size == bytes, "sigaltstack %p, %zu bytes", ss.ss_sp, ss.ss_size);
    CHECK_EQ(ss.ss_flags, flags);
}

/* What handlers and sigaltstack say, as on Linux: handlers hear the flags of the last call, and
 * none before there was one. */
static void case_told_of_the_alternate_stack(void)
{
    static char stack[8192];
    stack_t none = {.ss_sp = stack, .ss_size = 8192, .ss_flags = SS_DISABLE};
    stack_t some = {.ss_sp = stack, .ss_size = 8192, .ss_flags = SS_ONSTACK};
    stack_t bad = {.ss_sp = stack, .ss_size = 8192, .ss_flags = 4};

    handle(SIGUSR1, on_stack, 0);
    altstack_must_be(NULL, 0, 0, SS_DISABLE);
    CHECK_OK(syscall(SYS_sigaltstack, &some, NULL)); /* the C library would refuse */
    altstack_must_be(stack, 8192, SS_ONSTACK, 0);
    some.ss_flags = 0;
    CHECK_OK(sigaltstack(&some, NULL));
    altstack_must_be(stack, 8192, 0, 0);
    CHECK_ERRNO(sigaltstack(&bad, NULL), EINVAL);
    CHECK_OK(sigaltstack(&none, NULL));
    altstack_must_be(NULL, 0, SS_DISABLE, SS_DISABLE);
}

static void case_mask_and_pending(void)
{
    sigset_t set, old, pending;

    handle_plain(SIGUSR1, on_count, 0);
    handle_plain(SIGUSR2, on_count, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    for (unsigned i = 0; i < 5; i++)
        CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_OK(kill(getpid(), SIGUSR2));
    CHECK_EQ(count, 1);
    CHECK_OK(sigpending(&pending));
    CHECK(sigismember(&pending, SIGUSR1) == 1, "SIGUSR1 waits");
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQ(count, 2); /* an ordinary signal waits once, however often it was sent */
    CHECK_EQ(last_signal, SIGUSR1);
    CHECK_ERRNO(sigprocmask(99, &set, NULL), EINVAL);
}

static volatile int depth, deepest;
static void on_nest(int sig)
{
    if (++depth > deepest)
        deepest = depth;
    if (++count < 6)
        kill(getpid(), sig);
    depth--;
}

static void case_handler_blocks_itself(void)
{
    handle_plain(SIGUSR1, on_nest, 0);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(count, 6);
    CHECK_EQ(deepest, 1);
    count = deepest = 0;
    handle_plain(SIGUSR1, on_nest, SA_NODEFER);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(count, 6);
    CHECK_EQ(deepest, 6);
}

static void reset_twice(void *arg)
{
    (void)arg;
    handle_plain(SIGUSR1, on_count, SA_RESETHAND);
    kill(getpid(), SIGUSR1);
    if (count == 1)
        kill(getpid(), SIGUSR1);
}

static void case_reset_handler(void)
{
    MUST_DIE(reset_twice, NULL, SIGUSR1);
}

struct sender {
    pid_t to;
    int data_fd;
};

static void signal_then_data(void *arg)
{
    const struct sender *s = arg;

    check_sleep_ms(20);
    CHECK_OK(kill(s->to, SIGUSR1));
    check_sleep_ms(20);
    CHECK_EQ(write(s->data_fd, "d", 1), 1);
}

static void case_restart(void)
{
    struct gate g = gate_make();
    struct sender s = {getpid(), g.fd[1]};
    char c = 0;
    pid_t pid;

    handle_plain(SIGUSR1, on_count, SA_RESTART);
    pid = child_start(signal_then_data, &s);
    CHECK_EQ(read(g.fd[0], &c, 1), 1);
    CHECK_EQ(c, 'd');
    CHECK_EQ(count, 1);
    CHILD_EXITS(pid, 0);
    handle_plain(SIGUSR1, on_count, 0);
    pid = child_start(signal_then_data, &s);
    CHECK_ERRNO(read(g.fd[0], &c, 1), EINTR);
    CHECK_EQ(count, 2);
    CHILD_EXITS(pid, 0);
    signal(SIGUSR1, SIG_IGN);
    CHECK_EQ(read(g.fd[0], &c, 1), 1);
    pid = child_start(signal_then_data, &s);
    CHECK_EQ(read(g.fd[0], &c, 1), 1); /* an ignored signal interrupts nothing */
    CHILD_EXITS(pid, 0);
}

static void on_child(int sig)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        count++;
    last_signal = sig;
}

static void exit_now(void *arg)
{
    (void)arg;
}

static void case_sigchld(void)
{
    handle_plain(SIGCHLD, on_child, SA_RESTART);
    for (unsigned i = 0; i < 20; i++)
        child_start(exit_now, NULL);
    WAIT_UNTIL(count == 20, "%d of 20 children were reaped by the handler", (int)count);
}

static void child_inherits(void *arg)
{
    (void)arg;
    CHECK_EQ(count, 1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(count, 2);
}

static void case_fork_keeps_handlers(void)
{
    handle_plain(SIGUSR1, on_count, 0);
    CHECK_OK(kill(getpid(), SIGUSR1));
    MUST_EXIT(child_inherits, NULL, 0);
    CHECK_EQ(count, 1);
}

int main(void)
{
    RUN(case_fault_address);
    RUN(case_fault_is_tried_again);
    RUN(case_kill_self_at_once);
    RUN(case_registers);
    RUN(case_told_of_the_alternate_stack);
    RUN(case_mask_and_pending);
    RUN(case_handler_blocks_itself);
    RUN(case_reset_handler);
    RUN(case_restart);
    RUN(case_sigchld);
    RUN(case_fork_keeps_handlers);
    return check_done();
}
