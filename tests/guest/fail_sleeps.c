/* Every call that blocks, with its sleep ended as if by a signal, or its time limit reached: -EINTR
 * and as before, or made again and done (the table of kernel/syscall says which). */
#include "failrow.h"

#include <poll.h>
#include <sched.h>
#include <sys/select.h>

#include <abi/zone.h>

#include "doors.h"
#include "futex.h"

#define BIG (40 * PAGE)

static void *mapped;
static struct region_map how;
static struct timespec long_time = {1000, 0}, short_time = {0, 2000000};
static struct pollfd polled;
static fd_set set;
static char big[BIG];
static sigset_t signals;
static int status;

/* ---- Another process, which does what ends the sleep, once this one sleeps. */

struct plan {
    void (*first)(void);   /* before the call */
    void (*release)(void); /* during it */
    struct gate ready;
    pid_t helper, caller;
};

static struct plan plan;

static void help(void *arg)
{
    (void)arg;
    if (plan.first)
        plan.first();
    gate_open(&plan.ready, 1);
    WAIT_UNTIL(process_sleeps(plan.caller), "the caller does not sleep");
    plan.release();
    for (;;)
        pause();
}

static void plan_begin(void (*first)(void), void (*release)(void))
{
    plan.first = first;
    plan.release = release;
    plan.ready = gate_make();
    plan.caller = getpid();
    plan.helper = child_start(help, NULL);
    gate_pass(&plan.ready);
}

static void plan_end(void)
{
    child_kill(plan.helper);
    close(plan.ready.fd[0]);
    close(plan.ready.fd[1]);
}

/* ---- Regions */

static void lock_it(void)
{
    (void)region_map("fail");
    CHECK_ERR(lockRegion("fail"), ERR_OK);
}

static void unlock_it(void)
{
    CHECK_ERR(unlockRegion("fail"), ERR_OK);
}

static void locked_by_another(void)
{
    mapped = region_new("fail", PAGE);
    plan_begin(lock_it, unlock_it);
}

static void unlock_all(void)
{
    plan_end();
    region_unmap("fail", mapped);
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

static void lock(struct fail_step *call)
{
    locked_by_another();
    SHOAL_CALL(lockRegion, (long)"fail");
}

static void lock_timed(struct fail_step *call)
{
    locked_by_another();
    SHOAL_CALL(lockRegionTimed, (long)"fail", (long)&long_time);
}

static void map_it(void)
{
    mapped = region_map("fail");
}

static void unmap_it(void)
{
    region_unmap("fail", mapped);
}

static void mapped_by_another(void)
{
    CHECK_ERR(createSharedRegion("fail", PAGE, RS_PERSIST), ERR_OK);
    plan_begin(map_it, unmap_it);
}

static void destroy(struct fail_step *call)
{
    mapped_by_another();
    SHOAL_CALL(destroySharedRegion, (long)"fail");
}

static void destroy_timed(struct fail_step *call)
{
    mapped_by_another();
    SHOAL_CALL(destroySharedRegionWith, (long)"fail", RS_WAIT, (long)&long_time);
}

/* R5: it stays closed, and the last to unmap frees it. */
static void last_unmaps(void)
{
    plan_end();
    region_must_be_gone("fail", "R5");
}

static void create_it(void)
{
    CHECK_ERR(createSharedRegion("fail", PAGE, RS_PERSIST), ERR_OK);
}

static void map_wait(struct fail_step *call, long timeout_s)
{
    plan_begin(NULL, create_it);
    how = (struct region_map){.flags = RM_WAIT, .timeout_s = timeout_s};
    SHOAL_CALL(createMappingWith, (long)"fail", (long)&mapped, (long)&how);
}

static void map_wait_for_ever(struct fail_step *call)
{
    map_wait(call, -1);
}

static void map_wait_timed(struct fail_step *call)
{
    map_wait(call, 1000);
}

static void mapped_and_destroyed(void)
{
    region_unmap("fail", mapped);
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

static void create_zone(void)
{
    CHECK(zone_get(5, M_CREATE, 1) > 0, "Z1");
}

static void zone_wait(struct fail_step *call)
{
    plan_begin(NULL, create_zone);
    SHOAL_CALL(shmem, 5, M_WAIT, 1);
}

static void zone_got(void)
{
    CHECK_OK(munmap((char *)row_result, PAGE));
}

/* ---- Pipes, poll */

static void write_byte(void)
{
    CHECK_EQ(write(pipe_fds[1], "x", 1), 1);
}

static void end_pipe(void)
{
    plan_end();
    close_pipe();
}

static void pipe_to_be_written(void)
{
    make_pipe();
    plan_begin(NULL, write_byte);
}

static void read_pipe(struct fail_step *call)
{
    pipe_to_be_written();
    CALL(read, pipe_fds[0], (long)big, 10);
}

static void drain(void)
{
    CHECK(read(pipe_fds[0], big, BIG) > 0, "read: %s", strerror(errno));
}

static void write_full_pipe(struct fail_step *call)
{
    make_pipe();
    CHECK_OK(fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK));
    while (write(pipe_fds[1], big, PAGE) > 0)
        ;
    CHECK_OK(fcntl(pipe_fds[1], F_SETFL, 0));
    plan_begin(NULL, drain);
    CALL(write, pipe_fds[1], (long)"x", 1);
}

static void poll_pipe(struct fail_step *call)
{
    pipe_to_be_written();
    polled = (struct pollfd){.fd = pipe_fds[0], .events = POLLIN};
    CALL(poll, (long)&polled, 1, 1000000);
}

static void select_pipe(struct fail_step *call)
{
    static struct timeval limit;

    pipe_to_be_written();
    limit = (struct timeval){1000, 0};
    FD_ZERO(&set);
    FD_SET(pipe_fds[0], &set);
    CALL(select, pipe_fds[0] + 1, (long)&set, 0, 0, (long)&limit);
}

static void one_is_ready(void)
{
    CHECK_EQ(row_result, 1);
}

static void none_or_one(void)
{
    CHECK(row_result == 0 || row_result == 1, "%ld", row_result);
}

/* ---- Times and signals */

static void sleep_short(struct fail_step *call)
{
    CALL(nanosleep, (long)&short_time);
}

static void sleep_by_clock(struct fail_step *call)
{
    CALL(clock_nanosleep, CLOCK_REALTIME, 0, (long)&short_time);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void send_signal(void)
{
    CHECK_OK(kill(plan.caller, SIGUSR1));
}

static void signal_to_come(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    plan_begin(NULL, send_signal);
}

static void wait_for_signal(struct fail_step *call)
{
    signal_to_come();
    CALL(pause);
}

static void suspend(struct fail_step *call)
{
    signal_to_come();
    sigemptyset(&signals);
    CALL(rt_sigsuspend, (long)&signals, 8);
}

static void take_signal(struct fail_step *call)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &signals, NULL));
    plan_begin(NULL, send_signal);
    CALL(rt_sigtimedwait, (long)&signals, 0, (long)&long_time, 8);
}

static void signal_taken(void)
{
    CHECK_EQ(row_result, SIGUSR1);
}

/* ---- Children */

static void exit_when_waited_for(void *arg)
{
    (void)arg;
    WAIT_UNTIL(process_sleeps(getppid()), "the parent does not wait");
    _exit(5);
}

static void wait_for_child(struct fail_step *call)
{
    pid_t pid = child_start(exit_when_waited_for, NULL);

    CALL(wait4, pid, (long)&status);
}

static void wait_by_waitid(struct fail_step *call)
{
    static siginfo_t info;
    pid_t pid = child_start(exit_when_waited_for, NULL);

    CALL(waitid, P_PID, pid, (long)&info, WEXITED);
}

static void waited(void)
{
    CHECK_EQ(status, 5 << 8);
}

/* ---- Futexes */

static uint32_t *word; /* in shared memory */

static void wake(void)
{
    CHECK_EQ(syscall(SYS_futex, word, FUTEX_WAKE, 1), 1);
}

static void futex_wait(struct fail_step *call)
{
    word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *word = 1;
    plan_begin(NULL, wake);
    CALL(futex, (long)word, FUTEX_WAIT, 1, (long)&long_time);
}

static void futex_end(void)
{
    plan_end();
    CHECK_OK(munmap(word, PAGE));
}

#define SLEEP   .kind = FAIL_SLEEP, .errors = {EINTR}, .flags = ROW_HELPER
#define AGAIN   .kind = FAIL_SLEEP, .flags = ROW_HELPER | ROW_SURVIVES
#define TIMEOUT .kind = FAIL_TIMEOUT, .errors = {ETIMEDOUT}, .flags = ROW_HELPER

static const struct fail_row rows[] = {
    ROW("lockRegion", lock, unlock_it, unlock_all, AGAIN),
    ROW("lockRegionTimed", lock_timed, unlock_it, unlock_all, AGAIN),
    ROW("lockRegionTimed, late", lock_timed, unlock_it, unlock_all, TIMEOUT),
    ROW("destroySharedRegion", destroy, NULL, last_unmaps, AGAIN),
    ROW("destroySharedRegionWith", destroy_timed, NULL, last_unmaps, AGAIN),
    ROW("destroySharedRegionWith, late", destroy_timed, NULL, last_unmaps, TIMEOUT | ROW_KEEPS),
    ROW("createMappingWith", map_wait_for_ever, mapped_and_destroyed, plan_end, AGAIN),
    ROW("createMappingWith, late", map_wait_timed, mapped_and_destroyed, plan_end, TIMEOUT),
    ROW("shmem, M_WAIT", zone_wait, zone_got, plan_end, AGAIN),
    ROW("read of an empty pipe", read_pipe, NULL, end_pipe, AGAIN),
    ROW("write to a full pipe", write_full_pipe, NULL, end_pipe, AGAIN),
    ROW("poll", poll_pipe, one_is_ready, end_pipe, AGAIN),
    ROW("poll, late", poll_pipe, none_or_one, end_pipe, TIMEOUT | ROW_SURVIVES),
    ROW("select", select_pipe, one_is_ready, end_pipe, AGAIN),
    ROW("select, late", select_pipe, none_or_one, end_pipe, TIMEOUT | ROW_SURVIVES),
    ROW("nanosleep", sleep_short, NULL, NULL, AGAIN),
    ROW("nanosleep, late", sleep_short, NULL, NULL, TIMEOUT | ROW_SURVIVES),
    ROW("clock_nanosleep", sleep_by_clock, NULL, NULL, AGAIN),
    ROW("pause", wait_for_signal, NULL, plan_end, SLEEP | ROW_ENDS_EINTR),
    ROW("rt_sigsuspend", suspend, NULL, plan_end, SLEEP | ROW_ENDS_EINTR),
    ROW("rt_sigtimedwait", take_signal, signal_taken, plan_end, AGAIN),
    ROW("rt_sigtimedwait, late", take_signal, signal_taken, plan_end, .kind = FAIL_TIMEOUT,
        .errors = {EAGAIN}, .flags = ROW_HELPER),
    ROW("wait4", wait_for_child, waited, NULL, AGAIN),
    ROW("waitid", wait_by_waitid, NULL, NULL, AGAIN),
    ROW("futex, FUTEX_WAIT", futex_wait, NULL, futex_end, AGAIN),
    ROW("futex, FUTEX_WAIT, late", futex_wait, NULL, futex_end, TIMEOUT),
};

/* ---- vfork: a parent that is told it was killed goes on; its child must not miss it. */

static int vfork_child(void *arg)
{
    (void)arg;
    return read(pipe_fds[0], big, 1) == 1 ? 7 : 1; /* without musl's state, which is its parent's */
}

static void case_vfork(void)
{
    static char stack[4 * PAGE];
    pid_t pid;

    make_pipe();
    CHECK_EQ(syscall(SHOAL_SYS_failNth, 1, FAIL_SLEEP), 0);
    pid = clone(vfork_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    CHECK_EQ(syscall(SHOAL_SYS_failNth, 0, FAIL_SLEEP), 0);
    CHECK(pid > 0, "clone: %s", strerror(errno));
    walk();
    write_byte();
    CHILD_EXITS(pid, 7);
}

int main(void)
{
    ROWS(rows);
    RUN_ALONE(case_vfork);
    return check_done();
}
