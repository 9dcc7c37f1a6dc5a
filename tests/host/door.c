#include "door.h"

#include <signal.h>
#include <stdlib.h>

#define TEXT_MAX (64 * 1024)

struct u_timespec {
    int64_t s, ns;
};

static uintptr_t put_time(unsigned slot, int64_t ns)
{
    struct u_timespec t = {ns / 1000000000, ns % 1000000000};
    return ns < 0 ? 0 : u_put(slot, &t, sizeof t);
}

/* ---- regions */

long u_map_with(const char *name, uintptr_t *at, struct region_map how)
{
    uintptr_t result = u_put(1, at, sizeof *at);
    long err =
        U_CALL(SHOAL_SYS_createMappingWith, u_string(0, name), result, u_put(2, &how, sizeof how));
    u_get(result, at, sizeof *at);
    return err;
}

long u_lock_timed(const char *name, int64_t ns)
{
    return U_CALL(SHOAL_SYS_lockRegionTimed, u_string(0, name), put_time(1, ns));
}

long u_destroy_timed(const char *name, unsigned how, int64_t ns)
{
    return U_CALL(SHOAL_SYS_destroySharedRegionWith, u_string(0, name), how, put_time(1, ns));
}

long u_chmod_region(const char *name, unsigned mode)
{
    return U_CALL(SHOAL_SYS_chmodRegion, u_string(0, name), mode);
}

struct region_stat u_region(const char *name)
{
    struct region_stat stat;
    U_EQ(u_stat_region(name, &stat), 0);
    return stat;
}

uintptr_t u_new(const char *name, size_t bytes, unsigned flags)
{
    uintptr_t at = 0;
    U_EQ(u_create(name, bytes, flags), 0);
    U_EQ(u_map(name, &at), 0);
    return at;
}

/* ---- System V */

long u_shmctl(int id, int command, void *buf, size_t bytes)
{
    uintptr_t at = u_put(0, buf, bytes);
    long result = U_CALL(SYS_shmctl, (unsigned long)id, (unsigned long)command, at);
    u_get(at, buf, bytes);
    return result;
}

struct linux_shmid_ds u_segment(int id)
{
    struct linux_shmid_ds ds = {0};
    U_EQ(u_shmctl(id, IPC_STAT, &ds, sizeof ds), 0);
    return ds;
}

/* ---- files */

long u_open(const char *path, int flags, unsigned mode)
{
    return U_CALL(SYS_open, u_string(0, path), (unsigned long)flags, mode);
}

long u_unlink(const char *path)
{
    return U_CALL(SYS_unlink, u_string(0, path));
}

long u_two_paths(long nr, const char *from, const char *to)
{
    uintptr_t at = u_string(0, from);
    return U_CALL((unsigned long)nr, at, u_string(1, to));
}

long u_pread(int fd, void *to, size_t bytes, long offset)
{
    uintptr_t at = u_put(0, to, bytes);
    long got = U_CALL(SYS_pread64, (unsigned long)fd, at, bytes, (unsigned long)offset);
    u_get(at, to, bytes);
    return got;
}

long u_pwrite(int fd, const void *from, size_t bytes, long offset)
{
    return U_CALL(SYS_pwrite64, (unsigned long)fd, u_put(0, from, bytes), bytes,
                  (unsigned long)offset);
}

size_t u_slurp(const char *path, char *text, size_t size)
{
    static const char empty[1];
    size_t used = 0;
    long fd = u_open(path, O_RDONLY, 0), got;
    U_CHECK(fd >= 0);
    uintptr_t at = u_put(0, empty, 1);
    while ((got = U_CALL(SYS_read, (unsigned long)fd, at, U_SLOT_BYTES)) > 0) {
        U_CHECK(used + (size_t)got < size);
        u_get(at, text + used, (size_t)got);
        used += (size_t)got;
    }
    U_EQ(got, 0);
    U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    text[used] = '\0';
    return used;
}

bool u_file_has(const char *path, const char *what)
{
    char *text = malloc(TEXT_MAX);
    U_CHECK(text != NULL);
    (void)u_slurp(path, text, TEXT_MAX);
    bool has = strstr(text, what) != NULL;
    free(text);
    return has;
}

void u_walk(void)
{
    char text[256];
    (void)u_slurp("/proc/check", text, sizeof text);
    U_EQ(strcmp(text, "ok\n"), 0);
}

/* ---- memory */

uint8_t u_load8(uintptr_t va)
{
    uint8_t value;
    U_EQ(host_load(va, &value, 1), 0);
    return value;
}

void u_store8(uintptr_t va, uint8_t value)
{
    U_EQ(host_store(va, &value, 1), 0);
}

void u_fill(uintptr_t va, size_t pages, uint8_t value)
{
    for (size_t i = 0; i < pages; i++)
        u_store8(va + i * U_PAGE, value);
}

int u_try_read(uintptr_t va)
{
    uint8_t value;
    return host_load(va, &value, 1);
}

int u_try_write(uintptr_t va)
{
    uint8_t value = 1;
    return host_store(va, &value, 1);
}

unsigned u_maps_count(uintptr_t beg, uintptr_t end)
{
    char *text = malloc(TEXT_MAX);
    unsigned n = 0;
    U_CHECK(text != NULL);
    (void)u_slurp("/proc/self/maps", text, TEXT_MAX);
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned long from, to;
        U_EQ(sscanf(line, "%lx-%lx", &from, &to), 2);
        n += from < end && to > beg;
    }
    free(text);
    return n;
}

/* ---- processes */

void u_become(unsigned uid, unsigned gid)
{
    U_EQ(U_CALL(SYS_setgroups, 0, 0), 0);
    U_EQ(U_CALL(SYS_setresgid, gid, gid, gid), 0);
    U_EQ(U_CALL(SYS_setresuid, uid, uid, uid), 0);
}

static bool state_is(long pid, char state)
{
    char path[64], text[2048], line[16];
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    snprintf(line, sizeof line, "State:\t%c", state);
    (void)u_slurp(path, text, sizeof text);
    return strstr(text, line) != NULL;
}

bool u_sleeps(long pid)
{
    return state_is(pid, 'S');
}

bool u_stopped(long pid)
{
    return state_is(pid, 'T');
}

void u_child_does(int (*run)(uintptr_t arg), uintptr_t arg)
{
    long pid = u_fork(run, arg);
    U_CHECK(pid > 0);
    u_must_exit(pid, 0);
}

static void do_nothing(int sig) {}

void u_ignore_by_handler(int sig, unsigned long flags)
{
    const unsigned long action[4] = {host_handler(do_nothing), 0x04000000 | flags, 0, 0};
    U_EQ(U_CALL(SYS_rt_sigaction, (unsigned long)sig, u_put(0, action, sizeof action), 0, 8), 0);
}
