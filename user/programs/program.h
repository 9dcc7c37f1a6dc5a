/* What the programs here have in common: ending with a message, and children that must end well. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shoal/region.h>

/* Ends the program, with status 1, unless the condition holds. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #cond);                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Ends the program unless the region call answers `want`. */
#define MUST_BE(call, want)                                                                        \
    do {                                                                                           \
        err_t must_got = (call);                                                                   \
        if (must_got != (want)) {                                                                  \
            fprintf(stderr, "%s:%d: %s = %s\n", __FILE__, __LINE__, #call,                         \
                    shoal_errname(must_got));                                                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* fork that cannot fail; what is printed before is printed once. */
static inline pid_t program_fork(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    MUST(pid >= 0);
    return pid;
}

/* Waits for one child, which must have exited with 0. */
static inline void program_wait(pid_t pid)
{
    int status;

    MUST(waitpid(pid, &status, 0) == pid);
    MUST(status == 0);
}
