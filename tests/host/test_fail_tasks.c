/* A3, A5: fork, vfork, clone and execve with each allocation failing in turn; and every call of the
 * doors that sleeps, with its sleep ended as if by a signal, or its time limit reached. */
#define _GNU_SOURCE
#include "failrow.h"

#include <sched.h>
#include <signal.h>

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define STACK  (4 * U_PAGE)

static uintptr_t private_at, shared_at, region_at, stack_at;

/* Private and shared memory, a region in pieces, a private view of it, an attach, a zone: much to
 * copy. */
static void map_much(void)
{
    uintptr_t view = 0;
    private_at = u_mmap(U_FAR, 70 * U_PAGE, U_RW, U_ANON, -1, 0);
    u_fill(private_at, 70, 3);
    U_EQ(U_CALL(SYS_mprotect, private_at + 20 * U_PAGE, U_PAGE, PROT_READ), 0);
    shared_at = u_mmap(0, 9 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    u_fill(shared_at, 9, 1);
    stack_at = u_mmap(0, STACK, U_RW, U_ANON, -1, 0);
    u_fill(stack_at, 4, 1);
    region_at = u_new("fail", 5 * U_PAGE, RS_DEFAULT);
    U_EQ(U_CALL(SYS_munmap, region_at + 2 * U_PAGE, U_PAGE), 0);
    U_EQ(u_map_with("fail", &view, (struct region_map){.flags = RM_PRIVATE}), 0);
    u_store8(view, 1);
    region_at = MIN(region_at, view);
    U_CHECK(U_CALL(SHOAL_SYS_shmem, 1, M_CREATE, 2) == (long)SHMBASE);
}

static void unmap_much(void)
{
    for (unsigned i = 0; i < 70; i++) {
        U_EQ(u_load8(private_at + i * U_PAGE), 3);
        if (i != 20)
            u_store8(private_at + i * U_PAGE, 3); /* writable as before */
    }
    U_EQ(u_region("fail").mappings, 2);
    U_EQ(U_CALL(SYS_munmap, private_at, 70 * U_PAGE), 0);
    U_EQ(U_CALL(SYS_munmap, shared_at, 9 * U_PAGE), 0);
    U_EQ(U_CALL(SYS_munmap, stack_at, STACK), 0);
    U_EQ(U_CALL(SYS_munmap, region_at, 10 * U_PAGE), 0);
    U_EQ(u_destroy("fail"), 0);
    U_EQ(U_CALL(SYS_munmap, SHMBASE, 2 * U_PAGE), 0);
}

static int child_ends(uintptr_t arg)
{
    return 0;
}

static void forked(long pid)
{
    u_must_exit(pid, 0);
}

static struct fail_call fork_much(void)
{
    map_much();
    host_child(child_ends, 0);
    return CALL(SYS_fork);
}

static struct fail_call vfork_much(void)
{
    map_much();
    host_child(child_ends, 0);
    return CALL(SYS_vfork);
}

static struct fail_call clone_sharing(void)
{
    map_much();
    host_child(child_ends, 0);
    return CALL(SYS_clone, CLONE_VM | CLONE_FILES | SIGCHLD, stack_at + STACK);
}

static uint32_t thread_done;

static int thread_ends(uintptr_t arg)
{
    __atomic_store_n(&thread_done, 1, __ATOMIC_SEQ_CST);
    U_CALL(SYS_exit, 0);
    return 0;
}

static struct fail_call clone_thread(void)
{
    stack_at = u_mmap(0, STACK, U_RW, U_ANON, -1, 0);
    u_fill(stack_at, 4, 1);
    thread_done = 0;
    host_child(thread_ends, 0);
    return CALL(SYS_clone, THREAD, stack_at + STACK);
}

static void thread_started(long tid)
{
    U_WAIT_UNTIL(__atomic_load_n(&thread_done, __ATOMIC_SEQ_CST));
}

static void free_stack(void)
{
    U_EQ(U_CALL(SYS_munmap, stack_at, STACK), 0);
}

static struct fail_call exec_other(void)
{
    uintptr_t path = box_string("/bin/other");
    const uintptr_t argv[] = {path, 0};
    (void)u_new("fail", U_PAGE, RS_DEFAULT);
    return CALL(SYS_execve, path, box_put(argv, sizeof argv), 0);
}

static int other(uintptr_t sp)
{
    return 0;
}

#define FORK .errors = {ENOMEM, EAGAIN}

static const struct fail_row tasks[] = {
    ROW("fork", fork_much, forked, unmap_much, FORK),
    ROW("vfork", vfork_much, forked, unmap_much, FORK),
    ROW("clone, sharing memory and files", clone_sharing, forked, unmap_much, FORK),
    ROW("clone of a thread", clone_thread, thread_started, free_stack, FORK),
    ROW("execve", exec_other, NULL, NULL, .errors = {ENOMEM},
        .flags = ROW_FRESH | ROW_DIES | ROW_KEEPS),
};

/* ---- sleeps */

static uintptr_t limit(void)
{
    static const int64_t soon[2] = {0, U_MS};
    return box_put(soon, sizeof soon);
}

static uint32_t holding;
static long holder;

static int hold_lock(uintptr_t arg)
{
    uintptr_t at = 0;
    U_EQ(u_map("fail", &at), 0);
    U_EQ(u_lock("fail"), 0);
    __atomic_store_n(&holding, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(!__atomic_load_n(&holding, __ATOMIC_SEQ_CST));
    U_EQ(u_unlock("fail"), 0);
    return 0;
}

static void region_held(void)
{
    U_EQ(u_create("fail", U_PAGE, RS_PERSIST), 0);
    holder = u_fork(hold_lock, 0);
    U_WAIT_UNTIL(__atomic_load_n(&holding, __ATOMIC_SEQ_CST));
    own_pages();
}

static void let_go(void)
{
    __atomic_store_n(&holding, 0, __ATOMIC_SEQ_CST);
    u_must_exit(holder, 0);
}

static struct fail_call lock_held(void)
{
    region_held();
    U_EQ(u_map("fail", &region_at), 0);
    return CALL(SHOAL_SYS_lockRegionTimed, box_string("fail"), limit());
}

static void unlock_all(void)
{
    let_go();
    U_EQ(u_unmap("fail", region_at), 0);
    U_EQ(u_destroy("fail"), 0);
}

static struct fail_call destroy_held(void)
{
    region_held();
    return CALL(SHOAL_SYS_destroySharedRegionWith, box_string("fail"), RS_WAIT, limit());
}

/* It stays closed (R5), and the last to unmap ends it. */
static void closed(void)
{
    struct region_stat stat;
    U_EQ(u_region("fail").closing, 1);
    let_go();
    U_EQ(u_stat_region("fail", &stat), ERR_NOTEXIST);
}

static struct fail_call map_absent(void)
{
    const struct region_map how = {.flags = RM_WAIT, .timeout_ns = U_MS};
    return CALL(SHOAL_SYS_createMappingWith, box_string("fail"), box_room(8),
                box_put(&how, sizeof how));
}

/* No handler has run: the call is made again, and waits as long as it still has. */
#define SLEEP .kind = FAIL_SLEEP, .ends = ETIMEDOUT, .flags = ROW_SURVIVES
#define LATE  .kind = FAIL_TIMEOUT, .ends = ETIMEDOUT, .flags = ROW_SURVIVES

static const struct fail_row sleeps[] = {
    ROW("lockRegionTimed, a signal", lock_held, NULL, unlock_all, SLEEP),
    ROW("lockRegionTimed, too late", lock_held, NULL, unlock_all, LATE),
    ROW("destroySharedRegionWith, a signal", destroy_held, NULL, closed, SLEEP),
    ROW("destroySharedRegionWith, too late", destroy_held, NULL, closed, LATE),
    ROW("createMappingWith, a signal", map_absent, NULL, NULL, SLEEP),
    ROW("createMappingWith, too late", map_absent, NULL, NULL, LATE),
};

/* Long calls look for a signal: what they did so far stays. */

static struct fail_call populate(void)
{
    return CALL(SYS_mmap, 0, 9 * U_PAGE, U_RW, U_ANON | MAP_POPULATE, -1);
}

static void populated(long at)
{
    U_EQ(U_CALL(SYS_munmap, (uintptr_t)at, 9 * U_PAGE), 0);
}

static struct fail_call lock_pages(void)
{
    shared_at = u_mmap(U_FAR, 3 * U_PAGE, U_RW, U_ANON, -1, 0);
    u_fill(shared_at, 3, 1);
    return CALL(SYS_mlock, shared_at, 3 * U_PAGE);
}

static void unlock_pages(void)
{
    U_EQ(U_CALL(SYS_munmap, shared_at, 3 * U_PAGE), 0);
}

static const struct fail_row looks[] = {
    ROW("mmap, populated: a signal", populate, populated, NULL, .kind = FAIL_SLEEP,
        .flags = ROW_SURVIVES),
    ROW("mlock: a signal", lock_pages, NULL, unlock_pages, .kind = FAIL_SLEEP, .errors = {EINTR}),
};

static int fail_tasks(uintptr_t sp)
{
    ROWS(tasks);
    return 0;
}

static int fail_sleeps(uintptr_t sp)
{
    ROWS(sleeps);
    ROWS(looks);
    return 0;
}

static const struct host_program programs[] = {{"/bin/other", other}, {0}};

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "tasks", .init = fail_tasks, .runs = 1, .programs = programs},
        {.name = "sleeps", .init = fail_sleeps, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
