/* A signal to a group is to all of it: a child that is being forked at that moment does not escape
 * (A4 would hold for nobody who is not killed).  The first argument is the seed. */
#include "child.h"

#define ROUNDS  60
#define FORKERS 3

static struct rng rng;

static void forker(void *arg)
{
    pid_t group = *(pid_t *)arg;

    CHECK_OK(setpgid(0, group));
    for (;;)
        if (fork() == 0)
            for (;;)
                pause();
}

static void case_nobody_escapes(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        pid_t pids[FORKERS] = {0};

        for (unsigned i = 0; i < FORKERS; i++) {
            pids[i] = child_start(forker, &pids[0]);
            (void)setpgid(pids[i], pids[0]); /* here or there, whoever is first */
        }
        for (volatile unsigned long wait = rng_below(&rng, 60000); wait > 0; wait--)
            ;
        CHECK_OK(kill(-pids[0], SIGKILL));
        for (unsigned i = 0; i < FORKERS; i++)
            CHILD_DIES(pids[i], SIGKILL);
        /* Orphans are init's to wait for. */
        WAIT_UNTIL(kill(-pids[0], 0) < 0 && errno == ESRCH, "round %u: somebody of the group lives",
                   round);
    }
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    RUN(case_nobody_escapes);
    return check_done();
}
