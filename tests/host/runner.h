/* Running cases of the host machine: each in a process of its own, under many schedules. */
#pragma once

#include "user.h"

struct host_case {
    const char *name; /* NULL ends a list */
    int (*init)(uintptr_t sp);
    unsigned runs;                       /* schedules for each count of CPUs; 0: RUNS_DEFAULT */
    size_t ram_bytes;                    /* 0: RAM_DEFAULT */
    int exit_code;                       /* what the machine must end with */
    const char *cmdline;                 /* NULL: none */
    const char *console;                 /* what must be on the console; NULL: anything */
    const struct host_program *programs; /* others that exec finds; NULL: none */
};

/* main() of a test: runs every case at 1, 2 and 4 CPUs, or what the arguments choose: --case NAME,
 * --cpus N, --seed S, --runs N, --verbose.  Says how to see a failure again. */
int host_run_cases(int argc, char **argv, const struct host_case *cases);
