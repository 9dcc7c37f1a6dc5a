/* How named regions end: destroy that waits, does not wait, or takes the name only (R5, R6, R7). */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define SIZE (5 * U_PAGE)

static uint32_t go; /* the test's own: all its processes see it */

static int map_until_told(uintptr_t arg)
{
    uintptr_t at = 0;
    U_EQ(u_map("r", &at), 0);
    u_store8(at, 42);
    __atomic_add_fetch(&go, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(__atomic_load_n(&go, __ATOMIC_SEQ_CST) == 2);
    U_EQ(u_load8(at), 42);
    return arg ? (int)-u_unmap("r", at) : 0;
}

static long start_mapper(uintptr_t by_hand)
{
    go = 0;
    long pid = u_fork(map_until_told, by_hand);
    U_CHECK(pid > 0);
    U_WAIT_UNTIL(__atomic_load_n(&go, __ATOMIC_SEQ_CST) == 1);
    return pid;
}

static void let_go(void)
{
    __atomic_store_n(&go, 2, __ATOMIC_SEQ_CST);
}

static int destroy_r(uintptr_t expected)
{
    U_EQ(u_destroy("r"), (long)expected);
    return 0;
}

/* /dev/shm has so many regions, with names of one byte each. */
static void must_be_listed(unsigned n)
{
    static const char empty[256];
    long fd = u_open("/dev/shm", O_RDONLY | O_DIRECTORY, 0);
    U_EQ(U_CALL(SYS_getdents64, (unsigned long)fd, u_put(0, empty, sizeof empty), sizeof empty),
         24 * (2 + n));
    U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
}

static int destroy_waits(uintptr_t sp)
{
    uintptr_t at = 0;
    for (uintptr_t by_hand = 0; by_hand < 2; by_hand++) {
        U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
        long mapper = start_mapper(by_hand);
        must_be_listed(1);
        U_EQ(u_destroy_with("r", RS_NOWAIT), ERR_BUSY);
        long first = u_fork(destroy_r, 0);
        U_WAIT_UNTIL(u_region("r").closing);
        U_EQ(u_destroy("r"), ERR_NOTEXIST);
        U_EQ(u_map("r", &at), ERR_NOTEXIST);
        U_EQ(u_create("r", SIZE, 0), ERR_EXIST);
        U_EQ(u_open("/dev/shm/r", O_RDONLY, 0), -ENOENT);
        U_CHECK(u_file_has("/proc/regions", "closing"));
        must_be_listed(0);
        U_WAIT_UNTIL(u_sleeps(first));
        u_walk();
        let_go();
        u_must_exit(first, 0);
        u_must_exit(mapper, 0);
        U_EQ(u_destroy("r"), ERR_NOTEXIST);
    }
    return 0;
}

static int destroy_in_time(uintptr_t sp)
{
    U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
    long mapper = start_mapper(1);
    U_EQ(u_destroy_timed("r", RS_WAIT, U_MS), ERR_TIMEOUT);
    U_EQ(u_region("r").closing, 1); /* it stays closed */
    let_go();
    u_must_exit(mapper, 0);
    U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
    U_EQ(U_CALL(SHOAL_SYS_destroySharedRegionWith, u_string(0, "r"), RS_WAIT, U_KERNEL), ERR_FAULT);
    U_EQ(u_destroy_timed("r", RS_NOWAIT, U_MS), 0);
    uintptr_t at = u_new("r", SIZE, RS_PERSIST);
    U_EQ(u_destroy("r"), ERR_INVAL); /* the caller would wait for itself */
    U_EQ(u_destroy_with("r", RS_NOWAIT), ERR_INVAL);
    U_EQ(u_unmap("r", at), 0);
    U_EQ(u_destroy("r"), 0);
    return 0;
}

static int destroy_interrupted(uintptr_t arg)
{
    u_ignore_by_handler(SIGUSR1, 0);
    __atomic_store_n(&go, 3, __ATOMIC_SEQ_CST);
    U_EQ(u_destroy("r"), ERR_INTR);
    U_EQ(u_region("r").closing, 1);
    return 0;
}

static int signal_ends_destroy(uintptr_t sp)
{
    U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
    long mapper = start_mapper(1), destroyer = u_fork(destroy_interrupted, 0);
    U_WAIT_UNTIL(u_region("r").closing && u_sleeps(destroyer));
    U_EQ(U_CALL(SYS_kill, (unsigned long)destroyer, SIGUSR1), 0);
    u_must_exit(destroyer, 0);
    let_go();
    u_must_exit(mapper, 0);
    U_EQ(u_create("r", SIZE, RS_DEFAULT), 0);
    return 0;
}

/* A destroy that is stopped and goes on waits for the region it has closed, not for another of the
 * name. */
static int destroy_stopped(uintptr_t sp)
{
    for (unsigned gone_meanwhile = 0; gone_meanwhile < 3; gone_meanwhile++) {
        U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
        /* It is there as long as this is open, and has no name when its last mapping has gone. */
        long fd = gone_meanwhile == 2 ? u_open("/dev/shm/r", O_RDWR, 0) : -1;
        long mapper = start_mapper(1), destroyer = u_fork(destroy_r, 0);
        U_WAIT_UNTIL(u_region("r").closing && u_sleeps(destroyer));
        U_EQ(U_CALL(SYS_kill, (unsigned long)destroyer, SIGSTOP), 0);
        U_WAIT_UNTIL(u_stopped(destroyer));
        if (gone_meanwhile) {
            let_go();
            u_must_exit(mapper, 0);
        }
        if (gone_meanwhile == 2)
            U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
        U_EQ(U_CALL(SYS_kill, (unsigned long)destroyer, SIGCONT), 0);
        if (!gone_meanwhile) {
            U_WAIT_UNTIL(u_sleeps(destroyer));
            let_go();
            u_must_exit(mapper, 0);
        }
        u_must_exit(destroyer, 0);
        if (gone_meanwhile == 2)
            U_EQ(u_destroy("r"), 0);
        if (fd >= 0)
            U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    }
    return 0;
}

static int unlink_frees_the_name(uintptr_t sp)
{
    uintptr_t at = u_new("r", SIZE, RS_DEFAULT), other = 0;
    u_store8(at, 1);
    U_EQ(u_lock("r"), 0);
    U_EQ(u_destroy_with("r", RS_UNLINK), 0);
    U_EQ(u_map("r", &other), ERR_NOTEXIST);
    U_CHECK(u_file_has("/proc/regions", "unnamed"));
    U_EQ(u_create("r", U_PAGE, RS_DEFAULT), 0);
    U_EQ(u_map("r", &other), 0);
    U_EQ(u_lock("r"), 0);
    U_EQ(u_load8(other), 0);
    U_EQ(u_load8(at), 1);
    u_walk();
    U_EQ(u_unlock("r"), 0); /* the one that has the name first */
    U_EQ(u_unlock("r"), 0);
    U_EQ(u_unlock("r"), ERR_INVAL);
    U_EQ(U_CALL(SYS_munmap, at, SIZE), 0);
    U_EQ(u_unmap("r", other), 0);
    U_EQ(u_destroy("r"), 0);
    return 0;
}

/* Its own last mapping ends a region that is closing, though a file of it is open. */
static int open_file_keeps_memory(uintptr_t sp)
{
    U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
    long fd = u_open("/dev/shm/r", O_RDWR, 0);
    U_CHECK(fd >= 0);
    long mapper = start_mapper(0), destroyer = u_fork(destroy_r, 0);
    U_WAIT_UNTIL(u_region("r").closing);
    let_go();
    u_must_exit(destroyer, 0);
    u_must_exit(mapper, 0);
    U_EQ(u_create("r", U_PAGE, RS_DEFAULT), 0);
    uint8_t byte = 0;
    U_EQ(u_pread((int)fd, &byte, 1, 0), 1);
    U_EQ(byte, 42);
    uintptr_t at = u_mmap(0, U_PAGE, U_RW, MAP_SHARED, (int)fd, 0);
    U_EQ(u_load8(at), 42);
    return 0;
}

/* Nothing is tidied: regions of every state are there when the machine goes down. */
static int shutdown_tidies(uintptr_t sp)
{
    static const char *const kinds[] = {"a", "b", "c"};
    for (unsigned i = 0; i < 3; i++)
        u_fill(u_new(kinds[i], SIZE, RS_PERSIST), 5, 1);
    U_EQ(u_lock("a"), 0);
    U_EQ(u_destroy_with("b", RS_UNLINK), 0);
    U_CHECK(U_CALL(SYS_shmget, 5, SIZE, IPC_CREAT | 0600) >= 0);
    long id = U_CALL(SYS_shmget, 6, SIZE, IPC_CREAT | 0600);
    U_CHECK(U_CALL(SYS_shmat, (unsigned long)id, 0, 0) > 0);
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)id, IPC_RMID, 0), 0);
    U_CHECK(u_open("/dev/shm/f", O_CREAT | O_RDWR, 0600) >= 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/f", "/dev/shm/g"), 0);
    U_CHECK(U_CALL(SHOAL_SYS_shm_open, 3) > 0);
    U_CHECK(U_CALL(SHOAL_SYS_shmem, 3, M_CREATE, 3) > 0);
    u_store8(FRY, 1);
    u_walk();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "destroy_waits", .init = destroy_waits, .runs = 3},
        {.name = "destroy_in_time", .init = destroy_in_time, .runs = 2},
        {.name = "signal_ends_destroy", .init = signal_ends_destroy, .runs = 2},
        {.name = "destroy_stopped", .init = destroy_stopped, .runs = 2},
        {.name = "unlink_frees_the_name", .init = unlink_frees_the_name, .runs = 1},
        {.name = "open_file_keeps_memory", .init = open_file_keeps_memory, .runs = 2},
        {.name = "shutdown_tidies", .init = shutdown_tidies, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
