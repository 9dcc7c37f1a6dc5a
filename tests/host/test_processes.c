/* Processes: the numbers they get, how many there may be, who may signal whom, how they stop. */
#include "door.h"
#include "runner.h"

#include <signal.h>
#include <sys/wait.h>

#define BUSY 3u

/* What `pid.max` says in the cases below. */
#define NUMBERS 12

static uint32_t held;

static uint32_t cpu_of[BUSY]; /* where the busy ones were seen, plus one */

static uint32_t cpu_now(void)
{
    const uint32_t none = 0;
    uint32_t cpu;
    uintptr_t at = u_put(0, &none, sizeof none);
    U_EQ(U_CALL(SYS_getcpu, at, 0, 0), 0);
    u_get(at, &cpu, sizeof cpu);
    return cpu;
}

/* Never sleeps, never yields. */
static int is_busy(uintptr_t which)
{
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST))
        __atomic_store_n(&cpu_of[which], cpu_now() + 1, __ATOMIC_SEQ_CST);
    return 0;
}

static unsigned cpus_busy(void)
{
    uint32_t seen = 0;
    for (unsigned i = 0; i < BUSY; i++)
        seen |= 1u << __atomic_load_n(&cpu_of[i], __ATOMIC_SEQ_CST);
    return (unsigned)__builtin_popcount(seen & ~1u);
}

static unsigned cpus_there(void)
{
    const uint64_t none[16] = {0};
    uint64_t set;
    uintptr_t at = u_put(0, none, sizeof none);
    U_CHECK(U_CALL(SYS_sched_getaffinity, 0, sizeof none, at) > 0);
    u_get(at, &set, sizeof set);
    return (unsigned)__builtin_popcountl(set);
}

/* As many CPUs as there are work when there is work for them, whichever were told of it. */
static int busy_ones_spread(uintptr_t sp)
{
    long pid[BUSY];
    __atomic_store_n(&held, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < BUSY; i++)
        pid[i] = u_fork(is_busy, i);
    U_WAIT_UNTIL(cpus_busy() == MIN(cpus_there(), BUSY));
    __atomic_store_n(&held, false, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < BUSY; i++)
        u_must_exit(pid[i], 0);
    return 0;
}

static int ends(uintptr_t arg)
{
    return 0;
}

static int holds(uintptr_t arg)
{
    U_WAIT_UNTIL(!__atomic_load_n(&held, __ATOMIC_SEQ_CST));
    return 0;
}

static void hold(bool on)
{
    __atomic_store_n(&held, on, __ATOMIC_SEQ_CST);
}

/* Forks until there is no more; how many. */
static unsigned fork_all(int (*run)(uintptr_t arg))
{
    unsigned n = 0;
    long pid;
    while ((pid = u_fork(run, 0)) > 0)
        n++;
    U_EQ(pid, -EAGAIN);
    return n;
}

static void reap(unsigned n)
{
    int status;
    while (n--)
        U_CHECK(u_wait(-1, &status) > 0);
    U_EQ(u_wait(-1, &status), -ECHILD);
}

/* Zombies have numbers, too: who has them all hears so, and gets one again for each that it reaps.
 */
static int numbers_run_out(uintptr_t sp)
{
    for (unsigned i = 0; i < 2; i++) {
        U_EQ(fork_all(ends), NUMBERS - 1);
        U_EQ(u_thread(ends, 0), -EAGAIN);
        for (long pid = 2; pid <= 4; pid++) {
            u_must_exit(pid, 0);
            U_EQ(u_fork(ends, 0), pid);
        }
        reap(NUMBERS - 1);
    }
    return 0;
}

static int leads(uintptr_t arg)
{
    U_EQ(arg ? U_CALL(SYS_setsid) : U_CALL(SYS_setpgid, 0, 0), arg ? U_CALL(SYS_getpid) : 0);
    U_CHECK(u_fork(holds, 0) > 0);
    return 0;
}

static bool is_given(long pid)
{
    bool given = false;
    for (unsigned i = 0; i < 2 * NUMBERS; i++) {
        long child = u_fork(ends, 0);
        U_CHECK(child > 0);
        u_must_exit(child, 0);
        given |= child == pid;
    }
    return given;
}

/* A group and a session keep the number of their leader, when it is gone, until they are. */
static int groups_keep_numbers(uintptr_t sp)
{
    for (uintptr_t session = 0; session < 2; session++) {
        int status;
        hold(true);
        long leader = u_fork(leads, session);
        U_CHECK(leader > 0);
        u_must_exit(leader, 0);
        U_CHECK(!is_given(leader));
        hold(false);
        U_CHECK(u_wait(-1, &status) > 0); /* who was in the group */
        U_CHECK(is_given(leader));
    }
    return 0;
}

/* No more zombies than there may be processes at once: else they are without end. */
static int zombies_count(uintptr_t sp)
{
    hold(true);
    unsigned live = fork_all(holds);
    hold(false);
    reap(live);
    U_EQ(fork_all(ends), live);
    reap(live);
    return 0;
}

/* ---- kill(2) */

static uint32_t ready;

static int stops(uintptr_t new_session)
{
    if (new_session)
        U_CHECK(U_CALL(SYS_setsid) > 0);
    __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
    U_EQ(U_CALL(SYS_kill, U_CALL(SYS_getpid), SIGSTOP), 0);
    return 0;
}

static long stopped_child(uintptr_t new_session)
{
    __atomic_store_n(&ready, 0, __ATOMIC_SEQ_CST);
    long pid = u_fork(stops, new_session);
    U_CHECK(pid > 0);
    U_WAIT_UNTIL(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) && u_stopped(pid));
    return pid;
}

/* SIGCONT, and nothing else, goes to any process of the session. */
static int sends_to_stranger(uintptr_t pid)
{
    static const int others[] = {0, SIGSTOP, SIGTERM, SIGKILL};
    bool foreign = U_CALL(SYS_getsid, pid) != U_CALL(SYS_getsid, 0);
    long allowed = foreign ? -EPERM : 0;
    u_become(1000, 1000);
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        U_EQ(U_CALL(SYS_kill, pid, (unsigned long)others[i]), -EPERM);
        U_EQ(U_CALL(SYS_tgkill, pid, pid, (unsigned long)others[i]), -EPERM);
    }
    U_CHECK(u_stopped((long)pid));
    U_EQ(U_CALL(SYS_tgkill, pid, pid, SIGCONT), allowed);
    U_EQ(U_CALL(SYS_kill, pid, SIGCONT), allowed);
    return 0;
}

static int continues_session(uintptr_t sp)
{
    long pid = stopped_child(false);
    u_child_does(sends_to_stranger, (uintptr_t)pid);
    u_must_exit(pid, 0);
    pid = stopped_child(true);
    u_child_does(sends_to_stranger, (uintptr_t)pid);
    U_CHECK(u_stopped(pid));
    U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGCONT), 0); /* by root */
    u_must_exit(pid, 0);
    return 0;
}

/* ---- stops */

#define STOP_ROUNDS 6u

#define STOP_PAGES 16u

static uint32_t steps;
static unsigned long steps_fd;

static int step_for_ever(uintptr_t arg)
{
    for (;;) {
        u_count(&steps);
        u_pass_time(1);
    }
}

static int make_threads(uintptr_t n)
{
    while (n--)
        U_CHECK(u_thread(step_for_ever, 0) > 0);
    return step_for_ever(0);
}

/* Its steps take long, and are seen in the file. */
static int write_for_ever(uintptr_t arg)
{
    uintptr_t at = u_mmap(0, STOP_PAGES * U_PAGE, U_RW, U_ANON, -1, 0);
    for (uint8_t i = 1;; i++) {
        u_fill(at, STOP_PAGES, i);
        U_EQ(U_CALL(SYS_pwrite64, steps_fd, at, STOP_PAGES * U_PAGE, 0), STOP_PAGES * U_PAGE);
    }
}

static int step_and_write(uintptr_t arg)
{
    U_CHECK(u_thread(write_for_ever, 0) > 0);
    return step_for_ever(0);
}

static uintptr_t map_steps(void)
{
    steps_fd = (unsigned long)U_CALL(SYS_memfd_create, u_string(0, "steps"), 0);
    U_EQ(U_CALL(SYS_ftruncate, steps_fd, STOP_PAGES * U_PAGE), 0);
    return u_mmap(0, STOP_PAGES * U_PAGE, U_RW, MAP_SHARED, (int)steps_fd, 0);
}

/* A number for what has been done so far. */
static uint32_t all_steps(uintptr_t file)
{
    uint32_t all = u_counted(&steps);
    for (unsigned i = 0; i < STOP_PAGES; i++)
        all = all * 31 + u_load8(file + i * U_PAGE);
    return all;
}

static void end_it(long pid)
{
    int status;
    U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGKILL), 0);
    U_EQ(u_wait(pid, &status), pid);
    U_EQ(status, SIGKILL);
}

/* What wait4 says of it now: a status, or 0. */
static int reported(long pid, unsigned long options)
{
    int status = 0;
    uintptr_t at = u_put(1, &status, sizeof status);
    long got = U_CALL(SYS_wait4, (unsigned long)pid, at, options);
    u_get(at, &status, sizeof status);
    U_CHECK(got == pid || (got == 0 && status == 0));
    return status;
}

static void must_step(void)
{
    uint32_t now = u_counted(&steps);
    U_WAIT_UNTIL(u_counted(&steps) > now + 4);
}

/* A stop is reported when no thread runs, and no more once SIGCONT is sent. */
static int reports_are_true(uintptr_t sp)
{
    uintptr_t file = map_steps();
    long pid = u_fork(step_and_write, 0);
    U_CHECK(pid > 0);
    for (unsigned i = 0; i < STOP_ROUNDS; i++) {
        must_step();
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGSTOP), 0);
        U_EQ(reported(pid, WUNTRACED), SIGSTOP << 8 | 0x7f);
        uint32_t then = all_steps(file);
        u_pass_time(20);
        U_EQ(all_steps(file), then);
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGCONT), 0);
        U_EQ(reported(pid, WNOHANG | WUNTRACED | WCONTINUED), 0xffff);
    }
    end_it(pid);
    return 0;
}

static int reports_come_in_order(uintptr_t sp)
{
    long pid = u_fork(make_threads, 1);
    U_CHECK(pid > 0);
    for (unsigned i = 0; i < STOP_ROUNDS; i++) {
        must_step();
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGSTOP), 0);
        u_pass_time(i);
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGCONT), 0);
        must_step();
        U_EQ(reported(pid, WNOHANG | WUNTRACED), 0);
    }
    end_it(pid);
    return 0;
}

/* A stop is for threads that are just being made, too. */
static int new_threads_stop(uintptr_t sp)
{
    for (unsigned i = 0; i < STOP_ROUNDS; i++) {
        uint32_t then = u_counted(&steps);
        long pid = u_fork(make_threads, STOP_ROUNDS);
        U_CHECK(pid > 0);
        U_WAIT_UNTIL(u_counted(&steps) > then + i);
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGSTOP), 0);
        then = u_counted(&steps);
        int status = 0; /* or somebody does not stop */
        U_WAIT_UNTIL((status = reported(pid, WNOHANG | WUNTRACED)) ||
                     u_counted(&steps) > then + 2000);
        U_EQ(status, SIGSTOP << 8 | 0x7f);
        end_it(pid);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "numbers_run_out", .init = numbers_run_out, .runs = 4, .cmdline = "pid.max=12"},
        {.name = "groups_keep_numbers",
         .init = groups_keep_numbers,
         .runs = 4,
         .cmdline = "pid.max=12"},
        {.name = "busy_ones_spread", .init = busy_ones_spread},
        {.name = "zombies_count", .init = zombies_count, .runs = 2, .ram_bytes = 8 * U_MIB},
        {.name = "continues_session", .init = continues_session, .runs = 8},
        {.name = "reports_are_true", .init = reports_are_true, .runs = 2},
        {.name = "reports_come_in_order", .init = reports_come_in_order, .runs = 10},
        {.name = "new_threads_stop", .init = new_threads_stop, .runs = 10},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
