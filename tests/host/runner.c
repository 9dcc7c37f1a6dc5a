#include "runner.h"

#include <abi/exit.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS_DEFAULT 20
#define RAM_DEFAULT  (24ul << 20)
#define PROGRAMS_MAX 16

struct options {
    const char *only;
    unsigned cpus, runs;
    uint64_t seed;
    bool verbose;
};

static int boot(const struct host_case *c, unsigned cpus, uint64_t seed, bool verbose)
{
    static struct host_program programs[PROGRAMS_MAX];
    programs[0] = (struct host_program){"/sbin/init", c->init};
    for (unsigned i = 0; c->programs && c->programs[i].path && i < PROGRAMS_MAX - 2; i++)
        programs[i + 1] = c->programs[i];
    const struct host_config config = {
        .cpus = cpus,
        .ram_bytes = c->ram_bytes ? c->ram_bytes : RAM_DEFAULT,
        .seed = seed,
        .cmdline = c->cmdline,
        .programs = programs,
        .verbose = verbose,
    };
    int code = host_boot(&config);
    if (code != c->exit_code)
        fprintf(stderr, "the machine ended with %#x, must be %#x; the console's end:\n%s\n", code,
                c->exit_code, host_console());
    else if (c->console && !strstr(host_console(), c->console))
        fprintf(stderr, "\"%s\" is not on the console:\n%s\n", c->console, host_console());
    else
        return 0;
    return 1;
}

/* In a process of its own: a machine leaves its memory as it is.  exit() runs what coverage needs.
 */
static bool run_one(const struct host_case *c, unsigned cpus, uint64_t seed, bool verbose)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        exit(boot(c, cpus, seed, verbose));
    int status;
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return true;
    fprintf(stderr, "FAILED: again with --case %s --cpus %u --seed %lu --runs 1 --verbose\n",
            c->name, cpus, (unsigned long)seed);
    return false;
}

static bool run_case(const struct host_case *c, const struct options *o)
{
    static const unsigned cpu_counts[] = {1, 2, 4};
    unsigned runs = o->runs ? o->runs : c->runs ? c->runs : RUNS_DEFAULT;
    for (unsigned i = 0; i < ARRAY_LEN(cpu_counts); i++) {
        unsigned cpus = o->cpus ? o->cpus : cpu_counts[i];
        for (unsigned run = 0; run < runs; run++)
            if (!run_one(c, cpus, o->seed + run, o->verbose))
                return false;
        if (o->cpus)
            break;
    }
    printf("ok   %s\n", c->name);
    return true;
}

static void usage(void)
{
    fprintf(stderr, "usage: [--case NAME] [--cpus N] [--seed S] [--runs N] [--verbose]\n");
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    static const struct option longs[] = {
        {"case", required_argument, NULL, 'c'}, {"cpus", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'}, {"runs", required_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},    {0},
    };
    struct options o = {.seed = 1};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o.only = optarg;
            break;
        case 'n':
            o.cpus = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 's':
            o.seed = strtoul(optarg, NULL, 0);
            break;
        case 'r':
            o.runs = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'v':
            o.verbose = true;
            break;
        default:
            usage();
        }
    }
    return o;
}

int host_run_cases(int argc, char **argv, const struct host_case *cases)
{
    struct options o = parse(argc, argv);
    unsigned ran = 0, failed = 0;
    for (const struct host_case *c = cases; c->name; c++) {
        if (o.only && strcmp(o.only, c->name) != 0)
            continue;
        ran++;
        failed += !run_case(c, &o);
    }
    if (!ran)
        usage();
    return failed ? 1 : 0;
}
