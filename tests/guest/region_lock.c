/* R9: the region lock. */
#include <sched.h>
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE 4096ul

static void case_one_process(void)
{
    void *p, *q;

    CHECK_ERR(createSharedRegion("l", PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(lockRegion("l"), ERR_NOTEXIST);
    CHECK_ERR(tryLockRegion("l"), ERR_NOTEXIST);
    CHECK_ERR(unlockRegion("l"), ERR_NOTEXIST);
    p = region_map("l");
    CHECK_ERR(unlockRegion("l"), ERR_INVAL);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_ERR(i % 2 ? tryLockRegion("l") : lockRegion("l"), ERR_OK);
        CHECK_ERR(lockRegion("l"), ERR_DEADLOCK);
        CHECK_ERR(tryLockRegion("l"), ERR_DEADLOCK);
        CHECK_ERR(unlockRegion("l"), ERR_OK);
        CHECK_ERR(unlockRegion("l"), ERR_INVAL);
    }
    q = region_map("l");
    CHECK_ERR(lockRegion("l"), ERR_OK);
    region_unmap("l", p); /* the other mapping is enough to hold the lock */
    CHECK_ERR(lockRegion("l"), ERR_DEADLOCK);
    CHECK_ERR(unlockRegion("l"), ERR_OK);
    region_unmap("l", q);
    CHECK_ERR(lockRegion("l"), ERR_NOTEXIST);
    CHECK_ERR(lockRegion("unknown"), ERR_NOTEXIST);
    CHECK_ERR(unlockRegion("unknown"), ERR_NOTEXIST);
    CHECK_ERR(tryLockRegion("unknown"), ERR_NOTEXIST);
}

static void try_and_unlock(void *arg)
{
    (void)arg;
    CHECK_ERR(tryLockRegion("busy"), ERR_BUSY);
    CHECK_ERR(unlockRegion("busy"), ERR_INVAL);
}

static void case_busy(void)
{
    region_new("busy", PAGE);
    CHECK_ERR(lockRegion("busy"), ERR_OK);
    MUST_EXIT(try_and_unlock, NULL, 0);
    CHECK_ERR(lockRegion("busy"), ERR_DEADLOCK);
    CHECK_ERR(unlockRegion("busy"), ERR_OK);
}

/* What a counter in the region says when each of several processes adds to it, in two steps, under
 * the lock. */
#define ADDERS 4
#define ADDS   300

static void adder(void *arg)
{
    volatile unsigned *counter = arg;

    for (unsigned i = 0; i < ADDS; i++) {
        unsigned was;

        CHECK_ERR(lockRegion("count"), ERR_OK);
        was = *counter;
        if (i % 16 == 0)
            sched_yield();
        *counter = was + 1;
        CHECK_ERR(unlockRegion("count"), ERR_OK);
    }
}

static void case_mutual_exclusion(void)
{
    volatile unsigned *counter = region_new("count", PAGE);
    pid_t pids[ADDERS];

    for (unsigned i = 0; i < ADDERS; i++)
        pids[i] = child_start(adder, (void *)counter);
    for (unsigned i = 0; i < ADDERS; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_EQ(*counter, ADDERS * ADDS);
    CHECK_EQ(region_look("count").waiters, 0);
}

struct line {
    unsigned n;
    int order[32];
};

static struct line *line;

static void stand_in_line(void *arg)
{
    CHECK_ERR(lockRegion("line"), ERR_OK);
    line->order[line->n++] = (int)(long)arg;
    CHECK_ERR(unlockRegion("line"), ERR_OK);
}

/* Starts n waiters, each in line before the next comes. */
static void waiters_start(pid_t *pids, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pids[i] = child_start(stand_in_line, (void *)(long)i);
        WAIT_WAITERS("line", i + 1);
    }
}

static void case_order_of_arrival(void)
{
    pid_t pids[10];

    line = region_new("line", PAGE);
    for (unsigned round = 0; round < 3; round++) {
        line->n = 0;
        CHECK_ERR(lockRegion("line"), ERR_OK);
        waiters_start(pids, 10);
        CHECK_EQ(line->n, 0);
        CHECK_ERR(unlockRegion("line"), ERR_OK);
        for (unsigned i = 0; i < 10; i++)
            CHILD_EXITS(pids[i], 0);
        for (int i = 0; i < 10; i++)
            CHECK(line->order[i] == i, "R9: waiter %d came in place %d", line->order[i], i);
    }
}

/* Who unlocks and locks again at once comes after those who wait. */
static void case_no_overtaking(void)
{
    pid_t pids[4];

    line = region_new("line", PAGE);
    CHECK_ERR(lockRegion("line"), ERR_OK);
    waiters_start(pids, 4);
    CHECK_ERR(unlockRegion("line"), ERR_OK);
    CHECK_ERR(lockRegion("line"), ERR_OK);
    CHECK(line->n == 4, "R9: the old holder came back after %u of 4 waiters", line->n);
    CHECK_ERR(unlockRegion("line"), ERR_OK);
    for (unsigned i = 0; i < 4; i++)
        CHILD_EXITS(pids[i], 0);
}

static void case_killed_waiters(void)
{
    pid_t pids[6];

    line = region_new("line", PAGE);
    CHECK_ERR(lockRegion("line"), ERR_OK);
    waiters_start(pids, 6);
    child_kill(pids[0]);
    child_kill(pids[3]);
    child_kill(pids[5]);
    CHECK_EQ(region_look("line").waiters, 3);
    CHECK_ERR(unlockRegion("line"), ERR_OK);
    CHILD_EXITS(pids[1], 0);
    CHILD_EXITS(pids[2], 0);
    CHILD_EXITS(pids[4], 0);
    CHECK_EQ(line->n, 3);
    CHECK_EQ(line->order[0] * 100 + line->order[1] * 10 + line->order[2], 124);
    CHECK_ERR(tryLockRegion("line"), ERR_OK);
    CHECK_ERR(unlockRegion("line"), ERR_OK);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void interrupted(void *arg)
{
    struct sigaction sa = {.sa_handler = on_signal};

    (void)arg;
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    CHECK_ERR(lockRegion("intr"), ERR_INTR);
    CHECK_ERR(unlockRegion("intr"), ERR_INVAL);
    CHECK_ERR(tryLockRegion("intr"), ERR_BUSY);
}

static void case_interrupted_waiter(void)
{
    pid_t pid;

    region_new("intr", PAGE);
    CHECK_ERR(lockRegion("intr"), ERR_OK);
    pid = child_start(interrupted, NULL);
    WAIT_WAITERS("intr", 1);
    CHECK_OK(kill(pid, SIGUSR1));
    CHILD_EXITS(pid, 0);
    CHECK_EQ(region_look("intr").waiters, 0);
    CHECK_ERR(unlockRegion("intr"), ERR_OK);
}

static void wait_while_destroyed(void *arg)
{
    err_t err = lockRegion("doomed");

    (void)arg;
    if (err == ERR_OK) {
        CHECK_ERR(unlockRegion("doomed"), ERR_OK);
        _exit(10);
    }
    CHECK_ERR(err, ERR_NOTEXIST);
    _exit(11);
}

static void destroyer(void *beg)
{
    region_unmap("doomed", beg);
    CHECK_ERR(destroySharedRegion("doomed"), ERR_OK);
}

/* R9: destroyed under a waiter.  The waiter has it mapped, so that the memory stays; it may be told
 * at once that the region goes, or still get the lock when the holder unlocks.  It must not hang
 * and must not hold what is gone. */
static void case_destroyed_under_a_waiter(void)
{
    char *p = region_new("doomed", PAGE);
    pid_t waiter, killer;
    int status;

    CHECK_ERR(lockRegion("doomed"), ERR_OK);
    waiter = child_start(wait_while_destroyed, NULL);
    WAIT_WAITERS("doomed", 1);
    killer = child_start(destroyer, p);
    region_wait_closed("doomed");
    CHECK_ERR(unlockRegion("doomed"), ERR_OK);
    CHECK_EQ(check_wait(waiter, &status, CHECK_LIMIT_MS / 3), 0);
    CHECK(status == 10 << 8 || status == 11 << 8, "R9: the waiter ended with 0x%x",
          (unsigned)status);
    region_unmap("doomed", p);
    CHILD_EXITS(killer, 0);
    region_must_be_gone("doomed", "R5");
}

/* U3: the kernel knows the holder; the table names it and counts who waits (A10). */
static void case_table(void)
{
    char pid_text[16], idle[32];
    pid_t pids[2];

    line = region_new("line", PAGE);
    strcpy(idle, region_look("line").holder);
    snprintf(pid_text, sizeof(pid_text), "%d", getpid());
    CHECK_ERR(lockRegion("line"), ERR_OK);
    CHECK(strstr(region_look("line").holder, pid_text), "A10: holder %s, must be %s",
          region_look("line").holder, pid_text);
    waiters_start(pids, 2);
    CHECK_EQ(region_look("line").waiters, 2);
    CHECK_ERR(unlockRegion("line"), ERR_OK);
    CHILD_EXITS(pids[0], 0);
    CHILD_EXITS(pids[1], 0);
    CHECK(strcmp(region_look("line").holder, idle) == 0, "A10: free again, the table says %s",
          region_look("line").holder);
}

/* The name is gone, but the holder can let go of what it holds: by the name it had. */
static void case_unlock_unlinked(void)
{
    void *p = region_new("unlinked", PAGE), *q;

    CHECK_ERR(lockRegion("unlinked"), ERR_OK);
    CHECK_ERR(destroySharedRegionWith("unlinked", RS_UNLINK, NULL), ERR_OK);
    CHECK_ERR(lockRegion("unlinked"), ERR_NOTEXIST);
    CHECK_ERR(unlockRegion("unlinke"), ERR_NOTEXIST);
    CHECK_ERR(unlockRegion("unlinked"), ERR_OK);
    CHECK_ERR(unlockRegion("unlinked"), ERR_NOTEXIST);
    CHECK_EQ(munmap(p, PAGE), 0);

    /* The region that has the name now comes first. */
    p = region_new("unlinked", PAGE);
    CHECK_ERR(lockRegion("unlinked"), ERR_OK);
    CHECK_ERR(destroySharedRegionWith("unlinked", RS_UNLINK, NULL), ERR_OK);
    q = region_new("unlinked", PAGE);
    CHECK_ERR(unlockRegion("unlinked"), ERR_OK); /* it is not held: the old one is meant */
    CHECK_ERR(unlockRegion("unlinked"), ERR_INVAL);
    CHECK_ERR(lockRegion("unlinked"), ERR_OK);
    CHECK_ERR(unlockRegion("unlinked"), ERR_OK);
    CHECK_EQ(munmap(p, PAGE), 0);
    region_unmap("unlinked", q);
    CHECK_ERR(destroySharedRegion("unlinked"), ERR_OK);
}

int main(void)
{
    RUN(case_unlock_unlinked);
    RUN(case_one_process);
    RUN(case_busy);
    RUN(case_mutual_exclusion);
    RUN(case_order_of_arrival);
    RUN(case_no_overtaking);
    RUN(case_killed_waiters);
    RUN(case_interrupted_waiter);
    RUN(case_destroyed_under_a_waiter);
    RUN(case_table);
    return check_done();
}
