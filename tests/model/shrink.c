/* The shortest list of steps that still fails. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#define TRIES_MAX 3000

static unsigned tries;

static unsigned failing_op(const struct run *run)
{
    return run->at < run->nsteps ? run->steps[run->at].op : OP_COUNT;
}

/* Keeps the candidate if it fails, too, in the same call: another failure is
 * for another day. */
static bool take_if_fails(struct run *run, const struct run *candidate)
{
    static struct run *scratch;
    if (!scratch)
        scratch = run_new();
    if (++tries > TRIES_MAX)
        return false;
    *scratch = *candidate;
    if (run_steps(scratch) || failing_op(scratch) != failing_op(run))
        return false;
    *run = *scratch;
    if (run->at + 1 < run->nsteps)
        run->nsteps = run->at + 1;
    return true;
}

static bool drop(struct run *run, unsigned first, unsigned n)
{
    static struct run candidate;
    candidate = *run;
    memmove(&candidate.steps[first], &candidate.steps[first + n],
            (candidate.nsteps - first - n) * sizeof candidate.steps[0]);
    candidate.nsteps -= n;
    return take_if_fails(run, &candidate);
}

static bool drop_pieces(struct run *run, unsigned n)
{
    bool any = false;
    for (unsigned end = run->nsteps; end >= n; end = end < run->nsteps ? end : run->nsteps) {
        bool dropped = drop(run, end - n, n);
        any |= dropped;
        end -= n;
    }
    return any;
}

static bool lower(struct run *run, unsigned at, int *value, int to)
{
    static struct run candidate;
    int was = *value;
    if (was == to)
        return false;
    *value = to;
    candidate = *run;
    *value = was;
    return take_if_fails(run, &candidate);
}

static bool make_alone(struct run *run, unsigned at)
{
    static struct run candidate;
    if (run->steps[at].how == HOW_ALONE)
        return false;
    candidate = *run;
    candidate.steps[at].how = HOW_ALONE;
    return take_if_fails(run, &candidate);
}

/* Smaller numbers, and nothing together or failing that need not be. */
static bool simplify(struct run *run)
{
    bool any = false;
    for (unsigned at = 0; at < run->nsteps; at++) {
        any |= make_alone(run, at);
        for (int i = 0; i < ARGS; i++) {
            int *value = &run->steps[at].a[i];
            bool lowered = lower(run, at, value, 0);
            if (!lowered && at<run->nsteps && * value> 1)
                lowered = lower(run, at, value, *value / 2);
            if (!lowered && at<run->nsteps && * value> 1)
                lowered = lower(run, at, value, *value - 1);
            any |= lowered;
        }
    }
    return any;
}

void shrink(struct run *run, bool verbose)
{
    bool smaller = true;
    tries = 0;
    for (unsigned cpus = 1; cpus < run->config.cpus; cpus *= 2) {
        static struct run candidate;
        candidate = *run;
        candidate.config.cpus = cpus;
        if (take_if_fails(run, &candidate))
            break;
    }
    while (smaller && tries < TRIES_MAX) {
        smaller = false;
        for (unsigned n = run->nsteps / 2; n > 0; n /= 2)
            smaller |= drop_pieces(run, n);
        if (!smaller)
            smaller = simplify(run);
        if (verbose)
            fprintf(stderr, "model: %u steps, %u tries\n", run->nsteps, tries);
    }
}
