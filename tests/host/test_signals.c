/* A signal of the process is for whichever thread takes it: told to one, which then does not take
 * it, it is another's. */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define ROUNDS 8u

static uint32_t go, ready, handled, second; /* the test's own: all its processes see them */

static void begin(void)
{
    go = ready = handled = second = 0;
}

static void change_mask(unsigned long how, int sig)
{
    const uint64_t set = 1ull << (sig - 1);
    U_EQ(U_CALL(SYS_rt_sigprocmask, how, u_put(0, &set, sizeof set), 0, sizeof set), 0);
}

static void set_action(int sig, uintptr_t handler, int other)
{
    const unsigned long action[4] = {handler, 0x04000000, 0, other ? 1ul << (other - 1) : 0};
    U_EQ(U_CALL(SYS_rt_sigaction, (unsigned long)sig, u_put(0, action, sizeof action), 0, 8), 0);
}

static void handle(int sig, void (*handler)(int sig), int other)
{
    set_action(sig, host_handler(handler), other);
}

static void send(int sig)
{
    unsigned long pid = (unsigned long)U_CALL(SYS_getpid);
    U_EQ(U_CALL(SYS_kill, pid, (unsigned long)sig), 0);
}

static void count_it(int sig)
{
    u_count(sig == SIGUSR1 ? &handled : &second);
}

static int pause_for_ever(uintptr_t arg)
{
    for (;;)
        U_CALL(SYS_pause);
}

static int wait_until_handled(uintptr_t arg)
{
    U_WAIT_UNTIL(u_counted(&handled));
    return 0;
}

/* A sender that takes none itself; each time that `go` is counted. */
static int send_first(uintptr_t times)
{
    change_mask(SIG_BLOCK, SIGUSR1);
    u_count(&ready);
    for (uintptr_t i = 1; i <= times; i++) {
        U_WAIT_UNTIL(u_counted(&go) == i);
        send(SIGUSR1);
    }
    return 0;
}

static int send_both(uintptr_t times)
{
    change_mask(SIG_BLOCK, SIGUSR1);
    change_mask(SIG_BLOCK, SIGUSR2);
    u_count(&ready);
    for (uintptr_t i = 1; i <= times; i++) {
        U_WAIT_UNTIL(u_counted(&go) == i);
        send(SIGUSR1);
        send(SIGUSR2);
    }
    return 0;
}

/* The first thread blocks the signal while it is told of it. */
static int told_then_blocks(uintptr_t sp)
{
    begin();
    handle(SIGUSR1, count_it, 0);
    U_CHECK(u_thread(pause_for_ever, 0) > 0);
    U_CHECK(u_thread(send_first, 4 * ROUNDS) > 0);
    U_WAIT_UNTIL(u_counted(&ready));
    for (unsigned i = 1; i <= 4 * ROUNDS; i++) {
        change_mask(SIG_UNBLOCK, SIGUSR1);
        u_count(&go);
        u_pass_time(i % 4);
        change_mask(SIG_BLOCK, SIGUSR1);
        U_WAIT_UNTIL(u_counted(&handled) == i);
    }
    return 0;
}

/* The first thread handles another one, and does not take this one meanwhile. */
static void wait_for_second(int sig)
{
    uint32_t round = u_count(&handled);
    U_WAIT_UNTIL(u_counted(&second) >= round);
}

static int told_then_handles(uintptr_t sp)
{
    begin();
    handle(SIGUSR1, wait_for_second, SIGUSR2);
    handle(SIGUSR2, count_it, 0);
    U_CHECK(u_thread(pause_for_ever, 0) > 0);
    U_CHECK(u_thread(send_both, ROUNDS) > 0);
    U_WAIT_UNTIL(u_counted(&ready));
    for (unsigned i = 1; i <= ROUNDS; i++) {
        u_count(&go);
        U_WAIT_UNTIL(u_counted(&second) == i);
    }
    return 0;
}

static int first_thread_ends(uintptr_t turns)
{
    begin();
    U_CHECK(u_thread(wait_until_handled, 0) > 0);
    U_CHECK(u_thread(send_first, 1) > 0);
    U_WAIT_UNTIL(u_counted(&ready));
    u_count(&go);
    u_pass_time((unsigned)turns);
    U_CALL(SYS_exit, 0);
    return 1;
}

static int told_then_ends(uintptr_t sp)
{
    handle(SIGUSR1, count_it, 0);
    for (unsigned i = 0; i < 4 * ROUNDS; i++)
        u_child_does(first_thread_ends, i % 4);
    return 0;
}

/* ---- who leaves takes none */

static int leave(uintptr_t word)
{
    U_CALL(SYS_set_tid_address, word);
    change_mask(SIG_UNBLOCK, SIGTERM);
    return 0;
}

static int send_when_it_left(uintptr_t arg)
{
    uintptr_t word = u_mmap(0, U_PAGE, U_RW, U_ANON, -1, 0);
    u_store32(word, 1);
    change_mask(SIG_BLOCK, SIGTERM);
    U_CHECK(u_thread(leave, word) > 0);
    U_WAIT_UNTIL(u_load32(word) == 0);
    send(SIGTERM);
    return 0;
}

static int die_with_lock(uintptr_t arg)
{
    uintptr_t at;
    U_EQ(u_map("r", &at), 0);
    U_EQ(u_lock("r"), 0);
    u_count(&ready);
    U_CALL(SYS_exit, 3);
    return 0;
}

static int who_leaves_takes_none(uintptr_t sp)
{
    uintptr_t at;
    U_EQ(u_create("r", U_PAGE, 0), 0);
    U_EQ(u_map("r", &at), 0);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        begin();
        u_child_does(send_when_it_left, 0);
        long pid = u_fork(die_with_lock, 0);
        U_WAIT_UNTIL(u_counted(&ready));
        U_EQ(u_lock("r"), ERR_OWNERDEAD);
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, SIGTERM), 0);
        u_must_exit(pid, 3);
        U_EQ(u_unlock("r"), 0);
    }
    return 0;
}

/* ---- that a signal ends the process is settled when it is sent */

static uint32_t returned;

static int borrow_memory(uintptr_t arg)
{
    u_count(&ready);
    U_WAIT_UNTIL(u_counted(&go));
    u_pass_time(8);
    U_EQ(u_counted(&returned), 0);
    return 0;
}

static int send_then_ignore(uintptr_t arg)
{
    U_WAIT_UNTIL(u_counted(&ready));
    send(SIGTERM);
    set_action(SIGTERM, (uintptr_t)SIG_IGN, 0);
    u_count(&go);
    return 0;
}

/* Two threads, of which one takes the signal and the other sends it. */
static int vforks_while_it_is_sent(uintptr_t arg)
{
    change_mask(SIG_BLOCK, SIGTERM);
    U_CHECK(u_thread(send_then_ignore, 0) > 0);
    change_mask(SIG_UNBLOCK, SIGTERM);
    (void)u_vfork(borrow_memory, 0);
    u_count(&returned);
    return 0;
}

static int ignored_too_late(uintptr_t sp)
{
    int status;
    begin();
    returned = 0;
    long pid = u_fork(vforks_while_it_is_sent, 0);
    U_EQ(u_wait(pid, &status), pid);
    U_EQ(status, SIGTERM);
    u_count(&go); /* its sender may not have come that far */
    U_CHECK(u_wait(-1, &status) > 0);
    U_EQ(status, 0);
    return 0;
}

/* ---- a signal to a group is also for a child that is being forked */

#define LATE_HOPS 20u /* that only a group makes that was not told */

static uint32_t hops, sent, late_hops;

static void end_here(int sig)
{
    U_CALL(SYS_exit_group, 0);
}

/* One of the group makes the next, and ends. */
static int hop(uintptr_t two_threads)
{
    if (two_threads)
        U_CHECK(u_thread(pause_for_ever, 0) > 0);
    u_count(&hops);
    if (!u_counted(&sent) || u_count(&late_hops) < LATE_HOPS)
        U_CHECK(u_fork(hop, two_threads) > 0);
    return 0;
}

static int begin_to_hop(uintptr_t two_threads)
{
    U_EQ(U_CALL(SYS_setpgid, 0, 0), 0);
    handle(SIGTERM, end_here, 0);
    return hop(two_threads);
}

/* Sends it to the group while that hops; the group. */
static unsigned long signal_hoppers(int sig, bool two_threads)
{
    set_action(SIGCHLD, (uintptr_t)SIG_IGN, 0); /* nobody stays as a zombie */
    hops = sent = late_hops = 0;
    long group = u_fork(begin_to_hop, two_threads);
    U_CHECK(group > 0);
    U_WAIT_UNTIL(u_counted(&hops) > 3);
    U_EQ(U_CALL(SYS_kill, (unsigned long)-group, (unsigned long)sig), 0);
    u_count(&sent);
    return (unsigned long)group;
}

static void wait_for_all(void)
{
    int status;
    while (u_wait(-1, &status) > 0)
        ;
}

static int group_is_told(uintptr_t sp)
{
    signal_hoppers(SIGTERM, false);
    wait_for_all();
    U_CHECK(u_counted(&late_hops) < LATE_HOPS);
    return 0;
}

static void stop_hoppers(bool two_threads)
{
    unsigned long group = signal_hoppers(SIGSTOP, two_threads);
    for (unsigned i = 0; i < 1000 && u_counted(&late_hops) < LATE_HOPS; i++)
        u_pass_time(1);
    U_CHECK(u_counted(&late_hops) < LATE_HOPS);
    U_EQ(U_CALL(SYS_kill, -group, SIGKILL), 0);
    wait_for_all();
}

static int group_is_stopped(uintptr_t sp)
{
    stop_hoppers(false);
    stop_hoppers(true);
    return 0;
}

/* SIGCONT is the last the group hears, and the child being forked hears it, too. */
static void continue_hoppers(bool two_threads)
{
    unsigned long group = signal_hoppers(SIGSTOP, two_threads);
    U_EQ(U_CALL(SYS_kill, -group, SIGCONT), 0);
    U_WAIT_UNTIL(u_counted(&late_hops) >= LATE_HOPS);
    wait_for_all();
}

static int group_goes_on(uintptr_t sp)
{
    continue_hoppers(false);
    continue_hoppers(true);
    return 0;
}

static int nothing(uintptr_t arg)
{
    return 0;
}

/* What a thread has sent to the group is not for the child that it forks then. */
static unsigned long parent;

static void count_where(int sig)
{
    u_count((unsigned long)U_CALL(SYS_getpid) == parent ? &handled : &second);
}

static int send_and_fork(uintptr_t arg)
{
    for (unsigned i = 1; i <= ROUNDS; i++) {
        U_EQ(U_CALL(SYS_kill, 0, SIGUSR1), 0);
        u_child_does(nothing, 0);
        U_WAIT_UNTIL(u_counted(&handled) == i);
    }
    u_count(&go);
    return 0;
}

static int fork_in_group(uintptr_t arg)
{
    U_EQ(U_CALL(SYS_setpgid, 0, 0), 0);
    parent = (unsigned long)U_CALL(SYS_getpid);
    handle(SIGUSR1, count_where, 0);
    U_CHECK(u_thread(send_and_fork, 0) > 0);
    U_WAIT_UNTIL(u_counted(&go));
    return 0;
}

static int sent_before_fork(uintptr_t sp)
{
    begin();
    u_child_does(fork_in_group, 0);
    U_EQ(u_counted(&handled), ROUNDS);
    U_EQ(u_counted(&second), 0);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "told_then_blocks", .init = told_then_blocks, .runs = 12},
        {.name = "told_then_handles", .init = told_then_handles, .runs = 6},
        {.name = "told_then_ends", .init = told_then_ends, .runs = 6},
        {.name = "who_leaves_takes_none", .init = who_leaves_takes_none, .runs = 12},
        {.name = "ignored_too_late", .init = ignored_too_late, .runs = 6},
        {.name = "group_is_told", .init = group_is_told, .runs = 30},
        {.name = "group_is_stopped", .init = group_is_stopped, .runs = 30},
        {.name = "group_goes_on", .init = group_goes_on, .runs = 30},
        {.name = "sent_before_fork", .init = sent_before_fork, .runs = 12},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
