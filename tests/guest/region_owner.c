/* R10: the lock's holder goes without unlocking: the first waiter gets the lock, and is told. */
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE 4096ul

static const char *self;

struct holder {
    struct gate ready, go;
    void *beg;
};

static void hold(struct holder *h)
{
    CHECK_ERR(lockRegion("own"), ERR_OK);
    gate_open(&h->ready, 1);
    gate_pass(&h->go);
}

static void hold_and_exit(void *arg)
{
    hold(arg);
}

static void hold_and_fault(void *arg)
{
    hold(arg);
    *(volatile int *)8 = 1;
}

static void hold_and_exec(void *arg)
{
    char *argv[] = {(char *)self, "sleep", NULL};

    hold(arg);
    execv(self, argv);
    CHECK(false, "exec: %s", strerror(errno));
}

static void hold_and_unmap(void *arg)
{
    struct holder *h = arg;

    hold(h);
    region_unmap("own", h->beg);
    check_sleep_ms(20000);
}

static void hold_and_munmap(void *arg)
{
    struct holder *h = arg;

    hold(h);
    CHECK_OK(munmap(h->beg, 2 * PAGE));
    check_sleep_ms(20000);
}

static void hold_and_sleep(void *arg)
{
    hold(arg);
    check_sleep_ms(20000);
}

static void expect_owner_dead(void *arg)
{
    (void)arg;
    CHECK_ERR(lockRegion("own"), ERR_OWNERDEAD);
    CHECK_ERR(lockRegion("own"), ERR_DEADLOCK); /* it does hold it */
    CHECK_ERR(unlockRegion("own"), ERR_OK);
}

static void expect_ok(void *arg)
{
    (void)arg;
    CHECK_ERR(lockRegion("own"), ERR_OK);
    CHECK_ERR(unlockRegion("own"), ERR_OK);
}

/* A holder that ends as `fn` says; two waiters: the first hears of it, the second no more. */
static void holder_goes(child_fn *fn, bool kill_it)
{
    struct holder h = {gate_make(), gate_make(), NULL};
    pid_t holder, first, second;

    h.beg = region_new("own", 2 * PAGE);
    holder = child_start(fn, &h);
    gate_pass(&h.ready);
    first = child_start(expect_owner_dead, NULL);
    WAIT_WAITERS("own", 1);
    second = child_start(expect_ok, NULL);
    WAIT_WAITERS("own", 2);
    if (kill_it)
        CHECK_OK(kill(holder, SIGKILL));
    else
        gate_open(&h.go, 1);
    CHILD_EXITS(first, 0);
    CHILD_EXITS(second, 0);
    if (!kill_it)
        kill(holder, SIGKILL);
    child_any_end(holder, CHECK_LIMIT_MS / 3);
    expect_ok(NULL);
}

static void case_exit(void)
{
    holder_goes(hold_and_exit, false);
}

static void case_fault(void)
{
    holder_goes(hold_and_fault, false);
}

static void case_exec(void)
{
    holder_goes(hold_and_exec, false);
}

static void case_unmap(void)
{
    holder_goes(hold_and_unmap, false);
}

static void case_munmap(void)
{
    holder_goes(hold_and_munmap, false);
}

static void case_kill(void)
{
    holder_goes(hold_and_sleep, true);
}

/* Nobody waits when the holder goes: the lock is not lost. */
static void case_nobody_waits(void)
{
    struct holder h = {gate_make(), gate_make(), NULL};
    err_t err;
    pid_t pid;

    region_new("own", PAGE);
    pid = child_start(hold_and_sleep, &h);
    gate_pass(&h.ready);
    CHECK_ERR(tryLockRegion("own"), ERR_BUSY);
    child_kill(pid);
    err = tryLockRegion("own");
    CHECK(err == ERR_OK || err == ERR_OWNERDEAD, "R10: %s", shoal_errname(err));
    CHECK_ERR(unlockRegion("own"), ERR_OK);
    expect_ok(NULL);
}

/* The heir dies too, holding: the next waiter is told in turn. */
static void inherit_and_die(void *arg)
{
    (void)arg;
    CHECK_ERR(lockRegion("own"), ERR_OWNERDEAD);
}

static void case_chain_of_deaths(void)
{
    struct holder h = {gate_make(), gate_make(), NULL};
    pid_t holder, pids[5];

    region_new("own", PAGE);
    holder = child_start(hold_and_exit, &h);
    gate_pass(&h.ready);
    for (unsigned i = 0; i < 5; i++) {
        pids[i] = child_start(i < 4 ? inherit_and_die : expect_owner_dead, NULL);
        WAIT_WAITERS("own", i + 1);
    }
    gate_open(&h.go, 1);
    CHILD_EXITS(holder, 0);
    for (unsigned i = 0; i < 5; i++)
        CHILD_EXITS(pids[i], 0);
    expect_ok(NULL);
}

static void child_is_not_owner(void *arg)
{
    (void)arg;
    CHECK_ERR(tryLockRegion("own"), ERR_BUSY);
    CHECK_ERR(unlockRegion("own"), ERR_INVAL);
}

/* Fork: the parent stays owner, and the child's end does not touch the lock. */
static void case_fork(void)
{
    region_new("own", PAGE);
    CHECK_ERR(lockRegion("own"), ERR_OK);
    for (unsigned i = 0; i < 10; i++)
        MUST_EXIT(child_is_not_owner, NULL, 0);
    CHECK_ERR(lockRegion("own"), ERR_DEADLOCK);
    CHECK_ERR(unlockRegion("own"), ERR_OK);
}

static void lock_named(void *name)
{
    CHECK_ERR(lockRegion(name), ERR_OK);
    CHECK_ERR(unlockRegion(name), ERR_OK);
}

/* One region's unlock, or its holder's death, never wakes another's waiter. */
static void case_two_regions(void)
{
    pid_t a, b;
    int status;

    region_new("own", PAGE);
    region_new("own2", PAGE);
    CHECK_ERR(lockRegion("own"), ERR_OK);
    CHECK_ERR(lockRegion("own2"), ERR_OK);
    a = child_start(lock_named, "own");
    b = child_start(lock_named, "own2");
    WAIT_WAITERS("own", 1);
    WAIT_WAITERS("own2", 1);
    CHECK_ERR(unlockRegion("own2"), ERR_OK);
    CHILD_EXITS(b, 0);
    CHECK_EQ(region_look("own").waiters, 1);
    CHECK_EQ(waitpid(a, &status, WNOHANG), 0);
    CHECK_ERR(unlockRegion("own"), ERR_OK);
    CHILD_EXITS(a, 0);
}

/* A holder of many locks dies: each region's waiter is told. */
static void lock_many(void *arg)
{
    struct holder *h = arg;
    char name[16];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "many%u", i);
        CHECK_ERR(lockRegion(name), ERR_OK);
    }
    gate_open(&h->ready, 1);
    gate_pass(&h->go);
}

static void wait_one(void *arg)
{
    CHECK_ERR(lockRegion(arg), ERR_OWNERDEAD);
    CHECK_ERR(unlockRegion(arg), ERR_OK);
}

static void case_many_locks(void)
{
    struct holder h = {gate_make(), gate_make(), NULL};
    pid_t holder, pids[8];
    char name[16];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "many%u", i);
        region_new(name, PAGE);
    }
    holder = child_start(lock_many, &h);
    gate_pass(&h.ready);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "many%u", i);
        pids[i] = child_start(wait_one, name);
        WAIT_WAITERS(name, 1);
    }
    child_kill(holder);
    for (unsigned i = 0; i < 8; i++)
        CHILD_EXITS(pids[i], 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        check_sleep_ms(20000);
        return 0;
    }
    self = argv[0];
    RUN(case_exit);
    RUN(case_fault);
    RUN(case_exec);
    RUN(case_unmap);
    RUN(case_munmap);
    RUN(case_kill);
    RUN(case_nobody_waits);
    RUN(case_chain_of_deaths);
    RUN(case_fork);
    RUN(case_two_regions);
    RUN(case_many_locks);
    return check_done();
}
