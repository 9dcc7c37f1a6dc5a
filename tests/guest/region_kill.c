/* A4: kill -9 at random moments against processes that hold, wait, map, destroy.  Afterwards
 * nothing is left: no name, no count, no lock.  The first argument is the seed. */
#include "child.h"
#include "regions.h"

#define PAGE    4096ul
#define VICTIMS 8
#define REGIONS 3

static struct rng rng;
static const char *const names[REGIONS] = {"storm-a", "storm-b", "storm-c"};

/* Answers that are allowed at any moment of the storm; everything else is an error of the kernel.
 */
static void allowed(const char *call, err_t err, const err_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (err == list[i])
            return;
    CHECK(false, "%s = %s", call, shoal_errname(err));
}

#define ALLOWED(call, ...)                                                                         \
    do {                                                                                           \
        const err_t list[] = {__VA_ARGS__};                                                        \
        allowed(#call, call, list, sizeof(list) / sizeof(list[0]));                                \
    } while (0)

/* Maps, locks, writes, unlocks and unmaps, for ever, in a random mixture. */
static void victim(void *arg)
{
    struct rng mine = {(uint64_t)(long)arg};

    for (;;) {
        const char *name = names[rng_below(&mine, REGIONS)];
        void *beg = NULL;
        err_t err = createMapping(name, &beg);

        if (err == ERR_NOTEXIST) {
            ALLOWED(createSharedRegion(name, 3 * PAGE, RS_DEFAULT), ERR_OK, ERR_EXIST);
            continue;
        }
        CHECK_ERR(err, ERR_OK);
        if (rng_below(&mine, 3)) {
            ALLOWED(lockRegion(name), ERR_OK, ERR_OWNERDEAD, ERR_NOTEXIST, ERR_DEADLOCK);
            ((volatile char *)beg)[rng_below(&mine, 3 * PAGE)] = 1;
            if (rng_below(&mine, 4))
                ALLOWED(unlockRegion(name), ERR_OK, ERR_INVAL, ERR_NOTEXIST);
        }
        if (rng_below(&mine, 8) == 0)
            _exit(0);
        ALLOWED(destroyMapping(name, beg), ERR_OK, ERR_NOTEXIST);
        if (rng_below(&mine, 6) == 0)
            ALLOWED(destroySharedRegion(name), ERR_OK, ERR_NOTEXIST, ERR_INVAL);
    }
}

static unsigned reap(pid_t pid)
{
    int status = child_any_end(pid, CHECK_LIMIT_MS / 3);

    CHECK(status != -1, "A4: a killed process does not end");
    CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
          "a victim ended with status 0x%x", (unsigned)status);
    return 1;
}

static void storm(unsigned kills)
{
    pid_t pids[VICTIMS];

    for (unsigned i = 0; i < VICTIMS; i++)
        pids[i] = child_start(victim, (void *)(long)(rng_next(&rng) | 1));
    for (unsigned i = 0; i < kills; i++) {
        unsigned n = (unsigned)rng_below(&rng, VICTIMS);

        for (volatile unsigned long wait = rng_below(&rng, 20000); wait > 0; wait--)
            ;
        if (i % 4 == 0)
            check_sleep_ms((long)rng_below(&rng, 3));
        kill(pids[n], SIGKILL);
        reap(pids[n]);
        pids[n] = child_start(victim, (void *)(long)(rng_next(&rng) | 1));
    }
    for (unsigned i = 0; i < VICTIMS; i++)
        kill(pids[i], SIGKILL);
    for (unsigned i = 0; i < VICTIMS; i++)
        reap(pids[i]);
}

static void case_storm(void)
{
    storm(150);
    for (unsigned i = 0; i < REGIONS; i++)
        region_must_be_gone(names[i], "A4: after the storm");
}

/* The same names, but mapped here all the time: the data must survive and the count come back to
 * one. */
static void case_storm_around_a_mapper(void)
{
    volatile char *p;

    CHECK_ERR(createSharedRegion("safe", PAGE, RS_DEFAULT), ERR_OK);
    p = region_map("safe");
    *p = 0x5e;
    storm(80);
    CHECK_EQ(*p, 0x5e);
    CHECK_EQ(region_look("safe").mappings, 1);
    CHECK_EQ(region_look("safe").waiters, 0);
    CHECK_ERR(lockRegion("safe"), ERR_OK);
    CHECK_ERR(unlockRegion("safe"), ERR_OK);
}

static void lock_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        ALLOWED(lockRegion("hot"), ERR_OK, ERR_OWNERDEAD);
        CHECK_ERR(unlockRegion("hot"), ERR_OK);
    }
}

/* Holders and waiters of one lock killed: it never gets lost. */
static void case_hot_lock(void)
{
    pid_t pids[6];
    err_t err;

    region_new("hot", PAGE);
    for (unsigned i = 0; i < 6; i++)
        pids[i] = child_start(lock_for_ever, NULL);
    for (unsigned i = 0; i < 150; i++) {
        unsigned n = (unsigned)rng_below(&rng, 6);

        if (i % 3 == 0)
            check_sleep_ms(1);
        kill(pids[n], SIGKILL);
        reap(pids[n]);
        pids[n] = child_start(lock_for_ever, NULL);
        if (i % 10 == 0) {
            err = lockRegion("hot");
            CHECK(err == ERR_OK || err == ERR_OWNERDEAD, "R10: %s", shoal_errname(err));
            CHECK_ERR(unlockRegion("hot"), ERR_OK);
        }
    }
    for (unsigned i = 0; i < 6; i++)
        child_kill(pids[i]);
    CHECK_EQ(region_look("hot").waiters, 0);
    CHECK_EQ(region_look("hot").mappings, 1);
    err = lockRegion("hot");
    CHECK(err == ERR_OK || err == ERR_OWNERDEAD, "R10: %s", shoal_errname(err));
}

static void destroy_once(void *name)
{
    ALLOWED(destroySharedRegion(name), ERR_OK, ERR_NOTEXIST);
}

static void map_and_sleep(void *arg)
{
    void *beg = NULL;

    if (createMapping(arg, &beg) == ERR_OK)
        check_sleep_ms(20000);
}

/* Destroyers killed while mappers come and go. */
static void case_destroyers(void)
{
    for (unsigned round = 0; round < 40; round++) {
        pid_t pids[4];

        CHECK_ERR(createSharedRegion("target", 2 * PAGE, RS_PERSIST), ERR_OK);
        for (unsigned i = 0; i < 4; i++)
            pids[i] = child_start(i < 2 ? map_and_sleep : destroy_once, "target");
        for (volatile unsigned long wait = rng_below(&rng, 50000); wait > 0; wait--)
            ;
        for (unsigned i = 0; i < 4; i++) {
            unsigned n = (i + round) % 4;

            kill(pids[n], SIGKILL);
            reap(pids[n]);
        }
        destroy_once("target"); /* no destroyer may have come so far */
        region_must_be_gone("target", "A4, R5");
    }
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    RUN(case_storm);
    RUN(case_storm_around_a_mapper);
    RUN(case_hot_lock);
    RUN(case_destroyers);
    return check_done();
}
