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

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "join_then_lock", .init = join_then_lock, .runs = 6},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
