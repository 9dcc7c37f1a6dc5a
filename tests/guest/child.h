/* Processes in a test: run a function in a child, demand how it ends, and gates to make steps
 * happen in order. */
#pragma once

#include "check.h"

typedef void child_fn(void *arg);

/* Runs fn(arg) in a child, which then exits with 0. */
CHECK_UNUSED static pid_t child_start(child_fn *fn, void *arg)
{
    pid_t pid = fork();

    if (pid == 0) {
        fn(arg);
        _exit(0);
    }
    CHECK(pid > 0, "fork: %s", strerror(errno));
    return pid;
}

CHECK_UNUSED static void child_describe(char *text, size_t size, int status)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(text, size, "exited with %d", WEXITSTATUS(status));
}

CHECK_UNUSED static void child_must_end(const char *file, int line, pid_t pid, bool by_signal,
                                        int n)
{
    int status;
    char text[64];

    if (check_wait(pid, &status, CHECK_LIMIT_MS / 2) < 0) {
        kill(pid, SIGKILL);
        check_fail(file, line, "child %d did not end", (int)pid);
    }
    if (by_signal ? WIFSIGNALED(status) && WTERMSIG(status) == n
                  : WIFEXITED(status) && WEXITSTATUS(status) == n)
        return;
    child_describe(text, sizeof(text), status);
    check_fail(file, line, "child %s, must %s %d", text, by_signal ? "die by signal" : "exit with",
               n);
}

/* The child must exit with `code`, or be killed by `sig`. */
#define CHILD_EXITS(pid, code) child_must_end(__FILE__, __LINE__, pid, false, code)
#define CHILD_DIES(pid, sig)   child_must_end(__FILE__, __LINE__, pid, true, sig)

/* fn(arg) in a child must end so. */
#define MUST_EXIT(fn, arg, code) CHILD_EXITS(child_start(fn, arg), code)
#define MUST_DIE(fn, arg, sig)   CHILD_DIES(child_start(fn, arg), sig)

CHECK_UNUSED static void child_kill(pid_t pid)
{
    CHECK_OK(kill(pid, SIGKILL));
    CHILD_DIES(pid, SIGKILL);
}

/* A counted gate between processes: each byte in the pipe lets one pass. */
struct gate {
    int fd[2];
};

CHECK_UNUSED static struct gate gate_make(void)
{
    struct gate g;

    CHECK_OK(pipe(g.fd));
    return g;
}

CHECK_UNUSED static void gate_open(const struct gate *g, unsigned n)
{
    while (n-- > 0)
        CHECK_EQ(write(g->fd[1], "g", 1), 1);
}

CHECK_UNUSED static void gate_pass(const struct gate *g)
{
    char c;

    CHECK_EQ(read(g->fd[0], &c, 1), 1);
}

/* The wait status of a child that may end in any way, with a limit; killed and -1 when it does not
 * end. */
CHECK_UNUSED static int child_any_end(pid_t pid, long limit_ms)
{
    int status;

    if (check_wait(pid, &status, limit_ms) == 0)
        return status;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* Makes this process's own copy of the memory it shares with a child since fork, so that it needs
 * no new page when there is none left: its data and the next 32 KiB of its stack. */
CHECK_UNUSED static __attribute__((noinline)) void child_settle(void)
{
    extern char __bss_start[], _end[];
    volatile char stack[32 * 1024];

    for (size_t i = 0; i < sizeof(stack); i += 512)
        stack[i] = 0;
    for (uintptr_t p = ((uintptr_t)__bss_start & ~4095ul); p < (uintptr_t)_end; p += 4096)
        __asm__ volatile("lock addb $0, (%0)" : : "r"(p) : "memory", "cc");
}
