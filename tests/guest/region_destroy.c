/* R5: destroying a region: who may, who waits, and what the name does meanwhile. */
#include "child.h"
#include "regions.h"

#define PAGE 4096ul

static void destroyer(void *name)
{
    CHECK_ERR(destroySharedRegion(name), ERR_OK);
    _exit(5);
}

static void second_destroyer(void *name)
{
    CHECK_ERR(destroySharedRegion(name), ERR_NOTEXIST);
}

/* A child that did not inherit the caller's mappings: it unmaps them first. */
struct leave {
    const char *name;
    void *beg;
    child_fn *then;
};

static void leave_then(void *arg)
{
    struct leave *l = arg;

    region_unmap(l->name, l->beg);
    l->then((void *)l->name);
}

static pid_t start_without(const char *name, void *beg, child_fn *then)
{
    struct leave l = {name, beg, then};

    return child_start(leave_then, &l);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};

    CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT));
    return info.si_pid == pid;
}

static void case_by_a_mapper(void)
{
    char *p = region_new("mine", PAGE);
    void *q = region_map("mine");

    *p = 1;
    CHECK_ERR(destroySharedRegion("mine"), ERR_INVAL);
    CHECK_EQ(*(char *)q, 1);
    region_unmap("mine", p);
    CHECK_ERR(destroySharedRegion("mine"), ERR_INVAL);
    region_unmap("mine", q);
    CHECK_ERR(destroySharedRegion("mine"), ERR_OK);
    region_must_be_gone("mine", "R5");
    CHECK_ERR(destroySharedRegion("never heard of"), ERR_NOTEXIST);
}

static void case_waits_for_the_last(void)
{
    char *p = region_new("wait", PAGE);
    char *q = region_map("wait");
    void *beg = NULL;
    pid_t pid;

    region_unmap("wait", q);
    pid = start_without("wait", p, destroyer);
    region_wait_closed("wait");
    CHECK(!has_ended(pid), "R5: the destroyer waits");
    CHECK_EQ(*p, 0); /* the memory is there as before */
    *p = 9;
    CHECK_EQ(*p, 9);
    CHECK_ERR(createMapping("wait", &beg), ERR_NOTEXIST);
    CHECK_ERR(createSharedRegion("wait", PAGE, RS_DEFAULT), ERR_EXIST); /* R3 */
    CHECK(!has_ended(pid), "R5: the destroyer still waits");
    region_unmap("wait", p);
    CHILD_EXITS(pid, 5);
    region_must_be_gone("wait", "R5");
}

/* The last mapping goes with its process. */
static void hold_until_killed(void *arg)
{
    (void)arg;
    for (;;)
        check_sleep_ms(1000);
}

static void case_waits_for_exit(void)
{
    char *p = region_new("exits", PAGE);
    pid_t holder = child_start(hold_until_killed, NULL);
    pid_t pid;

    region_unmap("exits", p);
    pid = child_start(destroyer, "exits");
    region_wait_closed("exits");
    CHECK(!has_ended(pid), "R5: the destroyer waits");
    child_kill(holder);
    CHILD_EXITS(pid, 5);
    region_must_be_gone("exits", "R5");
}

static void case_two_destroyers(void)
{
    char *p = region_new("twice", PAGE);
    pid_t first = start_without("twice", p, destroyer);

    region_wait_closed("twice");
    CHILD_EXITS(start_without("twice", p, second_destroyer), 0);
    CHECK(!has_ended(first), "R5: the first destroyer waits");
    region_unmap("twice", p);
    CHILD_EXITS(first, 5);
}

/* R5: a signal that ends the caller does not reopen the name; the last unmapper frees. */
static void case_killed_destroyer(void)
{
    char *p = region_new("signal", PAGE);
    pid_t pid = start_without("signal", p, destroyer);
    void *beg = NULL;

    region_wait_closed("signal");
    child_kill(pid);
    CHECK_ERR(createMapping("signal", &beg), ERR_NOTEXIST);
    CHECK_ERR(createSharedRegion("signal", PAGE, RS_DEFAULT), ERR_EXIST);
    *p = 3;
    CHECK_EQ(*p, 3);
    region_unmap("signal", p);
    region_must_be_gone("signal", "R5: the last mapper unmapped after the destroyer was killed:");
}

static void case_killed_destroyer_persistent(void)
{
    struct leave l = {"lasting", NULL, destroyer};
    pid_t pid;

    CHECK_ERR(createSharedRegion("lasting", PAGE, RS_PERSIST), ERR_OK);
    l.beg = region_map("lasting");
    pid = child_start(leave_then, &l);
    region_wait_closed("lasting");
    child_kill(pid);
    region_unmap("lasting", l.beg);
    region_must_be_gone("lasting", "R5: persistent, but destroyed:");
}

/* Who maps a closed region can still use and unmap it, lock included. */
static void case_mappers_go_on(void)
{
    char *p = region_new("go-on", 2 * PAGE);
    pid_t pid;

    CHECK_ERR(lockRegion("go-on"), ERR_OK);
    pid = start_without("go-on", p, destroyer);
    region_wait_closed("go-on");
    p[PAGE] = 1; /* touched for the first time after the name closed */
    CHECK_ERR(lockRegion("go-on"), ERR_DEADLOCK);
    CHECK_ERR(unlockRegion("go-on"), ERR_OK);
    CHECK_ERR(destroyMapping("go-on", p + PAGE + 5), ERR_OK);
    CHILD_EXITS(pid, 5);
}

/* A process that inherits a mapping of a closed region counts too. */
static void case_fork_while_closed(void)
{
    char *p = region_new("forked", PAGE);
    pid_t pid = start_without("forked", p, destroyer);
    pid_t heir;

    region_wait_closed("forked");
    heir = child_start(hold_until_killed, NULL);
    region_unmap("forked", p);
    check_sleep_ms(10);
    CHECK(!has_ended(pid), "R5: a forked process still has it mapped");
    child_kill(heir);
    CHILD_EXITS(pid, 5);
}

static void racer(void *arg)
{
    struct gate *g = arg;
    err_t err;

    gate_pass(g);
    err = destroySharedRegion("race");
    CHECK(err == ERR_OK || err == ERR_NOTEXIST, "R5: %s", shoal_errname(err));
    _exit(err == ERR_OK ? 1 : 0);
}

static void case_destroyers_race(void)
{
    struct gate g = gate_make();

    for (unsigned round = 0; round < 20; round++) {
        unsigned winners = 0;
        pid_t pids[4];

        CHECK_ERR(createSharedRegion("race", PAGE, RS_DEFAULT), ERR_OK);
        for (unsigned i = 0; i < 4; i++)
            pids[i] = child_start(racer, &g);
        gate_open(&g, 4);
        for (unsigned i = 0; i < 4; i++)
            winners += child_any_end(pids[i], CHECK_LIMIT_MS / 3) == 1 << 8;
        CHECK_EQ(winners, 1);
        region_must_be_gone("race", "R5");
    }
}

int main(void)
{
    RUN(case_by_a_mapper);
    RUN(case_waits_for_the_last);
    RUN(case_waits_for_exit);
    RUN(case_two_destroyers);
    RUN(case_killed_destroyer);
    RUN(case_killed_destroyer_persistent);
    RUN(case_mappers_go_on);
    RUN(case_fork_while_closed);
    RUN(case_destroyers_race);
    return check_done();
}
