/* Regions between processes and threads, under every schedule the seeds make: counts are exact, and
 * no CPU goes on with what it knew before an unmap, a fork or a protect. */
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define WORKERS 3
#define ROUNDS  10u

/* ---- a counter under the region's lock, by processes (R8) */

static int count_locked(uintptr_t arg)
{
    uintptr_t at = 0;
    U_EQ(u_map("count", &at), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        U_EQ(u_lock("count"), 0);
        u_store32(at, u_load32(at) + 1);
        U_EQ(u_unlock("count"), 0);
    }
    return 0;
}

static int lock_counts(uintptr_t sp)
{
    uintptr_t at = 0;
    long pid[WORKERS];
    U_EQ(u_create("count", 3 * U_PAGE, RS_DEFAULT), 0);
    U_EQ(u_map("count", &at), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        U_CHECK((pid[i] = u_fork(count_locked, 0)) > 0);
    for (unsigned i = 0; i < WORKERS; i++)
        u_must_exit(pid[i], 0);
    U_EQ(u_load32(at), WORKERS * ROUNDS);
    U_EQ(u_unmap("count", at), 0);
    U_EQ(u_destroy("count"), 0);
    U_EQ(u_map("count", &at), ERR_NOTEXIST);
    return 0;
}

/* ---- fork: what a thread writes after the fork is not the child's */

static int touch_for_ever(uintptr_t at)
{
    for (;;)
        u_add32(at, 1);
}

static int sees_one_value(uintptr_t at)
{
    uint32_t first = u_load32(at);
    for (unsigned i = 0; i < ROUNDS; i++)
        U_EQ(u_load32(at), first);
    return 0;
}

static int fork_takes_a_snapshot(uintptr_t sp)
{
    uintptr_t at = u_mmap(0, U_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    U_CHECK(u_thread(touch_for_ever, at) > 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        u_must_exit(u_fork(sees_one_value, at), 0);
    return 0;
}

/* ---- copy on write: what was written after the other threads hear of it is what they read */

/* A page of the process's own, and one behind it that is shared. */
static uintptr_t own_and_shared(void)
{
    const int prot = PROT_READ | PROT_WRITE;
    uintptr_t at = u_mmap(0, 2 * U_PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    U_EQ(u_mmap(at + U_PAGE, U_PAGE, prot, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
         at + U_PAGE);
    return at;
}

static uintptr_t copied_at;

static int hold_copy(uintptr_t round)
{
    while (u_load32(copied_at + U_PAGE) < round)
        U_CALL(SYS_sched_yield);
    return 0;
}

static int read_copies(uintptr_t at)
{
    uint32_t told;
    do {
        told = u_load32(at + U_PAGE);
        U_CHECK(u_load32(at) >= told);
    } while (told < ROUNDS);
    return 0;
}

static int copies_reach_all(uintptr_t sp)
{
    uintptr_t at = own_and_shared();
    copied_at = at;
    U_CHECK(u_thread(read_copies, at) > 0);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        long pid = u_fork(hold_copy, i); /* the page has two owners until it is told */
        U_CHECK(pid > 0);
        u_store32(at, i);
        u_store32(at + U_PAGE, i);
        u_must_exit(pid, 0);
    }
    return 0;
}

/* ---- a page that has one owner again: each thread finds out that it may write */

static int leave(uintptr_t arg)
{
    return 0;
}

static int write_too(uintptr_t at)
{
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        while (u_load32(at + U_PAGE) < i)
            (void)u_load32(at);
        u_store32(at + 4, i);
        u_store32(at + U_PAGE + 4, i);
    }
    return 0;
}

static int owners_write(uintptr_t sp)
{
    uintptr_t at = own_and_shared();
    U_CHECK(u_thread(write_too, at) > 0);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        u_must_exit(u_fork(leave, 0), 0);
        u_store32(at, i);
        u_store32(at + U_PAGE, i);
        while (u_load32(at + U_PAGE + 4) < i)
            U_CALL(SYS_sched_yield);
        U_EQ(u_load32(at), i);
        U_EQ(u_load32(at + 4), i);
    }
    return 0;
}

/* ---- unmap: a thread that loops on the page faults */

static int touch_until_fault(uintptr_t at)
{
    uint32_t value;
    while (host_load(at, &value, sizeof value) == 0)
        ;
    u_store32(at + U_PAGE, 1);
    return 0;
}

static int unmap_reaches_all(uintptr_t sp)
{
    host_catch_faults();
    for (unsigned i = 0; i < ROUNDS; i++) {
        uintptr_t at =
            u_mmap(0, 2 * U_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        U_CHECK(u_thread(touch_until_fault, at) > 0);
        u_store32(at, i);
        U_EQ(U_CALL(SYS_munmap, at, U_PAGE), 0);
        while (u_load32(at + U_PAGE) == 0)
            U_CALL(SYS_sched_yield);
    }
    return 0;
}

/* ---- protect: after mprotect returns, nobody writes */

static int write_until_fault(uintptr_t at)
{
    uint32_t old;
    while (host_add_u32(at, 1, &old) == 0)
        ;
    u_store32(at + U_PAGE, 1);
    return 0;
}

static int protect_reaches_all(uintptr_t sp)
{
    host_catch_faults();
    for (unsigned i = 0; i < ROUNDS; i++) {
        uintptr_t at =
            u_mmap(0, 2 * U_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        U_CHECK(u_thread(write_until_fault, at) > 0);
        U_EQ(U_CALL(SYS_mprotect, at, U_PAGE, PROT_READ), 0);
        uint32_t then = u_load32(at);
        while (u_load32(at + U_PAGE) == 0)
            U_CALL(SYS_sched_yield);
        U_EQ(u_load32(at), then);
    }
    return 0;
}

/* ---- signals: a handler runs, and the sleep it ended says so */

static unsigned handled;

static void on_signal(int sig)
{
    handled++;
}

static int kill_parent(uintptr_t arg)
{
    U_EQ(U_CALL(SYS_kill, (unsigned long)U_CALL(SYS_getppid), SIGUSR1), 0);
    return 3;
}

static int signal_ends_sleep(uintptr_t sp)
{
    const unsigned long action[4] = {host_handler(on_signal), 0x04000000, 0, 0};
    const uint64_t blocked = 1ul << (SIGUSR1 - 1), none = 0;
    U_EQ(U_CALL(SYS_rt_sigprocmask, SIG_BLOCK, u_put(0, &blocked, 8), 0, 8), 0);
    U_EQ(U_CALL(SYS_rt_sigaction, SIGUSR1, u_put(0, action, sizeof action), 0, 8), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        long pid = u_fork(kill_parent, 0);
        while (handled == i)
            U_EQ(U_CALL(SYS_rt_sigsuspend, u_put(0, &none, 8), 8), -EINTR);
        u_must_exit(pid, 3);
    }
    return 0;
}

/* ---- exec: the new program has the arguments and nothing else */

static int second(uintptr_t sp)
{
    uint64_t argc;
    char name[16];
    uintptr_t arg;
    U_EQ(host_load(sp, &argc, sizeof argc), 0);
    U_EQ(argc, 1);
    U_EQ(host_load(sp + 8, &arg, sizeof arg), 0);
    U_EQ(host_load(arg, name, sizeof "/bin/second"), 0);
    U_EQ(strcmp(name, "/bin/second"), 0);
    struct region_stat stat;
    U_EQ(u_stat_region("left", &stat), ERR_NOTEXIST);
    return 7;
}

static int exec_second(uintptr_t arg)
{
    uintptr_t at = 0;
    U_EQ(u_create("left", U_PAGE, RS_DEFAULT), 0);
    U_EQ(u_map("left", &at), 0);
    u_store32(at, 1);
    U_EQ(u_lock("left"), 0);
    U_EQ(u_destroy_with("left", RS_UNLINK), 0);
    U_EQ(u_exec("/bin/second"), 0);
    return 1;
}

static int exec_leaves(uintptr_t sp)
{
    for (unsigned i = 0; i < 3; i++) {
        u_must_exit(u_fork(exec_second, 0), 7);
        u_must_exit(u_vfork(exec_second, 0), 7);
    }
    return 0;
}

static const struct host_program second_program[] = {{"/bin/second", second}, {0}};

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "lock_counts", .init = lock_counts},
        {.name = "fork_takes_a_snapshot", .init = fork_takes_a_snapshot},
        {.name = "copies_reach_all", .init = copies_reach_all},
        {.name = "owners_write", .init = owners_write},
        {.name = "unmap_reaches_all", .init = unmap_reaches_all},
        {.name = "protect_reaches_all", .init = protect_reaches_all},
        {.name = "signal_ends_sleep", .init = signal_ends_sleep},
        {.name = "exec_leaves", .init = exec_leaves, .programs = second_program},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
