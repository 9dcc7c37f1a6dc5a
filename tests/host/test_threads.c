/* What the threads of one process have in common: descriptors at exec, and what is over when one of
 * them has ended. */
#define _GNU_SOURCE
#include "door.h"
#include "runner.h"

#include <sched.h>
#include <signal.h>

#define ROUNDS 8u

static uint32_t go, ready, born; /* the test's own: all its processes see them */

static void begin(void)
{
    go = ready = born = 0;
}

/* ---- the end of a thread */

static int lock_and_end(uintptr_t word)
{
    U_CHECK(U_CALL(SYS_set_tid_address, word) > 0);
    U_EQ(u_lock("r"), 0);
    return 0;
}

/* R10: whoever has joined a thread sees nothing of it at the region's lock. */
static int join_then_lock(uintptr_t sp)
{
    uintptr_t at = u_new("r", U_PAGE, RS_PERSIST);
    for (unsigned i = 0; i < ROUNDS; i++) {
        u_store32(at, 1);
        U_CHECK(u_thread(lock_and_end, at) > 0);
        U_WAIT_UNTIL(u_load32(at) == 0);
        U_EQ(u_region("r").lock_owner_tid, 0);
        U_EQ(u_trylock("r"), ERR_OWNERDEAD);
        U_EQ(u_unlock("r"), 0);
    }
    u_walk();
    return 0;
}

/* ---- a robust lock */

#define FUTEX_WAIT_OP    0
#define FUTEX_REQUEUE_OP 4 /* FUTEX_CMP_REQUEUE */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define LOCK_AT(page)    ((page) + 128)
#define ELSEWHERE(page)  ((page) + 256)

static int wait_for_lock(uintptr_t page)
{
    U_EQ(U_CALL(SYS_futex, ELSEWHERE(page), FUTEX_WAIT_OP, 0, 0), 0);
    return 0;
}

/* Dies while it takes the lock: its list is empty, the lock pending. */
static int die_taking_lock(uintptr_t page)
{
    const uint64_t head[3] = {page, 64, LOCK_AT(page) - 64};
    U_EQ(host_store(page, head, sizeof head), 0);
    U_EQ(U_CALL(SYS_set_robust_list, page, sizeof head), 0);
    return 0;
}

/* U2: the owner died, and whoever was woken for that died as well, before it changed the word. */
static int notice_goes_on(uintptr_t sp)
{
    const uint32_t words[] = {FUTEX_OWNER_DIED | FUTEX_WAITERS, FUTEX_OWNER_DIED, 0};
    uintptr_t page = u_mmap(0, U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        long waiter = u_fork(wait_for_lock, page);
        u_store32(LOCK_AT(page), words[i]);
        U_WAIT_UNTIL(U_CALL(SYS_futex, ELSEWHERE(page), FUTEX_REQUEUE_OP, 0, 1, LOCK_AT(page), 0) ==
                     1); /* it sleeps, for the lock */
        u_child_does(die_taking_lock, page);
        u_must_exit(waiter, 0);
        U_EQ(u_load32(LOCK_AT(page)), words[i]);
    }
    return 0;
}

/* ---- exec, while another process shares the descriptors or begins to */

#define FD_FIRST 20ul
#define FD_END   60ul

static uint32_t open_in_program;

static uint32_t count_open(void)
{
    uint32_t n = 0;
    for (unsigned long fd = FD_FIRST; fd < FD_END; fd++)
        n += U_CALL(SYS_fcntl, fd, F_GETFD) >= 0;
    return n;
}

/* The program: its process's children are the cloned ones. */
static int program(uintptr_t sp)
{
    int status;
    long pid;
    open_in_program = count_open();
    u_count(&ready);
    while ((pid = u_wait(-1, &status)) > 0)
        U_EQ(status, 0);
    U_EQ(pid, -ECHILD);
    return 0;
}

static long clone_with_files(int (*run)(uintptr_t arg), uintptr_t arg)
{
    host_child(run, arg);
    return U_CALL(SYS_clone, CLONE_FILES | SIGCHLD, 0);
}

static void open_all(int flags)
{
    long fd = u_open("/proc/regions", O_RDONLY, 0);
    U_CHECK(fd >= 0);
    for (unsigned long to = FD_FIRST; to < FD_END; to++)
        U_EQ(U_CALL(SYS_dup3, (unsigned long)fd, to, (unsigned long)flags), (long)to);
}

static int has_all(uintptr_t arg)
{
    u_count(&born);
    U_WAIT_UNTIL(u_counted(&ready));
    U_EQ(count_open(), FD_END - FD_FIRST);
    return 0;
}

static int clone_one(uintptr_t turns)
{
    U_WAIT_UNTIL(u_counted(&go));
    u_pass_time((unsigned)turns);
    U_CHECK(clone_with_files(has_all, 0) > 0);
    return 0;
}

/* All that the call needs is in place when the other threads hear of it. */
static int go_and_exec(void)
{
    uintptr_t path = u_string(0, "/bin/program");
    const uintptr_t argv[] = {path, 0};
    uintptr_t list = u_put(1, argv, sizeof argv);
    u_count(&go);
    return (int)U_CALL(SYS_execve, path, list, 0);
}

static int exec_beside_clone(uintptr_t turns)
{
    open_all(O_CLOEXEC);
    U_CHECK(u_thread(clone_one, turns) > 0);
    return go_and_exec();
}

/* A process that has come to share the table until exec is alone keeps its descriptors.  From round
 * to round the clone comes nearer to the moment at which it is too late. */
static int exec_closes_its_own(uintptr_t sp)
{
    unsigned turns = 0, step = 64;
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        begin();
        u_child_does(exec_beside_clone, turns);
        U_EQ(open_in_program, 0);
        turns = born ? turns + step : turns - MIN(turns, step);
        step = step > 1 ? step / 2 : 1;
    }
    return 0;
}

static int has_what_program_has(uintptr_t arg)
{
    U_WAIT_UNTIL(u_counted(&ready));
    U_EQ(count_open(), open_in_program);
    return 0;
}

static int close_all(uintptr_t turns)
{
    U_WAIT_UNTIL(u_counted(&go));
    u_pass_time((unsigned)turns);
    for (unsigned long fd = FD_FIRST; fd < FD_END; fd++)
        U_EQ(U_CALL(SYS_close, fd), 0);
    return 0;
}

static int exec_beside_close(uintptr_t turns)
{
    open_all(0);
    U_CHECK(clone_with_files(has_what_program_has, 0) > 0);
    U_CHECK(u_thread(close_all, turns) > 0);
    return go_and_exec();
}

/* What another thread closes before it leaves is closed for the program, too: nobody else changes
 * the shared table. */
static int exec_has_what_is_open(uintptr_t sp)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin();
        u_child_does(exec_beside_close, i);
    }
    return 0;
}

static const struct host_program programs[] = {{"/bin/program", program}, {0}};

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "join_then_lock", .init = join_then_lock, .runs = 6},
        {.name = "notice_goes_on", .init = notice_goes_on, .runs = 3},
        {.name = "exec_closes_its_own",
         .init = exec_closes_its_own,
         .runs = 24,
         .programs = programs},
        {.name = "exec_has_what_is_open",
         .init = exec_has_what_is_open,
         .runs = 6,
         .programs = programs},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
