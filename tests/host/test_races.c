/* Two that are at it at the same time, under many schedules: whatever the order, each answer is one
 * that some order explains, and nothing is left over. */
#include "door.h"
#include "runner.h"

#include <signal.h>
#include <sys/stat.h>

#define ROUNDS 6u
#define F      "/dev/shm/r"

static uint32_t won, done, stop;

static void begin(void)
{
    won = done = stop = 0;
}

static void run_both(int (*one)(uintptr_t arg), int (*other)(uintptr_t arg), uintptr_t arg)
{
    long a = u_fork(one, arg), b = u_fork(other, arg);
    U_CHECK(a > 0 && b > 0);
    u_must_exit(a, 0);
    u_must_exit(b, 0);
}

/* ---- who makes it */

static int create(uintptr_t arg)
{
    long err = u_create("r", U_PAGE, RS_PERSIST);
    U_CHECK(err == 0 || err == ERR_EXIST);
    if (!err)
        u_count(&won);
    return 0;
}

static int create_file(uintptr_t arg)
{
    long fd = u_open(F, O_CREAT | O_EXCL | O_RDWR, 0600);
    U_CHECK(fd >= 0 || fd == -EEXIST);
    if (fd >= 0)
        u_count(&won);
    return 0;
}

static int creators(uintptr_t sp)
{
    int (*const ways[2])(uintptr_t arg) = {create, create_file};
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin();
        run_both(ways[i & 1], ways[i >> 1 & 1], 0);
        U_EQ(won, 1);
        U_EQ(u_destroy("r"), 0);
    }
    return 0;
}

/* ---- map, link and unlink while the name goes */

static int map_it(uintptr_t arg)
{
    uintptr_t at = 0;
    long err = u_map("r", &at);
    U_CHECK(err == 0 || err == ERR_NOTEXIST);
    if (!err) {
        u_store8(at, 1);
        U_CALL(SYS_sched_yield);
        U_EQ(u_counted(&done), 0); /* R5: no destroy is over while it is mapped */
        U_EQ(U_CALL(SYS_munmap, at, U_PAGE), 0);
    }
    return 0;
}

static int destroy_it(uintptr_t how)
{
    long err = u_destroy_with("r", (unsigned)how);
    U_CHECK(err == 0 || err == ERR_NOTEXIST || (how == RS_NOWAIT && err == ERR_BUSY));
    if (!err && how != RS_UNLINK)
        u_count(&done);
    return 0;
}

static int unlink_it(uintptr_t arg)
{
    long err = u_unlink(F);
    U_CHECK(err == 0 || err == -ENOENT);
    return 0;
}

static int link_it(uintptr_t arg)
{
    long err = u_two_paths(SYS_link, F, "/dev/shm/s");
    U_CHECK(err == 0 || err == -ENOENT);
    return 0;
}

static int open_it(uintptr_t arg)
{
    for (unsigned i = 0; i < 3; i++) {
        long fd = u_open(F, O_RDWR, 0);
        U_CHECK(fd >= 0 || fd == -ENOENT);
        if (fd >= 0)
            U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    }
    return 0;
}

static int names_go(uintptr_t sp)
{
    int (*const others[])(uintptr_t arg) = {map_it, unlink_it, link_it, open_it};
    for (unsigned i = 0; i < 12; i++) {
        begin();
        U_EQ(u_create("r", U_PAGE, RS_PERSIST), 0);
        run_both(others[i % 4], destroy_it, i / 4);
        (void)u_destroy("r");
        (void)u_destroy("s");
        U_EQ(u_open(F, O_RDONLY, 0), -ENOENT);
        U_EQ(u_open("/dev/shm/s", O_RDONLY, 0), -ENOENT);
    }
    u_walk();
    U_EQ(u_create("r", U_PAGE, RS_PERSIST), 0);
    run_both(open_it, open_it, 0);
    return 0;
}

static int unlink_again(uintptr_t arg)
{
    while (!u_counted(&stop))
        unlink_it(0);
    return 0;
}

/* The name that unlink(2) has found goes, and is another region's, before it takes it away. */
static int unlinked_by_two(uintptr_t sp)
{
    begin();
    long pid = u_fork(unlink_again, 0);
    for (unsigned i = 0; i < 10 * ROUNDS; i++) {
        U_EQ(u_create("r", U_PAGE, RS_PERSIST), 0);
        (void)destroy_it(RS_UNLINK);
    }
    (void)u_count(&stop);
    u_must_exit(pid, 0);
    u_walk();
    return 0;
}

/* ---- a segment is removed while it is attached */

static int attach_it(uintptr_t id)
{
    long at;
    while ((at = U_CALL(SYS_shmat, id, 0, 0)) > 0)
        U_EQ(U_CALL(SYS_shmdt, (unsigned long)at), 0);
    U_EQ(at, -EINVAL);
    return 0;
}

/* V1: once it is removed, its id finds it only while somebody has it. */
static int remove_it(uintptr_t id)
{
    struct linux_shmid_ds ds;
    u_pass_time(id % 8);
    long err = U_CALL(SYS_shmctl, id, IPC_RMID, 0);
    while (!err) {
        err = u_shmctl((int)id, IPC_STAT, &ds, sizeof ds);
        U_CHECK(err == -EINVAL || (err == 0 && ds.nattch == 1));
    }
    return 0;
}

static int segments_go(uintptr_t sp)
{
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        long id = U_CALL(SYS_shmget, IPC_PRIVATE, U_PAGE, 0600);
        U_CHECK(id >= 0);
        run_both(attach_it, remove_it, (uintptr_t)id);
    }
    u_walk();
    return 0;
}

/* ---- faults while the end of a file moves */

static int touch_all(uintptr_t at)
{
    host_catch_faults();
    while (!u_counted(&stop))
        for (unsigned i = 0; i < 4; i++) {
            int sig = i % 2 ? u_try_write(at + i * U_PAGE) : u_try_read(at + i * U_PAGE);
            U_CHECK(sig == 0 || sig == SIGBUS);
        }
    u_count(&done);
    return 0;
}

static int nothing(uintptr_t arg)
{
    return 0;
}

static void move_end(uintptr_t fd)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        U_EQ(U_CALL(SYS_ftruncate, fd, U_PAGE * (i % 3)), 0);
        U_EQ(U_CALL(SYS_ftruncate, fd, 4 * U_PAGE), 0);
        u_child_does(nothing, 0); /* copies what is there meanwhile */
    }
}

static int ends_move(uintptr_t sp)
{
    int flags[2] = {MAP_SHARED, MAP_PRIVATE};
    begin();
    host_catch_faults();
    uintptr_t fd = (uintptr_t)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, fd, 4 * U_PAGE), 0);
    for (unsigned i = 0; i < 2; i++)
        U_CHECK(u_thread(touch_all, u_mmap(0, 4 * U_PAGE, U_RW, flags[i], (int)fd, 0)) > 0);
    move_end(fd);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(u_counted(&done) == 2);
    u_walk();
    return 0;
}

static int cut_again(uintptr_t fd)
{
    while (!u_counted(&stop)) {
        U_EQ(U_CALL(SYS_ftruncate, fd, 0), 0);
        U_EQ(U_CALL(SYS_ftruncate, fd, 8 * U_PAGE), 0);
    }
    u_count(&done);
    return 0;
}

/* Another thread cuts the file while its pages are copied for a child. */
static int fork_while_cut(uintptr_t sp)
{
    begin();
    host_catch_faults();
    uintptr_t fd = (uintptr_t)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
    U_EQ(U_CALL(SYS_ftruncate, fd, 8 * U_PAGE), 0);
    uintptr_t at = u_mmap(0, 8 * U_PAGE, U_RW, MAP_PRIVATE, (int)fd, 0);
    U_CHECK(u_thread(cut_again, fd) > 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned page = 0; page < 8; page++)
            (void)u_try_write(at + page * U_PAGE);
        u_child_does(nothing, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(u_counted(&done) == 1);
    u_walk();
    return 0;
}

/* ---- the last descriptor is closed while its file is mapped */

static int close_it(uintptr_t fd)
{
    U_EQ(U_CALL(SYS_close, fd), 0);
    u_count(&done);
    return 0;
}

/* A10: what is mapped is in the table, whether the descriptor went before or after. */
static int closed_while_mapped(uintptr_t sp)
{
    for (unsigned i = 0; i < 3 * ROUNDS; i++) {
        begin();
        bool named = i % 2;
        uintptr_t fd = named ? (uintptr_t)u_open(F, O_CREAT | O_EXCL | O_RDWR, 0600)
                             : (uintptr_t)U_CALL(SYS_memfd_create, u_string(0, "m"), 0);
        U_EQ(U_CALL(SYS_ftruncate, fd, U_PAGE), 0);
        if (named)
            U_EQ(u_unlink(F), 0);
        U_CHECK(u_thread(close_it, fd) > 0);
        long at = U_CALL(SYS_mmap, 0, U_PAGE, U_RW, MAP_SHARED, fd, 0);
        U_CHECK(at > 0 || at == -EBADF);
        U_WAIT_UNTIL(u_counted(&done) == 1);
        U_EQ(u_file_has("/proc/regions", named ? "region " : "memfd "), at > 0);
        if (at > 0)
            U_EQ(U_CALL(SYS_munmap, (unsigned long)at, U_PAGE), 0);
    }
    u_walk();
    return 0;
}

/* ---- the table is listed while it changes */

static int take_turns(uintptr_t arg)
{
    char name[16];
    for (unsigned i = 0; !u_counted(&stop); i++) {
        (void)snprintf(name, sizeof name, "turn%u", i);
        U_EQ(u_create(name, U_PAGE, RS_PERSIST), 0);
        U_EQ(u_destroy(name), 0);
    }
    return 0;
}

/* A10: at no moment is there more than one of them, so no list has two, and none goes on for as
 * long as there are new ones. */
static int listed_while_made(uintptr_t sp)
{
    static char text[8192];
    begin();
    long other = u_fork(take_turns, 0);
    for (unsigned i = 0; i < 3 * ROUNDS; i++) {
        unsigned n = 0;
        (void)u_slurp("/proc/regions", text, sizeof text);
        for (const char *at = text; (at = strstr(at, " turn")); at++)
            n++;
        U_CHECK(n <= 1);
    }
    (void)u_count(&stop);
    u_must_exit(other, 0);
    return 0;
}

/* ---- times of a file that is closed and looked at */

static struct stat stat_file(void)
{
    struct stat st = {0};
    uintptr_t at = u_put(1, &st, sizeof st);
    U_EQ(U_CALL(SYS_stat, u_string(0, F), at), 0);
    u_get(at, &st, sizeof st);
    return st;
}

static int look_again(uintptr_t arg)
{
    while (!u_counted(&stop))
        (void)stat_file();
    return 0;
}

static int64_t mtime_ns(const struct stat *st)
{
    return st->st_mtim.tv_sec * 1000000000l + st->st_mtim.tv_nsec;
}

/* A write is never undone by whoever lets the file go. */
static int times_go_on(uintptr_t sp)
{
    begin();
    U_EQ(U_CALL(SYS_close, (unsigned long)u_open(F, O_CREAT | O_EXCL | O_RDWR, 0600)), 0);
    long pid = u_fork(look_again, 0);
    int64_t last = 0;
    for (unsigned i = 0; i < 10 * ROUNDS; i++) {
        int fd = (int)u_open(F, O_RDWR, 0);
        U_EQ(u_pwrite(fd, "x", 1, 0), 1);
        struct stat st = stat_file();
        U_CHECK(mtime_ns(&st) >= last);
        last = mtime_ns(&st);
        U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
        st = stat_file();
        U_EQ(mtime_ns(&st), last);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    u_must_exit(pid, 0);
    return 0;
}

/* ---- a file that is open, while its names come and go */

static int change_open(uintptr_t fd)
{
    struct stat st = {0};
    uintptr_t at = u_put(1, &st, sizeof st);
    while (!u_counted(&stop)) {
        U_EQ(U_CALL(SYS_fchmod, fd, 0600), 0);
        U_EQ(U_CALL(SYS_fstat, fd, at), 0);
        u_get(at, &st, sizeof st);
        U_CHECK(st.st_nlink <= 2);
    }
    return 0;
}

static int named_while_open(uintptr_t sp)
{
    static const char *const names[2][2] = {{F, F "2"}, {"/tmp/r", "/tmp/r2"}};
    for (unsigned i = 0; i < 2; i++) {
        begin();
        long fd = u_open(names[i][0], O_CREAT | O_EXCL | O_RDWR, 0600);
        long pid = u_fork(change_open, (uintptr_t)fd);
        for (unsigned n = 0; n < 4 * ROUNDS; n++) {
            U_EQ(u_two_paths(SYS_link, names[i][0], names[i][1]), 0);
            U_EQ(u_unlink(names[i][1]), 0);
        }
        U_EQ(u_unlink(names[i][0]), 0);
        (void)u_count(&stop);
        u_must_exit(pid, 0);
        U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    }
    return 0;
}

/* ---- one address space */

static int open_page(uintptr_t arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        long at = U_CALL(SHOAL_SYS_shm_open, 5);
        U_CHECK(at > 0);
        (void)U_CALL(SYS_munmap, (unsigned long)at, U_PAGE);
        (void)U_CALL(SHOAL_SYS_shm_close, 5);
    }
    u_count(&done);
    return 0;
}

static int zones_by_two(uintptr_t id)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        long at = U_CALL(SHOAL_SYS_shmem, id, M_CREATE, 2);
        U_CHECK(at >= (long)SHMBASE);
        u_store8((uintptr_t)at, 1);
        U_EQ(U_CALL(SYS_munmap, (unsigned long)at, 2 * U_PAGE), 0);
    }
    u_count(&done);
    return 0;
}

static int one_process(uintptr_t sp)
{
    begin();
    for (unsigned i = 0; i < 2; i++)
        U_CHECK(u_thread(open_page, 0) > 0);
    (void)open_page(0);
    U_WAIT_UNTIL(u_counted(&done) == 3);
    begin();
    U_CHECK(u_thread(zones_by_two, 1) > 0);
    (void)zones_by_two(2);
    U_WAIT_UNTIL(u_counted(&done) == 2);
    u_walk();
    return 0;
}

static int write_words(uintptr_t at)
{
    for (unsigned i = 0; i < 100; i++)
        (void)u_add32(at + i % 8 * U_PAGE, 1);
    u_count(&done);
    return 0;
}

/* Threads write pages that a child has, too: each is copied once, and no count is lost. */
static int copies_by_two(uintptr_t sp)
{
    for (unsigned i = 0; i < 3; i++) {
        begin();
        uintptr_t at = u_mmap(U_FAR, 8 * U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
        uint32_t sum = 0;
        u_fill(at, 8, 0);
        for (unsigned n = 0; n < 3; n++)
            U_CHECK(u_thread(write_words, at) > 0);
        for (unsigned n = 0; n < 3; n++)
            u_child_does(nothing, 0);
        U_WAIT_UNTIL(u_counted(&done) == 3);
        for (unsigned page = 0; page < 8; page++)
            sum += u_load32(at + page * U_PAGE);
        U_EQ(sum, 300);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "creators", .init = creators, .runs = 12},
        {.name = "names_go", .init = names_go, .runs = 12},
        {.name = "unlinked_by_two", .init = unlinked_by_two, .runs = 12},
        {.name = "segments_go", .init = segments_go, .runs = 12},
        {.name = "ends_move", .init = ends_move, .runs = 12},
        {.name = "fork_while_cut", .init = fork_while_cut, .runs = 12},
        {.name = "closed_while_mapped", .init = closed_while_mapped, .runs = 12},
        {.name = "listed_while_made", .init = listed_while_made, .runs = 12},
        {.name = "times_go_on", .init = times_go_on, .runs = 12},
        {.name = "named_while_open", .init = named_while_open, .runs = 12},
        {.name = "one_process", .init = one_process, .runs = 12},
        {.name = "copies_by_two", .init = copies_by_two, .runs = 12},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
