/* Named regions by the native calls: what they refuse, what they make, who may, and how a region
 * ends (R1 to R8, A2, A3, A9). */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define SIZE (5 * U_PAGE)

/* ---- names and sizes */

static int refuses(uintptr_t sp)
{
    static const char *const bad[] = {"", "/", "a/b", ".", ".."};
    char long_name[RS_NAME_MAX + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        U_EQ(u_create(bad[i], SIZE, 0), ERR_INVAL);
    U_EQ(u_create(long_name, SIZE, 0), ERR_INVAL);
    U_EQ(u_create("x", 0, 0), ERR_INVAL);
    U_EQ(u_create("x", SIZE_MAX, 0), ERR_INVAL);
    U_EQ(u_create("x", SIZE, 4), ERR_INVAL);
    U_EQ(u_create("x", U_GIB, 0), ERR_NOMEM);
    U_EQ(U_CALL(SHOAL_SYS_createSharedRegion, U_KERNEL, SIZE, 0), ERR_FAULT);
    U_EQ(u_destroy("x"), ERR_NOTEXIST);
    U_EQ(u_destroy_with("x", 3), ERR_INVAL);
    U_EQ(u_unmap("x", U_FAR), ERR_NOTEXIST);
    U_EQ(u_lock("x"), ERR_NOTEXIST);
    U_EQ(u_unlock("x"), ERR_NOTEXIST);
    U_EQ(u_chmod_region("x", 0600), ERR_NOTEXIST);
    U_EQ(u_chmod_region("x", 01000), ERR_INVAL);
    uintptr_t at = 0;
    U_EQ(u_map("x", &at), ERR_NOTEXIST);
    long_name[RS_NAME_MAX] = '\0';
    U_EQ(u_create(long_name, 1, RS_PERSIST), 0);
    U_EQ(u_create(long_name, 1, RS_PERSIST), ERR_EXIST);
    U_EQ(u_region(long_name).size_bytes, U_PAGE);
    U_EQ(u_destroy(long_name), 0);
    return 0;
}

static int names_do_not_mix(uintptr_t sp)
{
    char name[16];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%u", i * 7 % 40);
        U_EQ(u_create(name, (i % 5 + 1) * U_PAGE, i % 2 ? RS_PERSIST : RS_DEFAULT), 0);
    }
    u_walk();
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%u", i);
        U_EQ(u_destroy(name), 0);
        U_EQ(u_destroy(name), ERR_NOTEXIST);
    }
    return 0;
}

/* ---- createMappingWith */

static long map_how(uint32_t flags, uint64_t offset, uint64_t length, uint64_t addr, uintptr_t *at)
{
    return u_map_with(
        "r", at,
        (struct region_map){
            .flags = flags, .offset_bytes = offset, .length_bytes = length, .addr = addr});
}

static int maps_parts(uintptr_t sp)
{
    uintptr_t all = u_new("r", SIZE, 0), at = 0;
    host_catch_faults();
    for (unsigned i = 0; i < 5; i++)
        u_store8(all + i * U_PAGE, (uint8_t)(i + 1));
    U_EQ(map_how(0, 2 * U_PAGE, 2 * U_PAGE, 0, &at), 0);
    U_EQ(u_load8(at), 3);
    U_EQ(u_load8(at + U_PAGE), 4);
    u_store8(at, 9);
    U_EQ(u_load8(all + 2 * U_PAGE), 9);
    U_EQ(u_unmap("r", at + U_PAGE), 0);
    U_EQ(u_try_read(at), SIGSEGV);
    U_EQ(map_how(RM_RDONLY | RM_POPULATE, U_PAGE, 0, 0, &at), 0);
    U_EQ(u_load8(at), 2);
    U_EQ(u_try_write(at), SIGSEGV);
    U_EQ(U_CALL(SYS_mprotect, at, U_PAGE, U_RW), 0); /* the rights of the region allow it */
    u_store8(at, 7);
    U_EQ(u_load8(all + U_PAGE), 7);
    U_EQ(u_region("r").mappings, 2);
    U_EQ(u_unmap("r", at), 0);
    U_EQ(map_how(RM_PRIVATE, 0, 0, 0, &at), 0);
    u_store8(at, 77);
    U_EQ(u_load8(all), 1);
    U_EQ(u_unmap("r", at), 0);
    U_EQ(map_how(RM_FIXED, 0, 0, U_FAR, &at), 0);
    U_EQ(at, U_FAR);
    U_EQ(map_how(RM_FIXED, 0, 0, U_FAR + U_PAGE, &at), ERR_EXIST);
    U_EQ(u_unmap("r", U_FAR), 0);
    U_EQ(u_unmap("r", U_FAR), ERR_NOTEXIST);
    U_EQ(u_unmap("r", all), 0);
    U_EQ(u_destroy("r"), 0);
    return 0;
}

static int map_refuses(uintptr_t sp)
{
    uintptr_t at = 0;
    U_EQ(u_create("r", SIZE, 0), 0);
    U_EQ(map_how(RM_ALL + 1, 0, 0, 0, &at), ERR_INVAL);
    U_EQ(map_how(0, 1, 0, 0, &at), ERR_INVAL);
    U_EQ(map_how(0, SIZE, 0, 0, &at), ERR_INVAL);
    U_EQ(map_how(0, SIZE + U_PAGE, 0, 0, &at), ERR_INVAL);
    U_EQ(map_how(0, SIZE + U_PAGE, U_PAGE, 0, &at), ERR_INVAL);
    U_EQ(map_how(0, U_PAGE, SIZE, 0, &at), ERR_INVAL);
    U_EQ(map_how(RM_FIXED, 0, 0, U_FAR + 1, &at), ERR_INVAL);
    U_EQ(map_how(RM_FIXED, 0, 0, U_KERNEL, &at), ERR_NOMEM);
    struct region_map how = {.reserved = 1};
    U_EQ(u_map_with("r", &at, how), ERR_INVAL);
    how = (struct region_map){.timeout_ns = -1};
    U_EQ(u_map_with("r", &at, how), ERR_INVAL);
    U_EQ(U_CALL(SHOAL_SYS_createMappingWith, u_string(0, "r"), u_put(1, &at, 8), U_BAD), ERR_FAULT);
    U_EQ(U_CALL(SHOAL_SYS_createMapping, u_string(0, "r"), U_BAD), ERR_FAULT);
    U_EQ(u_region("r").mappings, 0); /* A3 */
    U_EQ(U_CALL(SHOAL_SYS_statRegion, u_string(0, "r"), U_BAD), ERR_FAULT);
    U_EQ(u_destroy("r"), 0);
    return 0;
}

/* ---- waiting for existence */

static uintptr_t waited_at;

static int map_when_there(uintptr_t timeout_s)
{
    waited_at = 0;
    return (int)-u_map_with("late", &waited_at,
                            (struct region_map){.flags = RM_WAIT, .timeout_s = (int64_t)timeout_s});
}

static int waits_for_existence(uintptr_t sp)
{
    uintptr_t at = 0;
    struct region_map shortly = {.flags = RM_WAIT, .timeout_ns = U_MS};
    U_EQ(u_map_with("late", &at, shortly), ERR_TIMEOUT);
    long for_ever = u_fork(map_when_there, (uintptr_t)-1);
    U_WAIT_UNTIL(u_sleeps(for_ever));
    U_EQ(u_create("other", SIZE, 0), 0); /* wakes, and is not it */
    long long_enough = u_fork(map_when_there, 1000000);
    U_WAIT_UNTIL(u_sleeps(long_enough) && u_sleeps(for_ever));
    U_EQ(u_create("late", SIZE, 0), 0);
    u_must_exit(for_ever, 0);
    u_must_exit(long_enough, 0);
    U_EQ(u_destroy("late"), 0);
    U_EQ(u_destroy("other"), 0);
    long ended = u_fork(map_when_there, (uintptr_t)-1);
    int status;
    U_WAIT_UNTIL(u_sleeps(ended));
    U_EQ(U_CALL(SYS_kill, (unsigned long)ended, SIGKILL), 0);
    U_EQ(u_wait(ended, &status), ended);
    U_EQ(status, SIGKILL);
    return 0;
}

/* ---- rights */

static int stranger(uintptr_t mode)
{
    uintptr_t at = 0;
    struct region_stat stat;
    struct region_map read_only = {.flags = RM_RDONLY}, private = {.flags = RM_PRIVATE};
    bool reads = mode & 4, writes = mode & 2;
    u_become(1000, 1000);
    U_EQ(u_stat_region("r", &stat), reads ? 0 : ERR_ACCESS);
    U_EQ(u_map("r", &at), reads && writes ? 0 : ERR_ACCESS);
    U_EQ(u_map_with("r", &at, read_only), reads ? 0 : ERR_ACCESS);
    if (reads)
        U_EQ(U_CALL(SYS_mprotect, at, SIZE, U_RW), writes ? 0 : -EACCES);
    U_EQ(u_map_with("r", &at, private), reads ? 0 : ERR_ACCESS);
    if (reads)
        u_store8(at, 66);
    U_EQ(u_chmod_region("r", 0777), ERR_ACCESS);
    U_EQ(u_destroy_with("r", RS_UNLINK), ERR_ACCESS);
    U_EQ(U_CALL(SHOAL_SYS_failNth, 1, FAIL_ALLOC), -EPERM);
    return 0;
}

static int owner(uintptr_t arg)
{
    u_become(1000, 1000);
    U_EQ(u_create("mine", SIZE, RS_PERSIST), 0);
    struct region_stat stat = u_region("mine");
    U_EQ(stat.uid, 1000);
    U_EQ(stat.gid, 1000);
    U_EQ(stat.mode, 0600);
    U_EQ(stat.flags, RS_PERSIST);
    U_EQ(u_chmod_region("mine", 0640), 0);
    U_EQ(u_region("mine").mode, 0640);
    return 0;
}

static int rights(uintptr_t sp)
{
    uintptr_t at = u_new("r", SIZE, RS_PERSIST);
    u_store8(at, 5);
    for (unsigned mode = 0; mode < 8; mode += 2) {
        U_EQ(u_chmod_region("r", mode), 0);
        u_child_does(stranger, mode);
    }
    U_EQ(u_load8(at), 5);
    U_EQ(u_unmap("r", at), 0);
    U_EQ(u_destroy("r"), 0);
    u_child_does(owner, 0);
    U_EQ(u_destroy("mine"), 0);
    return 0;
}

/* ---- what each user may have */

static int limited(uintptr_t arg)
{
    u_become(1000, 1000);
    U_EQ(u_create("a", 2 * U_PAGE, RS_PERSIST), 0);
    U_EQ(u_create("b", 7 * U_PAGE, 0), ERR_NOMEM);
    long fd = u_open("/dev/shm/b", O_CREAT | O_RDWR, 0600);
    U_CHECK(fd >= 0);
    U_EQ(u_create("c", U_PAGE, 0), ERR_NOMEM);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, 7 * U_PAGE), -ENOMEM);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, 6 * U_PAGE), 0);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, U_PAGE), 0);
    U_EQ(u_destroy("a"), 0);
    U_EQ(u_create("a", 7 * U_PAGE, 0), 0);
    U_EQ(u_destroy("a"), 0);
    U_EQ(u_destroy("b"), 0); /* a file is a region */
    return 0;
}

static int first_refused(uintptr_t arg)
{
    u_become(2000, 2000);
    U_EQ(u_create("a", 9 * U_PAGE, 0), ERR_NOMEM); /* the account goes again */
    return 0;
}

static int limits(uintptr_t sp)
{
    u_child_does(first_refused, 0);
    u_child_does(limited, 0);
    U_EQ(u_create("root", 100 * U_PAGE, 0), 0);
    U_EQ(u_destroy("root"), 0);
    return 0;
}

/* ---- lifetimes */

static int make_default(uintptr_t arg)
{
    U_EQ(u_create("child's", SIZE, RS_DEFAULT), 0);
    U_CHECK(u_region("child's").creator_pid != 0);
    U_EQ(u_create("stays", SIZE, RS_PERSIST), 0);
    return 0;
}

static int make_and_leave(uintptr_t arg)
{
    make_default(0);
    return 0;
}

static int lifetimes(uintptr_t sp)
{
    struct region_stat stat;
    u_child_does(make_and_leave, 0);
    U_EQ(u_stat_region("child's", &stat), ERR_NOTEXIST);
    U_EQ(u_region("stays").creator_pid, 0);
    uint64_t id = u_region("stays").id;
    U_EQ(u_destroy("stays"), 0);
    uintptr_t at = u_new("stays", SIZE, RS_NORESERVE);
    U_CHECK(u_region("stays").id > id); /* A8 */
    U_EQ(u_region("stays").resident_bytes, 0);
    u_store8(at, 1);
    U_EQ(u_region("stays").resident_bytes, U_PAGE);
    return 0; /* and the end of its creator ends it */
}

/* Two names with one hash (hash_bytes, as test_hash.c says) are two names; and so with links. */
static int names_of_one_hash(uintptr_t sp)
{
    static const char *const twin[2] = {"MoBJFnd40IF", "yDHiTg4IA-G"};
    static const char *const path[2] = {"/dev/shm/MoBJFnd40IF", "/dev/shm/yDHiTg4IA-G"};
    for (unsigned i = 0; i < 2; i++) {
        U_EQ(u_create(twin[i], SIZE, RS_PERSIST), 0);
        U_EQ(u_create(twin[1 - i], U_PAGE, RS_PERSIST), 0);
        U_EQ(u_region(twin[i]).size_bytes, SIZE);
        U_EQ(u_region(twin[1 - i]).size_bytes, U_PAGE);
        U_EQ(u_destroy(twin[i]), 0);
        U_EQ(u_region(twin[1 - i]).size_bytes, U_PAGE);
        U_EQ(u_destroy(twin[1 - i]), 0);
        struct region_stat stat;
        U_EQ(u_stat_region(twin[1 - i], &stat), ERR_NOTEXIST);
    }
    U_EQ(u_create("r", SIZE, RS_PERSIST), 0);
    U_EQ(u_create("s", U_PAGE, RS_PERSIST), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/r", path[0]), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/s", path[1]), 0);
    U_EQ(u_region(twin[0]).size_bytes, SIZE);
    U_EQ(u_region(twin[1]).size_bytes, U_PAGE);
    U_EQ(u_unlink(path[0]), 0);
    U_EQ(u_region(twin[1]).size_bytes, U_PAGE);
    U_EQ(u_open(path[0], O_RDONLY, 0), -ENOENT);
    return 0; /* the others go with the machine */
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "refuses", .init = refuses, .runs = 1},
        {.name = "names_do_not_mix", .init = names_do_not_mix, .runs = 1},
        {.name = "names_of_one_hash", .init = names_of_one_hash, .runs = 1},
        {.name = "maps_parts", .init = maps_parts, .runs = 2},
        {.name = "map_refuses", .init = map_refuses, .runs = 1},
        {.name = "waits_for_existence", .init = waits_for_existence, .runs = 4},
        {.name = "rights", .init = rights, .runs = 1},
        {.name = "limits", .init = limits, .runs = 1, .cmdline = "shm.contexts=2 shm.pages=8"},
        {.name = "lifetimes", .init = lifetimes, .runs = 2},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
