/* Sequences of calls at random against kernel and reference, and those kept
 * from earlier failures.
 */
#include "cases.h"
#include "run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    struct run_config config;
    unsigned runs;
    double minutes;
    bool kept, no_shrink;
    unsigned shrinks_to; /* the model is wrong on purpose: found, and with as few
                            steps */
};

static void print_failure(const struct run *run)
{
    char step[100];
    printf("%s\nwith --cpus %u --seed %lu; as a case (tests/model/cases.c):\n", run->message,
           run->config.cpus, run->config.seed);
    for (unsigned i = 0; i < run->nsteps; i++) {
        step_print(step, sizeof step, &run->steps[i]);
        printf("    %s\n", step);
    }
}

/* The CPUs of a run follow from its seed, unless they are asked for. */
static bool run_seed(struct run *run, const struct options *o, uint64_t seed)
{
    static const unsigned cpus[] = {1, 2, 4, 3}, many[] = {4, 2, 3, 4};
    run->config = o->config;
    run->config.seed = seed;
    run->config.cpus = o->config.cpus         ? o->config.cpus
                       : o->config.concurrent ? many[seed % 4]
                                              : cpus[seed % 4];
    if (run_steps(run))
        return true;
    printf("FAILED: --seed %lu --runs 1 --steps %u%s\n%s\n", seed, o->config.steps_max,
           o->config.concurrent ? " --concurrent" : "", run->message);
    if (!o->no_shrink)
        shrink(run, o->config.verbose);
    print_failure(run);
    return false;
}

static int run_seeds(const struct options *o)
{
    struct run *run = run_new();
    time_t end = time(NULL) + (time_t)(o->minutes * 60);
    unsigned done = 0;
    for (; done < o->runs || (o->minutes > 0 && time(NULL) < end); done++) {
        if (run_seed(run, o, o->config.seed + done))
            continue;
        if (!o->shrinks_to)
            return 1;
        if (run->nsteps <= o->shrinks_to)
            return 0;
        printf("that is %u steps, must be %u at most\n", run->nsteps, o->shrinks_to);
        return 1;
    }
    if (o->shrinks_to)
        printf("a model with rule %d turned round passed %u runs\n", o->config.wrong, done);
    else
        printf("ok   %u runs of %u steps\n", done, o->config.steps_max);
    return o->shrinks_to ? 1 : 0;
}

static int run_kept(const struct options *o)
{
    struct run *run = run_new();
    int failed = 0;
    for (const struct kept_case *c = kept_cases; c->name; c++) {
        bool ok = true;
        for (unsigned cpus = 1; cpus <= 4 && ok; cpus *= 2) {
            *run = (struct run){.config = o->config, .nsteps = c->nsteps};
            run->config.cpus = o->config.cpus ? o->config.cpus : cpus;
            run->config.steps_max = 0;
            memcpy(run->steps, c->steps, c->nsteps * sizeof c->steps[0]);
            ok = run_steps(run);
        }
        printf("%s %s\n", ok ? "ok  " : "FAIL", c->name);
        if (!ok)
            print_failure(run);
        failed |= !ok;
    }
    return failed;
}

static void usage(void)
{
    fprintf(stderr, "usage: [--seed S] [--runs N] [--minutes M] [--steps N] "
                    "[--cpus N] [--concurrent]\n"
                    "       [--kept] [--wrong RULE --shrinks-to N] [--no-shrink] "
                    "[--verbose]\n");
    exit(2);
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"seed", 1, NULL, 's'},      {"runs", 1, NULL, 'r'},    {"minutes", 1, NULL, 'm'},
        {"steps", 1, NULL, 'n'},     {"cpus", 1, NULL, 'c'},    {"concurrent", 0, NULL, 'p'},
        {"kept", 0, NULL, 'k'},      {"wrong", 1, NULL, 'w'},   {"shrinks-to", 1, NULL, 't'},
        {"no-shrink", 0, NULL, 'x'}, {"verbose", 0, NULL, 'v'}, {0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        unsigned long n = optarg ? strtoul(optarg, NULL, 0) : 1;
        switch (c) {
        case 's':
            o->config.seed = n;
            break;
        case 'r':
            o->runs = (unsigned)n;
            break;
        case 'm':
            o->minutes = strtod(optarg, NULL);
            break;
        case 'n':
            o->config.steps_max = n < STEPS ? (unsigned)n : STEPS;
            break;
        case 'c':
            o->config.cpus = (unsigned)n;
            break;
        case 'p':
            o->config.concurrent = true;
            break;
        case 'k':
            o->kept = true;
            break;
        case 'w':
            o->config.wrong = (int)n;
            break;
        case 't':
            o->shrinks_to = (unsigned)n;
            break;
        case 'x':
            o->no_shrink = true;
            break;
        case 'v':
            o->config.verbose = true;
            break;
        default:
            usage();
        }
    }
}

int main(int argc, char **argv)
{
    struct options o = {.config = {.seed = 1, .steps_max = 120}, .runs = 1};
    parse(argc, argv, &o);
    return o.kept ? run_kept(&o) : run_seeds(&o);
}
