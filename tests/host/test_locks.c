/* The lock of a region: whose it is, who waits, in what order, and what the death of an owner
 * leaves (R9, R10, A4). */
#include "door.h"
#include "runner.h"

#include <sched.h>
#include <signal.h>

#define SIZE (2 * U_PAGE)

static uint32_t step; /* the test's own: all its processes see it */

static void step_to(uint32_t to)
{
    __atomic_store_n(&step, to, __ATOMIC_SEQ_CST);
}

static bool step_is(uint32_t at)
{
    return __atomic_load_n(&step, __ATOMIC_SEQ_CST) >= at;
}

static uintptr_t begin(void)
{
    step_to(0);
    return u_new("r", SIZE, RS_PERSIST);
}

static void end(uintptr_t at)
{
    u_walk();
    U_EQ(u_unmap("r", at), 0);
    U_EQ(u_destroy("r"), 0);
}

static int one_owner(uintptr_t sp)
{
    uintptr_t at = begin();
    U_EQ(u_unlock("r"), ERR_INVAL);
    U_EQ(u_lock("r"), 0);
    U_EQ(u_region("r").lock_owner_tid, U_CALL(SYS_gettid));
    U_EQ(u_lock("r"), ERR_DEADLOCK);
    U_EQ(u_trylock("r"), ERR_DEADLOCK);
    U_EQ(u_lock_timed("r", U_MS), ERR_DEADLOCK);
    U_EQ(u_unlock("r"), 0);
    U_EQ(u_trylock("r"), 0);
    U_EQ(u_unlock("r"), 0);
    U_EQ(u_lock_timed("r", U_MS), 0);
    U_EQ(u_unlock("r"), 0);
    U_EQ(U_CALL(SHOAL_SYS_lockRegionTimed, u_string(0, "r"), U_BAD), ERR_FAULT);
    U_EQ(U_CALL(SHOAL_SYS_lockRegion, U_BAD), ERR_FAULT);
    U_EQ(U_CALL(SHOAL_SYS_tryLockRegion, U_BAD), ERR_FAULT);
    U_EQ(U_CALL(SHOAL_SYS_unlockRegion, U_BAD), ERR_FAULT);
    end(at);
    return 0;
}

static int other_thread(uintptr_t arg)
{
    U_EQ(u_trylock("r"), ERR_BUSY);
    U_EQ(u_lock_timed("r", U_MS), ERR_TIMEOUT);
    U_EQ(u_unlock("r"), ERR_INVAL);
    step_to(1);
    return 0;
}

static int threads_are_owners(uintptr_t sp)
{
    uintptr_t at = begin();
    U_EQ(u_lock("r"), 0);
    U_CHECK(u_thread(other_thread, 0) > 0);
    U_WAIT_UNTIL(step_is(1));
    U_EQ(u_region("r").lock_waiters, 0);
    U_EQ(u_unlock("r"), 0);
    end(at);
    return 0;
}

/* ---- waiters, in order of arrival */

static unsigned order[3], arrived;

static int wait_in_line(uintptr_t number)
{
    U_EQ(u_lock("r"), 0);
    order[arrived++] = (unsigned)number;
    U_EQ(u_unlock("r"), 0);
    return 0;
}

static int first_come(uintptr_t sp)
{
    long pid[3];
    uintptr_t at = begin();
    arrived = 0;
    U_EQ(u_lock("r"), 0);
    for (unsigned i = 0; i < 3; i++) {
        pid[i] = u_fork(wait_in_line, i);
        U_WAIT_UNTIL(u_region("r").lock_waiters == i + 1);
    }
    U_CHECK(u_file_has("/proc/regions", " 3\n"));
    u_walk();
    U_EQ(u_unlock("r"), 0);
    for (unsigned i = 0; i < 3; i++)
        u_must_exit(pid[i], 0);
    for (unsigned i = 0; i < 3; i++)
        U_EQ(order[i], i);
    end(at);
    return 0;
}

/* ---- an owner that leaves */

enum way {
    BY_EXIT,
    BY_KILL,
    BY_EXEC,
    BY_UNMAP,
    WAYS
};

static uintptr_t inherited;

static int own_and_leave(uintptr_t way)
{
    uintptr_t second = 0;
    U_EQ(u_lock("r"), 0);
    step_to(1);
    U_WAIT_UNTIL(step_is(2));
    switch ((enum way)way) {
    case BY_EXEC:
        U_EQ(u_exec("/bin/other"), 0);
        return 1;
    case BY_UNMAP:
        U_EQ(u_map("r", &second), 0); /* with two mappings it may lose one */
        U_EQ(u_unmap("r", second), 0);
        U_EQ(u_region("r").lock_owner_tid, U_CALL(SYS_gettid));
        U_EQ(U_CALL(SYS_munmap, inherited, SIZE), 0);
        U_EQ(u_unlock("r"), ERR_NOTEXIST);
        return 0;
    case BY_KILL:
        for (;;)
            U_CALL(SYS_sched_yield);
    default:
        return 0;
    }
}

static int other_program(uintptr_t sp)
{
    step_to(3);
    U_EQ(u_lock("r"), ERR_NOTEXIST); /* exec has left it: not mapped any more */
    return 0;
}

static int wait_for_dead(uintptr_t expected)
{
    U_EQ(u_lock("r"), (long)expected);
    U_EQ(u_unlock("r"), 0);
    return 0;
}

static void leave(enum way way, bool waited)
{
    int status;
    uintptr_t at = inherited = begin();
    long owner = u_fork(own_and_leave, way), waiter = 0;
    U_WAIT_UNTIL(step_is(1));
    if (waited) {
        waiter = u_fork(wait_for_dead, (uintptr_t)ERR_OWNERDEAD);
        U_WAIT_UNTIL(u_region("r").lock_waiters == 1);
    }
    step_to(2);
    if (way == BY_KILL)
        U_EQ(U_CALL(SYS_kill, (unsigned long)owner, SIGKILL), 0);
    U_EQ(u_wait(owner, &status), owner);
    U_EQ(status, way == BY_KILL ? SIGKILL : 0);
    if (waited)
        u_must_exit(waiter, 0);
    U_EQ(u_lock("r"), waited ? 0 : ERR_OWNERDEAD);
    U_EQ(u_unlock("r"), 0);
    U_EQ(u_lock("r"), 0); /* the warning is given once */
    U_EQ(u_unlock("r"), 0);
    end(at);
}

static int owners_leave(uintptr_t sp)
{
    for (unsigned way = 0; way < WAYS; way++)
        for (int waited = 0; waited < 2; waited++)
            leave((enum way)way, waited);
    return 0;
}

/* The address space goes on without the mapping, and so without its lock and its waiters. */
static int wait_until_gone(uintptr_t arg)
{
    long err = u_lock("r");
    U_CHECK(err == ERR_NOTEXIST);
    step_to(5);
    return 0;
}

static int detaching_ends_waits(uintptr_t sp)
{
    uintptr_t at = begin();
    step_to(1);
    long owner = u_fork(own_and_leave, BY_KILL);
    U_WAIT_UNTIL(u_region("r").lock_owner_tid != 0);
    U_CHECK(u_thread(wait_until_gone, 0) > 0);
    U_WAIT_UNTIL(u_region("r").lock_waiters == 1);
    U_EQ(u_unmap("r", at), 0);
    U_WAIT_UNTIL(step_is(5));
    int status;
    U_EQ(U_CALL(SYS_kill, (unsigned long)owner, SIGKILL), 0);
    U_EQ(u_wait(owner, &status), owner);
    U_EQ(u_destroy("r"), 0);
    at = begin();
    U_EQ(u_lock("r"), 0);
    U_EQ(U_CALL(SYS_munmap, at, U_PAGE), 0);
    U_CHECK(u_region("r").lock_owner_tid != 0); /* a piece is left */
    U_EQ(U_CALL(SYS_munmap, at, SIZE), 0);
    U_EQ(u_region("r").lock_owner_tid, 0);
    U_EQ(u_unlock("r"), ERR_NOTEXIST);
    U_EQ(u_map("r", &at), 0);
    U_EQ(u_lock("r"), ERR_OWNERDEAD);
    U_EQ(u_unlock("r"), 0);
    end(at);
    return 0;
}

/* ---- waits that end early */

static int interrupted(uintptr_t arg)
{
    u_ignore_by_handler(SIGUSR1, 0);
    U_EQ(u_lock("r"), ERR_INTR);
    return 0;
}

static int unnamed(uintptr_t arg)
{
    U_EQ(u_lock("r"), ERR_NOTEXIST);
    return 0;
}

static int waits_end(uintptr_t sp)
{
    uintptr_t at = begin();
    U_EQ(u_lock("r"), 0);
    long pid = u_fork(interrupted, 0);
    U_WAIT_UNTIL(u_region("r").lock_waiters == 1 && u_sleeps(pid));
    U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGUSR1), 0);
    u_must_exit(pid, 0);
    long one = u_fork(unnamed, 0), two = u_fork(unnamed, 0);
    U_WAIT_UNTIL(u_region("r").lock_waiters == 2);
    U_EQ(u_destroy_with("r", RS_UNLINK), 0); /* nobody can find it any more: no lock to wait for */
    u_must_exit(one, 0);
    u_must_exit(two, 0);
    U_EQ(u_unlock("r"), 0);
    U_EQ(U_CALL(SYS_munmap, at, SIZE), 0);
    return 0;
}

/* A child of fork has the mapping and not the lock. */
static int inherits_no_lock(uintptr_t arg)
{
    U_EQ(u_trylock("r"), ERR_BUSY);
    U_EQ(u_unlock("r"), ERR_INVAL);
    return 0;
}

static int fork_and_lock(uintptr_t sp)
{
    uintptr_t at = begin();
    U_EQ(u_lock("r"), 0);
    u_child_does(inherits_no_lock, 0);
    U_EQ(u_region("r").lock_owner_tid, U_CALL(SYS_gettid));
    U_EQ(u_unlock("r"), 0);
    end(at);
    return 0;
}

static const struct host_program programs[] = {{"/bin/other", other_program}, {0}};

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "one_owner", .init = one_owner, .runs = 1},
        {.name = "threads_are_owners", .init = threads_are_owners, .runs = 3},
        {.name = "first_come", .init = first_come, .runs = 3},
        {.name = "owners_leave", .init = owners_leave, .runs = 3, .programs = programs},
        {.name = "detaching_ends_waits", .init = detaching_ends_waits, .runs = 3},
        {.name = "waits_end", .init = waits_end, .runs = 3},
        {.name = "fork_and_lock", .init = fork_and_lock, .runs = 2},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
