/* What the threads of one process have in common: signals for whichever takes them, descriptors at
 * exec, and what is over when one of them has ended. */
#include "door.h"
#include "runner.h"

#define ROUNDS 8u

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

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "join_then_lock", .init = join_then_lock, .runs = 6},
        {.name = "notice_goes_on", .init = notice_goes_on, .runs = 3},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
