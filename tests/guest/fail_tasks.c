/* A3, A5: fork, vfork, clone, execve, signals and futexes with each allocation failing in turn. */
#include "failrow.h"

#include <sched.h>
#include <sys/time.h>

#include "futex.h"

#define RW    (PROT_READ | PROT_WRITE)
#define STACK (4 * PAGE)

static char *self;
static char *stack, *private_pages, *shared_pages, *region;
static volatile int tid;
static uint32_t word;
static pid_t child;
static int status;

/* ---- fork and clone */

/* Private and shared memory, a region, and what is cut and protected: much to copy. */
static void map_much(void)
{
    private_pages = mmap(NULL, 70 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared_pages = mmap(NULL, 9 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 70; i++)
        private_pages[i * PAGE] = (char)i;
    CHECK_OK(mprotect(private_pages + 20 * PAGE, PAGE, PROT_READ));
    memset(shared_pages, 1, 9 * PAGE);
    stack = mmap(NULL, STACK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(stack, 1, STACK);
    region = region_new("fail", 3 * PAGE);
}

static void unmap_much(void)
{
    for (unsigned i = 0; i < 70; i++) {
        CHECK_EQ(private_pages[i * PAGE], (char)i);
        if (i != 20)
            private_pages[i * PAGE] = (char)i; /* writable as before */
    }
    CHECK_OK(munmap(private_pages, 70 * PAGE));
    CHECK_OK(munmap(shared_pages, 9 * PAGE));
    CHECK_OK(munmap(stack, STACK));
    CHECK_EQ(region_look("fail").mappings, 1);
    region_unmap("fail", region);
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

static void fork_much(struct fail_step *call)
{
    map_much();
    CALL(fork);
}

static void forked(void)
{
    CHILD_EXITS((pid_t)row_result, 0);
}

static void vfork_much(struct fail_step *call)
{
    map_much();
    CALL(clone, CLONE_VM | CLONE_VFORK | SIGCHLD, (long)stack + (long)STACK);
}

static void clone_sharing(struct fail_step *call)
{
    map_much();
    CALL(clone, CLONE_VM | CLONE_FILES | SIGCHLD, (long)stack + (long)STACK);
}

static void make_stack(void)
{
    stack = mmap(NULL, STACK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(stack, 1, STACK);
}

static void clone_thread(struct fail_step *call)
{
    make_stack();
    tid = 1;
    CALL(clone,
         CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
             CLONE_CHILD_CLEARTID,
         (long)stack + (long)STACK, 0, (long)&tid);
}

static void thread_started(void)
{
    WAIT_UNTIL(tid == 0, "the thread does not end");
}

static void free_stack(void)
{
    CHECK_OK(munmap(stack, STACK));
}

/* ---- Giving back, and signals */

static void wait_for_child(struct fail_step *call)
{
    child = fork();
    if (child == 0)
        _exit(5);
    siginfo_t info;
    CHECK_OK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    CALL(wait4, child, (long)&status);
}

static void waited(void)
{
    CHECK_EQ(status, 5 << 8);
}

static void send_signal(struct fail_step *call)
{
    signal(SIGUSR1, SIG_IGN);
    CALL(kill, getpid(), SIGUSR1);
}

static void queue_blocked_signal(struct fail_step *call)
{
    static siginfo_t info = {.si_signo = 40, .si_code = -1};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, 40);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CALL(rt_sigqueueinfo, getpid(), 40, (long)&info);
}

static void take_signal(void)
{
    struct timespec none = {0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, 40);
    CHECK_EQ(sigtimedwait(&set, NULL, &none), 40);
}

static void set_timer(struct fail_step *call)
{
    static struct itimerval later = {.it_value = {1000, 0}};

    CALL(setitimer, ITIMER_REAL, (long)&later);
}

static void stop_timer(void)
{
    alarm(CHECK_LIMIT_MS / 1000);
}

static void futex_wake_nobody(struct fail_step *call)
{
    CALL(futex, (long)&word, FUTEX_WAKE, 1);
}

static void set_groups(struct fail_step *call)
{
    static unsigned groups[] = {1, 2, 3};

    CALL(setgroups, 3, (long)groups);
}

static void random_bytes(struct fail_step *call)
{
    static char bytes[300];

    CALL(getrandom, (long)bytes, sizeof(bytes));
}

#define FORK .errors = {ENOMEM, EAGAIN}, .flags = ROW_FORKS

static const struct fail_row rows[] = {
    ROW("fork", fork_much, forked, unmap_much, FORK),
    ROW("vfork", vfork_much, forked, unmap_much, FORK),
    ROW("clone, sharing memory and files", clone_sharing, forked, unmap_much, FORK),
    ROW("clone of a thread", clone_thread, thread_started, free_stack, FORK),
    ROW("wait4", wait_for_child, waited, NULL, NONE),
    ROW("kill", send_signal, NULL, NULL, NONE),
    ROW("rt_sigqueueinfo", queue_blocked_signal, take_signal, NULL, NONE),
    ROW("setitimer", set_timer, NULL, stop_timer, NONE),
    ROW("futex, FUTEX_WAKE", futex_wake_nobody, NULL, NULL, NONE),
    ROW("setgroups", set_groups, NULL, NULL, NONE),
    ROW("getrandom", random_bytes, NULL, NULL, NONE),
};

/* ---- execve: the old program goes on, or there is none any more; others see nothing of it. */

static void exec_child(const struct fail_row *row, unsigned n)
{
    static char kind[4], *argv[] = {NULL, kind, NULL}, *envp[] = {NULL};
    struct fail_step call;
    long left, result;

    argv[0] = self;
    snprintf(kind, sizeof(kind), "%u", row->kind);
    call = (struct fail_step){SYS_execve, {(long)self, (long)argv, (long)envp}};
    row_child_begin();
    snap_keep();
    result = row_call(row, n, &call, &left);
    CHECK(left == 0 && error_allowed(row, result), "A3: %s, failure %u: %ld", row->name, n, result);
    snap_must_be_kept(row, n);
    _exit(DELIVERED);
}

/* The new program: is the failure still to come? */
static int exec_new_program(unsigned kind)
{
    return syscall(SHOAL_SYS_failNth, 0, kind) > 0 ? 0 : 1;
}

/* How many failures the call answered, and how many the program that it became died of. */
static void exec_all(const struct fail_row *row, unsigned *refused, unsigned *fatal)
{
    for (unsigned n = 0;; n++) {
        snap_keep();
        child = fork();
        if (child == 0)
            exec_child(row, n ? n : 1);
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (n == 0) /* brings in what of the program file was not touched yet */
            continue;
        snap_must_be_kept(row, n);
        if (status == 0)
            return;
        if (WIFSIGNALED(status)) /* the old program is gone, the new one lacks memory */
            *fatal += 1;
        else
            *refused += 1;
        CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS
                                  : status == DELIVERED << 8,
              "A3: %s, failure %u: status %#x", row->name, n, (unsigned)status);
        CHECK(n < FAIL_MAX, "execve never succeeds");
    }
}

static void case_exec(void)
{
    static const struct fail_row row = {.name = "execve"};
    unsigned refused = 0, fatal = 0;

    exec_all(&row, &refused, &fatal);
    CHECK(refused > 5 && fatal > 0, "execve: %u refused, %u fatal", refused, fatal);
}

static void case_exec_interrupted(void)
{
    static const struct fail_row row = {
        .name = "execve, interrupted", .errors = {EINTR}, .kind = FAIL_SLEEP};
    unsigned refused = 0, fatal = 0;

    exec_all(&row, &refused, &fatal);
    CHECK(refused > 0 && fatal == 0, "execve: %u refused, %u fatal", refused, fatal);
}

/* ---- Calls that ask and set, and take no memory for it. */

static char out[1024];

static const struct fail_step plain[] = {
    {SYS_getpid, {0}},
    {SYS_gettid, {0}},
    {SYS_getppid, {0}},
    {SYS_getpgrp, {0}},
    {SYS_getpgid, {0}},
    {SYS_getsid, {0}},
    {SYS_getuid, {0}},
    {SYS_geteuid, {0}},
    {SYS_getresuid, {(long)out, (long)out + 8, (long)out + 16}},
    {SYS_getresgid, {(long)out, (long)out + 8, (long)out + 16}},
    {SYS_getgroups, {0}},
    {SYS_setresuid, {-1, -1, -1}},
    {SYS_setresgid, {-1, -1, -1}},
    {SYS_umask, {022}},
    {SYS_uname, {(long)out}},
    {SYS_sysinfo, {(long)out}},
    {SYS_times, {(long)out}},
    {SYS_getrusage, {0, (long)out}},
    {SYS_getrlimit, {0, (long)out}},
    {SYS_clock_gettime, {CLOCK_MONOTONIC, (long)out}},
    {SYS_clock_getres, {CLOCK_MONOTONIC, (long)out}},
    {SYS_gettimeofday, {(long)out}},
    {SYS_getitimer, {0, (long)out}},
    {SYS_sched_yield, {0}},
    {SYS_sched_getaffinity, {0, 128, (long)out}},
    {SYS_getcpu, {(long)out}},
    {SYS_fstat, {1, (long)out}},
    {SYS_fstatfs, {1, (long)out}},
    {SYS_lseek, {1}},
    {SYS_fcntl, {1, F_GETFL}},
    {SYS_close, {-1}},
    {SYS_sync, {0}},
    {SYS_rt_sigaction, {SIGUSR1, 0, (long)out, 8}},
    {SYS_rt_sigprocmask, {SIG_BLOCK, 0, (long)out, 8}},
    {SYS_rt_sigpending, {(long)out, 8}},
    {SYS_sigaltstack, {0, (long)out}},
    {SYS_set_tid_address, {(long)out}},
    {SYS_kill, {-32768, 0}},
    {SYS_tgkill, {1, 1, 0}},
    {SYS_munlock, {(long)out, 1}},
};

static void case_plain_calls(void)
{
    static const struct fail_row row = {.name = "plain"};

    memset(out, 1, sizeof(out)); /* its pages are there */
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        long left;

        (void)row_call(&row, 1, &plain[i], &left);
        CHECK(left == 1, "A3: system call %ld allocates", plain[i].nr);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return exec_new_program((unsigned)atoi(argv[1]));
    self = argv[0];
    ROWS(rows);
    RUN(case_plain_calls);
    RUN_ALONE(case_exec);
    RUN_ALONE(case_exec_interrupted);
    return check_done();
}
