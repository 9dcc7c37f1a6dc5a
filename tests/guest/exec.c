/* execve: what the new program gets, what it does not get, and every way to fail. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "probe.h"

#define SYS_EXECVE 59

static char *self;
static char *no_env[] = {NULL};

/* The new program's side of each case; returns its exit status. */
static int mode_args(int argc, char **argv)
{
    CHECK_EQ(argc, 5);
    CHECK(strcmp(argv[2], "") == 0 && strcmp(argv[3], "x y") == 0, "arguments");
    CHECK_EQ(strlen(argv[4]), 9000);
    CHECK(getenv("A") && strcmp(getenv("A"), "1=2") == 0, "A=%s", getenv("A"));
    CHECK(getenv("PATH") == NULL, "the environment is only what was given");
    return 21;
}

static int mode_many(int argc, char **argv)
{
    CHECK_EQ(argc, 502);
    for (int i = 2; i < argc; i++)
        CHECK_EQ(atoi(argv[i]), i);
    return 22;
}

static int mode_descriptors(int argc, char **argv)
{
    int kept = atoi(argv[2]), closed = atoi(argv[3]);

    CHECK_EQ(argc, 4);
    CHECK_OK(fcntl(kept, F_GETFD));
    CHECK_ERRNO(fcntl(closed, F_GETFD), EBADF);
    return 23;
}

static int mode_signals(int argc, char **argv)
{
    struct sigaction sa;
    sigset_t set;

    (void)argc, (void)argv;
    CHECK_OK(sigaction(SIGUSR1, NULL, &sa));
    CHECK(sa.sa_handler == SIG_DFL, "a handler does not outlive exec");
    CHECK_OK(sigaction(SIGUSR2, NULL, &sa));
    CHECK(sa.sa_handler == SIG_IGN, "an ignored signal stays ignored");
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
    CHECK(sigismember(&set, SIGTERM), "the mask is kept");
    return 24;
}

static int mode_memory(int argc, char **argv)
{
    uintptr_t old = strtoul(argv[2], NULL, 0);

    CHECK_EQ(argc, 3);
    CHECK_EQ(probe_read((void *)old), SIGSEGV);
    return 25;
}

static int mode_ready(int argc, char **argv)
{
    char c;

    CHECK_EQ(argc, 4);
    CHECK_EQ(write(atoi(argv[2]), "r", 1), 1);
    CHECK_EQ(read(atoi(argv[3]), &c, 1), 1);
    CHECK_OK(setpgid(0, 0)); /* but it may move itself */
    return 26;
}

static int mode_run(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } modes[] = {
        {"args", mode_args},       {"many", mode_many},     {"descriptors", mode_descriptors},
        {"signals", mode_signals}, {"memory", mode_memory}, {"ready", mode_ready}};

    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run(argc, argv);
    return 98;
}

static void exec_self(void *argv)
{
    char *env[] = {"A=1=2", "B=", NULL};

    execve(self, argv, env);
    CHECK(false, "execve(%s): %s", self, strerror(errno));
}

static void case_args_and_env(void)
{
    static char big[9001];
    char *argv[] = {self, "args", "", "x y", big, NULL};

    memset(big, 'b', sizeof(big) - 1);
    MUST_EXIT(exec_self, argv, 21);
}

static void case_500_args(void)
{
    static char numbers[503][8];
    char *argv[503] = {self, "many"};

    for (int i = 2; i < 502; i++) {
        snprintf(numbers[i], sizeof(numbers[i]), "%d", i);
        argv[i] = numbers[i];
    }
    MUST_EXIT(exec_self, argv, 22);
}

static void case_descriptors(void)
{
    int kept = dup(STDOUT_FILENO), closed = dup(STDOUT_FILENO);
    char a[12], b[12];
    char *argv[] = {self, "descriptors", a, b, NULL};

    CHECK_OK(fcntl(closed, F_SETFD, FD_CLOEXEC));
    snprintf(a, sizeof(a), "%d", kept);
    snprintf(b, sizeof(b), "%d", closed);
    MUST_EXIT(exec_self, argv, 23);
}

static void case_signals(void)
{
    char *argv[] = {self, "signals", NULL};
    sigset_t set;

    signal(SIGUSR1, probe_handler);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    MUST_EXIT(exec_self, argv, 24);
}

static struct gate ready, go;

static char **ready_args(void)
{
    static char fds[2][16], *argv[5] = {NULL, "ready", fds[0], fds[1], NULL};

    ready = gate_make();
    go = gate_make();
    snprintf(fds[0], sizeof(fds[0]), "%d", ready.fd[1]);
    snprintf(fds[1], sizeof(fds[1]), "%d", go.fd[0]);
    argv[0] = self;
    return argv;
}

/* Once it runs a program of its own, a child is not moved to another group any more (setpgid(2)).
 */
static void case_group_is_settled(void)
{
    pid_t pid = child_start(exec_self, ready_args());

    gate_pass(&ready);
    CHECK_ERRNO(setpgid(pid, pid), EACCES);
    CHECK_EQ(getpgid(pid), getpgrp());
    gate_open(&go, 1);
    CHILD_EXITS(pid, 26);
}

/* A new program's end is told by SIGCHLD, whatever the old one's would have been (clone(2)). */
static void case_exit_signal(void)
{
    char **argv = ready_args();
    pid_t pid = (pid_t)syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);

    if (pid == 0)
        exec_self(argv);
    CHECK_OK(pid);
    gate_pass(&ready);
    gate_open(&go, 1);
    CHILD_EXITS(pid, 26);
}

static void case_old_memory_is_gone(void)
{
    char *p = (char *)0x123400000000; /* far from where a new program puts anything */
    char text[24];
    char *argv[] = {self, "memory", text, NULL};
    char *got =
        mmap(p, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    CHECK(got == p, "mmap at %p gave %p", (void *)p, (void *)got);
    *p = 1;
    snprintf(text, sizeof(text), "%p", (void *)p);
    MUST_EXIT(exec_self, argv, 25);
}

static void deep_then_exec(void *argv)
{
    volatile char deep[64 * 1024];

    deep[0] = deep[sizeof(deep) - 1] = 1;
    exec_self(argv);
    CHECK_EQ(deep[0], 1);
}

static void case_from_a_deep_stack(void)
{
    static char big[9001];
    char *argv[] = {self, "args", "", "x y", big, NULL};

    memset(big, 'b', sizeof(big) - 1);
    MUST_EXIT(deep_then_exec, argv, 21);
}

static void file_make(const char *path, const void *data, size_t n, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK_EQ(write(fd, data, n), (ssize_t)n);
    close(fd);
}

static void case_refusals(void)
{
    char *argv[] = {"x", NULL};

    CHECK_ERRNO(execve("/nowhere", argv, no_env), ENOENT);
    CHECK_ERRNO(execve("", argv, no_env), ENOENT);
    CHECK_ERRNO(execve("/tmp", argv, no_env), EACCES);
    file_make("/tmp/exec_text", "not a program\n", 14, 0755);
    CHECK_ERRNO(execve("/tmp/exec_text", argv, no_env), ENOEXEC);
    CHECK_ERRNO(execve("/tmp/exec_text/x", argv, no_env), ENOTDIR);
    file_make("/tmp/exec_empty", "", 0, 0755);
    CHECK_ERRNO(execve("/tmp/exec_empty", argv, no_env), ENOEXEC);
    CHECK_OK(unlink("/tmp/exec_text"));
    CHECK_OK(unlink("/tmp/exec_empty"));
}

static void case_bad_pointers(void)
{
    static char *bad_arg[] = {"x", (char *)16, NULL};
    static char *good[] = {"x", NULL};
    const long bad[] = {16, 0x7fffffffe000, (long)0x8000000000000000, -4096, -1};

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(shoal_syscall(SYS_EXECVE, bad[i], (long)good, (long)no_env, 0), -EFAULT);
        CHECK_EQ(shoal_syscall(SYS_EXECVE, (long)self, bad[i], (long)no_env, 0), -EFAULT);
        CHECK_EQ(shoal_syscall(SYS_EXECVE, (long)self, (long)good, bad[i], 0), -EFAULT);
    }
    CHECK_EQ(shoal_syscall(SYS_EXECVE, (long)self, (long)bad_arg, (long)no_env, 0), -EFAULT);
    CHECK_EQ(shoal_syscall(SYS_EXECVE, (long)self, (long)good, (long)bad_arg, 0), -EFAULT);
}

static void case_too_big(void)
{
    size_t n = 4u << 20;
    char *huge = malloc(n);
    char *argv[] = {self, huge, NULL};

    CHECK(huge != NULL, "malloc");
    memset(huge, 'h', n - 1);
    huge[n - 1] = '\0';
    CHECK_ERRNO(execve(self, argv, no_env), E2BIG);
    free(huge);
}

static void exec_pie(void *arg)
{
    char *argv[] = {"exec_pie", "word", NULL};

    execve(arg, argv, no_env);
    _exit(99);
}

/* The static-pie program lies beside this one. */
static void case_static_pie(void)
{
    char path[256];

    snprintf(path, sizeof(path), "%s_pie", self);
    for (unsigned i = 0; i < 5; i++)
        MUST_EXIT(exec_pie, path, 31);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return mode_run(argc, argv);
    self = argv[0];
    RUN(case_args_and_env);
    RUN(case_500_args);
    RUN(case_descriptors);
    RUN(case_signals);
    RUN(case_group_is_settled);
    RUN(case_exit_signal);
    RUN(case_old_memory_is_gone);
    RUN(case_from_a_deep_stack);
    RUN(case_refusals);
    RUN(case_bad_pointers);
    RUN(case_too_big);
    RUN(case_static_pie);
    return check_done();
}
