/* fuzz [-s SEED] [-n CALLS] [-p PROCESSES]: random system calls, by several processes of three
 * threads each, until CALLS have been made.  Prints the seed first and the count last; status 0
 * when the kernel came through, as far as a program can tell. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

static int usage(void)
{
    fprintf(stderr, "usage: fuzz [-s SEED] [-n CALLS] [-p PROCESSES]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct timespec now;
    uint64_t seed, calls = 100000;
    unsigned processes = 6;
    int c;

    if (argc == 5 && strcmp(argv[1], "-w") == 0)
        worker_main(argv + 2);
    if (argc == 3 && strcmp(argv[1], "-x") == 0)
        program_main(argv + 2);
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    while ((c = getopt(argc, argv, "s:n:p:")) != -1) {
        if (c == 's')
            seed = strtoull(optarg, NULL, 0);
        else if (c == 'n')
            calls = strtoull(optarg, NULL, 0);
        else if (c == 'p')
            processes = (unsigned)strtoul(optarg, NULL, 0);
        else
            return usage();
    }
    if (optind != argc || processes == 0 || processes > PROCESSES_MAX)
        return usage();
    return supervise(seed, calls, processes);
}
