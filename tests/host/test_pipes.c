/* Pipes that many wait at: who goes on, how many are woken for that, and that nobody is forgotten.
 * And poll, beside whoever uses them. */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define CROWD      16u
#define PIPE_BYTES 65536ul
#define RECORD     4096ul /* PIPE_BUF: the most that is written whole */

static int ends[2]; /* the test's own: all its processes see them */
static uint32_t ready, done, slept, bytes_in, bytes_out; /* and these */

static void make_pipe(void)
{
    ready = done = slept = bytes_in = bytes_out = 0;
    uintptr_t at = u_put(0, ends, sizeof ends);
    U_EQ(U_CALL(SYS_pipe, at), 0);
    u_get(at, ends, sizeof ends);
}

static void close_end(unsigned end)
{
    U_EQ(U_CALL(SYS_close, ends[end]), 0);
}

static void close_pipe(void)
{
    close_end(0);
    close_end(1);
}

static long pipe_read(size_t bytes)
{
    return U_CALL(SYS_read, ends[0], u_put(0, NULL, 0), bytes);
}

static long pipe_write(size_t bytes)
{
    return U_CALL(SYS_write, ends[1], u_put(0, NULL, 0), bytes);
}

static void set_nonblocking(unsigned end, bool on)
{
    U_EQ(U_CALL(SYS_fcntl, ends[end], F_SETFL, on ? O_NONBLOCK : 0), 0);
}

static void fill_pipe(void)
{
    for (size_t n = 0; n < PIPE_BYTES; n += RECORD)
        U_EQ(pipe_write(RECORD), RECORD);
}

/* ---- who is woken */

/* A call at `end` with what it needs to be made and how often it slept. */
static int call_counted(uintptr_t end)
{
    const unsigned many = 1000000;
    U_EQ(U_CALL(SHOAL_SYS_failNth, many, FAIL_SLEEP), 0);
    U_EQ(end == 0 ? pipe_read(1) : pipe_write(RECORD), end == 0 ? 1l : (long)RECORD);
    unsigned left = (unsigned)U_CALL(SHOAL_SYS_failNth, 0, FAIL_SLEEP);
    __atomic_fetch_add(&slept, many - left, __ATOMIC_SEQ_CST);
    return 0;
}

static void crowd_sleeps(int (*run)(uintptr_t arg), uintptr_t arg)
{
    for (unsigned i = 0; i < CROWD; i++) {
        long pid = u_fork(run, arg);
        U_CHECK(pid > 0);
        U_WAIT_UNTIL(u_sleeps(pid));
    }
}

static void crowd_ends(void)
{
    int status;
    for (unsigned i = 0; i < CROWD; i++) {
        U_CHECK(u_wait(-1, &status) > 0);
        U_EQ(status, 0);
    }
}

/* Each byte lets one reader go: the write wakes one, and each the next. */
static int readers_wake_in_turn(uintptr_t sp)
{
    make_pipe();
    crowd_sleeps(call_counted, 0);
    U_EQ(pipe_write(CROWD), CROWD);
    crowd_ends();
    U_EQ(slept, CROWD);
    close_pipe();
    return 0;
}

static int writers_wake_in_turn(uintptr_t sp)
{
    make_pipe();
    fill_pipe();
    crowd_sleeps(call_counted, 1);
    for (unsigned i = 0; i < CROWD; i++)
        U_EQ(pipe_read(RECORD), RECORD);
    crowd_ends();
    U_EQ(slept, CROWD);
    close_pipe();
    return 0;
}

static int write_some(uintptr_t bytes)
{
    U_EQ(pipe_write(bytes), (long)bytes);
    return 0;
}

/* A write waits for no more room than it needs, and not for one that came before and needs more. */
static int small_passes_large(uintptr_t sp)
{
    make_pipe();
    fill_pipe();
    long large = u_fork(write_some, RECORD);
    U_WAIT_UNTIL(u_sleeps(large));
    long small = u_fork(write_some, 10);
    U_WAIT_UNTIL(u_sleeps(small));
    U_EQ(pipe_read(10), 10);
    u_must_exit(small, 0);
    U_CHECK(u_sleeps(large));
    U_EQ(pipe_read(RECORD), RECORD);
    u_must_exit(large, 0);
    close_pipe();
    return 0;
}

static bool resident(uintptr_t page)
{
    uint8_t there;
    uintptr_t at = u_put(0, &(uint8_t){0}, 1);
    U_EQ(U_CALL(SYS_mincore, page, U_PAGE, at), 0);
    u_get(at, &there, 1);
    return there & 1;
}

#define SMALL 10ul

static int write_all_but_small(uintptr_t from)
{
    U_CALL(SYS_write, ends[1], from, PIPE_BYTES - SMALL);
    return 0;
}

static int write_small_beside(uintptr_t from)
{
    long n;
    U_WAIT_UNTIL(resident(from)); /* the other one is at work */
    u_count(&ready);
    while ((n = pipe_write(SMALL)) == -EAGAIN)
        u_pass_time(1);
    U_EQ(n, (long)SMALL);
    return 0;
}

/* With O_NONBLOCK, a large write is in front of a small one while both wait for one at work: then
 * it cannot go on, and says so, but the small one can. */
static int refused_wakes_next(uintptr_t sp)
{
    uintptr_t from = u_mmap(0, PIPE_BYTES, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_pipe();
    long small = u_fork(write_small_beside, from);
    long all = u_fork(write_all_but_small, from);
    U_WAIT_UNTIL(u_counted(&ready));
    set_nonblocking(1, true);
    U_EQ(pipe_write(RECORD), -EAGAIN);
    set_nonblocking(1, false);
    u_must_exit(all, 0);
    u_must_exit(small, 0);
    close_pipe();
    return 0;
}

static int must_be_killed(uintptr_t end)
{
    (void)(end == 0 ? pipe_read(1) : pipe_write(RECORD));
    u_pass_time(1000000); /* if it was quick */
    return 0;
}

/* Those that were first in line are killed while there is something to wake them for. */
static int next_of_killed(uintptr_t end)
{
    long victim[2], other;
    make_pipe();
    if (end == 1)
        fill_pipe();
    for (unsigned i = 0; i < ARRAY_LEN(victim); i++) {
        victim[i] = u_fork(must_be_killed, end);
        U_WAIT_UNTIL(u_sleeps(victim[i]));
    }
    other = u_fork(call_counted, end);
    U_WAIT_UNTIL(u_sleeps(other));
    for (unsigned i = 0; i < ARRAY_LEN(victim); i++)
        U_EQ(U_CALL(SYS_kill, victim[i], SIGKILL), 0);
    /* For each a byte, or the room for a record: they may have been quick. */
    for (unsigned i = 0; i < ARRAY_LEN(victim) + 1; i++)
        U_EQ(end == 0 ? pipe_write(1) : pipe_read(RECORD), end == 0 ? 1l : (long)RECORD);
    u_must_exit(other, 0);
    for (unsigned i = 0; i < ARRAY_LEN(victim); i++)
        U_EQ(u_wait(victim[i], &(int){0}), victim[i]);
    close_pipe();
    return 0;
}

static int killed_are_passed(uintptr_t sp)
{
    u_child_does(next_of_killed, 0);
    u_child_does(next_of_killed, 1);
    return 0;
}

static int read_all(uintptr_t to)
{
    U_EQ(U_CALL(SYS_read, ends[0], to, PIPE_BYTES), (long)PIPE_BYTES);
    return 0;
}

/* Who is at work is waited for also with O_NONBLOCK, whoever else waits for bytes; the bytes are
 * not. */
static int nonblocking_waits_for_work_only(uintptr_t sp)
{
    uintptr_t to = u_mmap(0, PIPE_BYTES, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uintptr_t from = u_mmap(0, PIPE_BYTES, U_RW, U_ANON, -1, 0);
    make_pipe();
    u_fill(from, PIPE_BYTES / U_PAGE, 1);
    long all = u_fork(read_all, to);
    U_WAIT_UNTIL(u_sleeps(all));
    long one = u_fork(call_counted, 0);
    U_WAIT_UNTIL(u_sleeps(one));
    set_nonblocking(0, true);
    U_EQ(U_CALL(SYS_write, ends[1], from, PIPE_BYTES), (long)PIPE_BYTES);
    U_WAIT_UNTIL(u_load8(to) == 1); /* at work */
    U_EQ(pipe_read(1), -EAGAIN);
    u_must_exit(all, 0);
    set_nonblocking(0, false);
    U_EQ(pipe_write(1), 1);
    u_must_exit(one, 0);
    close_pipe();
    return 0;
}

/* ---- the other end goes */

static int read_the_end(uintptr_t arg)
{
    close_end(1);
    U_EQ(pipe_read(1), 0);
    return 0;
}

static int write_to_nobody(uintptr_t arg)
{
    close_end(0);
    u_ignore_by_handler(SIGPIPE, 0);
    U_EQ(pipe_write(1), -EPIPE);
    return 0;
}

static int all_hear_of_the_end(uintptr_t sp)
{
    make_pipe();
    crowd_sleeps(read_the_end, 0);
    close_end(1);
    crowd_ends();
    close_end(0);

    make_pipe();
    fill_pipe();
    crowd_sleeps(write_to_nobody, 0);
    close_end(0);
    crowd_ends();
    close_end(1);
    return 0;
}

/* ---- poll */

struct pollfd_at { /* as in the caller's memory */
    int fd;
    int16_t events, revents;
};

static struct pollfd_at load_pollfd(uintptr_t at, unsigned i)
{
    struct pollfd_at p;
    u_get(at + i * sizeof p, &p, sizeof p);
    return p;
}

static void store_pollfd(uintptr_t at, unsigned i, int fd)
{
    const struct pollfd_at p = {fd, 1 /* POLLIN */, 0};
    U_EQ(host_store(at + i * sizeof p, &p, sizeof p), 0);
}

static int poll_two(uintptr_t at)
{
    U_EQ(U_CALL(SYS_poll, at, 2, -1), 1);
    return 0;
}

/* Only revents is poll's to write: what another thread asks for meanwhile is there afterwards. */
static int poll_leaves_what_is_asked(uintptr_t sp)
{
    uintptr_t at = u_mmap(0, U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_pipe();
    store_pollfd(at, 0, ends[0]);
    store_pollfd(at, 1, -1);
    long pid = u_fork(poll_two, at);
    U_WAIT_UNTIL(u_sleeps(pid));
    store_pollfd(at, 1, ends[0]);
    U_EQ(pipe_write(1), 1);
    u_must_exit(pid, 0);
    U_EQ(load_pollfd(at, 0).revents, 1);
    U_EQ(load_pollfd(at, 1).fd, ends[0]);
    close_pipe();
    return 0;
}

#define MANY_FDS 512u

static int write_and_read(uintptr_t arg)
{
    for (;;) {
        pipe_write(1);
        pipe_read(1);
    }
}

/* A long look: something has always changed when it is over. */
static int poll_many(uintptr_t at)
{
    long n = U_CALL(SYS_poll, at, MANY_FDS, -1);
    U_EQ(n, -EINTR);
    return 0;
}

/* A signal ends poll, though it never comes to sleep, as somebody is always busy with a pipe. */
static int poll_ends_in_traffic(uintptr_t sp)
{
    uintptr_t at = u_mmap(0, MANY_FDS * sizeof(struct pollfd_at), U_RW, U_ANON, -1, 0);
    make_pipe();
    for (unsigned i = 0; i < MANY_FDS; i++)
        store_pollfd(at, i, ends[0]);
    u_ignore_by_handler(SIGUSR1, 0);
    long poller = u_fork(poll_many, at);
    U_WAIT_UNTIL(u_sleeps(poller));
    close_pipe(); /* the poller has it; another one for the traffic */
    make_pipe();
    long writer = u_fork(write_and_read, 0);
    u_pass_time(200);
    U_EQ(U_CALL(SYS_kill, poller, SIGUSR1), 0);
    u_must_exit(poller, 0);
    U_EQ(U_CALL(SYS_kill, writer, SIGKILL), 0);
    U_EQ(u_wait(writer, &(int){0}), writer);
    close_pipe();
    return 0;
}

/* ---- anything at once */

#define TROUBLES   64u
#define WORKERS    4u /* at each end */
#define WORK_BYTES (3 * PIPE_BYTES)

static bool again(long result)
{
    return result == -EINTR || result == -EAGAIN;
}

static int storm_write(uintptr_t which)
{
    /* One fits anywhere, one just so, one is larger than the pipe. */
    static const size_t sizes[WORKERS] = {1000, RECORD, 3, PIPE_BYTES + 5};
    uintptr_t from = u_mmap(0, sizes[3], U_RW, U_ANON, -1, 0);
    uint32_t total = 0;
    close_end(0);
    while (total < (which == 2 ? 300 : WORK_BYTES)) {
        long n = U_CALL(SYS_write, ends[1], from, sizes[which]);
        U_CHECK(again(n) || n == (long)sizes[which] || (which == 3 && n > 0));
        total += n > 0 ? (uint32_t)n : 0;
    }
    __atomic_fetch_add(&bytes_in, total, __ATOMIC_SEQ_CST);
    u_count(&done);
    return 0;
}

static int storm_read(uintptr_t which)
{
    static const size_t sizes[WORKERS] = {5000, RECORD, 777, PIPE_BYTES};
    uintptr_t to = u_mmap(0, sizes[3], U_RW, U_ANON, -1, 0);
    long n;
    close_end(1);
    while ((n = U_CALL(SYS_read, ends[0], to, sizes[which])) != 0) {
        U_CHECK(again(n) || (n > 0 && n <= (long)sizes[which]));
        __atomic_fetch_add(&bytes_out, n > 0 ? (uint32_t)n : 0, __ATOMIC_SEQ_CST);
    }
    return 0;
}

/* Signals end sleeps, and O_NONBLOCK comes and goes. */
static void make_trouble(const long *pids)
{
    for (unsigned i = 0; i < TROUBLES; i++) {
        unsigned end = i / 16 % 2;
        set_nonblocking(end, true);
        u_pass_time(i % 3);
        set_nonblocking(end, false);
        u_pass_time(i % 7);
        U_EQ(U_CALL(SYS_kill, pids[i % (2 * WORKERS)], SIGUSR1), 0);
    }
}

/* Every byte arrives once, and all end: whoever is forgotten in a line sleeps for ever, for there
 * is no more trouble then. */
static int storm(uintptr_t sp)
{
    long pids[2 * WORKERS];
    make_pipe();
    u_ignore_by_handler(SIGUSR1, 0);
    for (unsigned i = 0; i < 2 * WORKERS; i++)
        pids[i] = u_fork(i % 2 ? storm_write : storm_read, i / 2);
    make_trouble(pids);
    U_WAIT_UNTIL(u_counted(&done) == WORKERS);
    close_end(1);
    for (unsigned i = 0; i < 2 * WORKERS; i++)
        u_must_exit(pids[i], 0);
    U_EQ(bytes_out, bytes_in);
    close_end(0);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "readers_wake_in_turn", .init = readers_wake_in_turn, .runs = 6},
        {.name = "writers_wake_in_turn", .init = writers_wake_in_turn, .runs = 6},
        {.name = "small_passes_large", .init = small_passes_large, .runs = 6},
        {.name = "nonblocking_waits_for_work_only", .init = nonblocking_waits_for_work_only},
        {.name = "refused_wakes_next", .init = refused_wakes_next},
        {.name = "killed_are_passed", .init = killed_are_passed},
        {.name = "all_hear_of_the_end", .init = all_hear_of_the_end, .runs = 6},
        {.name = "poll_leaves_what_is_asked", .init = poll_leaves_what_is_asked, .runs = 6},
        {.name = "poll_ends_in_traffic", .init = poll_ends_in_traffic, .runs = 4},
        {.name = "storm", .init = storm, .runs = 12},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
