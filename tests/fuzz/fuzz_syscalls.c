/* Streams of system calls from three processes, on the whole kernel (arch/host).
 *
 * The machine is booted once.  For each input init forks the processes, which make the calls the
 * input says; then it kills what is left, removes every name, and holds what the kernel says of
 * itself against the first time. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "../host/user.h"
#include "calls.h"

#define WORKERS   3
#define STEPS_MAX 40 /* of each */
#define CPUS      2
#define RAM_BYTES (16ul << 20)
#define PATIENCE  40 /* naps before the workers are killed */
#define NAP_NS    2000000
#define DEPTH     8 /* of folders in each other, more than workers have come to */

/* What the workers find: their parts of the input being tried. */
static struct input parts[WORKERS];

/* ---- the workers */

static int rest(uintptr_t worker);

/* On a stack that may be anything. */
static void start_thread(uintptr_t worker, uintptr_t stack)
{
    host_child(rest, worker);
    (void)U_CALL(SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
                 stack);
}

static void step(struct input *in, struct caller *c, uintptr_t worker)
{
    unsigned which = take_byte(in);
    uintptr_t at = c->results[which % ARRAY_LEN(c->results)];
    uint32_t value = which;
    if (which >= 240)
        (void)host_load(at, &value, sizeof value);
    else if (which >= 224)
        (void)host_store(at, &value, sizeof value);
    else if (which >= 220)
        (void)u_fork(rest, worker);
    else if (which >= 218)
        (void)u_vfork(rest, worker);
    else if (which >= 216)
        start_thread(worker, at);
    if (which >= 216)
        return;
    const struct call *call = &fuzz_calls[which % fuzz_ncalls];
    unsigned long args[6];
    for (unsigned i = 0; i < 6; i++)
        args[i] = call->args[i] || i == 0 ? fuzz_arg(in, c, call->args[i], i % U_SLOTS) : 0;
    if (call->nr == SYS_kill && (long)args[0] <= 1)
        args[0] = 0; /* not init, nor everybody at once: the group is enough */
    c->results[c->nresults++ % ARRAY_LEN(c->results)] = (uintptr_t)host_syscall(call->nr, args);
}

static void steps(uintptr_t worker)
{
    struct caller c = {.root = U_CALL(SYS_getuid) == 0};
    for (unsigned i = 0; i < ARRAY_LEN(c.results); i++)
        c.results[i] = i * U_PAGE;
    for (unsigned i = 0; i < STEPS_MAX && input_left(&parts[worker]) > 0; i++)
        step(&parts[worker], &c, worker);
}

/* What a fork does: it goes on where its parent's reading is. */
static int rest(uintptr_t worker)
{
    steps(worker);
    return 0;
}

static int work(uintptr_t worker)
{
    (void)U_CALL(SYS_setpgid, 0, 0);
    host_catch_faults();
    if (worker > 0)
        (void)U_CALL(SYS_setuid, 1000 + worker % 2);
    steps(worker);
    return 0;
}

static int again(uintptr_t sp)
{
    return 0;
}

/* ---- init */

/* Until there is no other process.  Writes nothing: the workers may have taken all memory, and a
 * copied page would be one too many for init.  `nap`: where a timespec is. */
static void end_workers(uintptr_t nap)
{
    for (unsigned naps = 0;; naps++) {
        long got = U_CALL(SYS_wait4, (unsigned long)-1, 0, WNOHANG);
        if (got == -ECHILD)
            return;
        if (got > 0)
            continue;
        if (naps >= PATIENCE)
            (void)U_CALL(SYS_kill, (unsigned long)-1, SIGKILL);
        (void)U_CALL(SYS_nanosleep, nap, 0);
    }
}

static bool stays(const char *folder, const char *name)
{
    static const char *const names[] = {".", "..", "bin", "dev", "proc", "sbin", "tmp"};
    for (unsigned i = 0; i < (strcmp(folder, "/") == 0 ? ARRAY_LEN(names) : 2); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* Removes what a folder has, and folders in it that are `depth` deep at most. */
static void empty_folder(const char *folder, unsigned depth)
{
    char list[1024], path[512];
    for (;;) {
        long fd = U_CALL(SYS_open, u_string(0, folder), O_RDONLY | O_DIRECTORY);
        if (fd < 0)
            return;
        uintptr_t at = u_put(1, list, 1);
        long n = U_CALL(SYS_getdents64, (unsigned long)fd, at, sizeof list);
        (void)U_CALL(SYS_close, (unsigned long)fd);
        if (n <= 0)
            return;
        u_get(at, list, (size_t)n);
        bool removed = false;
        for (long pos = 0; pos < n; pos += *(uint16_t *)(list + pos + 16)) {
            const char *name = list + pos + 19;
            if (stays(folder, name))
                continue;
            snprintf(path, sizeof path, "%s/%s", folder, name);
            if (list[pos + 18] == 4 && depth > 0)
                empty_folder(path, depth - 1);
            removed |= U_CALL(list[pos + 18] == 4 ? SYS_rmdir : SYS_unlink, u_string(0, path)) == 0;
        }
        if (!removed)
            return;
    }
}

static void remove_segments(void)
{
    char zeros[256] = "";
    for (unsigned i = 0; i < 128; i++) {
        long id = U_CALL(SYS_shmctl, i, SHM_STAT, u_put(0, zeros, sizeof zeros));
        if (id >= 0)
            (void)U_CALL(SYS_shmctl, (unsigned long)id, IPC_RMID, 0);
    }
}

static void read_file(const char *path, char *text, size_t size)
{
    long fd = U_CALL(SYS_open, u_string(0, path), O_RDONLY);
    U_CHECK(fd >= 0);
    uintptr_t at = u_put(1, text, 1);
    long n = U_CALL(SYS_read, (unsigned long)fd, at, size - 1);
    U_CHECK(n > 0);
    u_get(at, text, (size_t)n);
    text[n] = '\0';
    (void)U_CALL(SYS_close, (unsigned long)fd);
}

/* Drops the lines that say nothing: a cache has its own from its first use on, and how many frames
 * objects take depends on the order they came in. */
static void drop_lines(char *text)
{
    static const char slab[] = "frames slab:", free[] = "frames free:";
    char *to = text;
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n') + 1;
        if ((next - line > 3 && memcmp(next - 4, ": 0\n", 4) == 0) ||
            !strncmp(line, slab, sizeof slab - 1) || !strncmp(line, free, sizeof free - 1))
            continue;
        memmove(to, line, (size_t)(next - line));
        to += next - line;
    }
    *to = '\0';
}

/* Everything the processes took is back; a thread is for a while after its process was waited for.
 * `nap`: as of end_workers. */
static void check_audit(uintptr_t nap)
{
    static char first[4096];
    char now[sizeof first], text[64];
    read_file("/proc/check", text, sizeof text);
    for (unsigned naps = 0; naps < PATIENCE; naps++) {
        read_file("/proc/audit", now, sizeof now);
        drop_lines(now);
        if (!first[0])
            memcpy(first, now, sizeof first);
        if (strcmp(first, now) == 0)
            return;
        (void)U_CALL(SYS_nanosleep, nap, 0);
    }
    host_fail("the audit was\n%s\nand is\n%s", first, now);
}

static void one_input(void)
{
    const int64_t time[2] = {0, NAP_NS};
    uintptr_t nap = u_put(3, time, sizeof time);
    for (uintptr_t i = 0; i < WORKERS; i++)
        (void)u_fork(work, i);
    end_workers(nap);
    empty_folder("/dev/shm", 0);
    empty_folder("/tmp", DEPTH);
    empty_folder("/", DEPTH); /* names are what memory holds, too */
    remove_segments();
    check_audit(nap);
}

/* A worker that execs this file ends. */
static int init(uintptr_t sp)
{
    if (U_CALL(SYS_getpid) != 1)
        return 0;
    char text[64];
    read_file("/bin/again", text, sizeof text); /* in the cache from now on */
    one_input();                                /* an empty one: what is made once is there */
    for (;;) {
        host_pause();
        one_input();
    }
}

/* ---- libFuzzer */

static void boot(void)
{
    static const struct host_program programs[] = {
        {"/sbin/init", init}, {"/bin/again", again}, {0}};
    static const struct host_config config = {
        .cpus = CPUS,
        .ram_bytes = RAM_BYTES,
        .seed = 1,
        .programs = programs,
        .points_max = UINT64_MAX,
        .cmdline = "shm.pages=600",
    };
    int code = host_boot(&config);
    if (code != HOST_EXIT_PAUSED)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool booted;
    if (!booted)
        boot();
    booted = true;
    uint64_t seed = size > 0 ? data[0] : 0;
    size_t begin = MIN(size, (size_t)1), each = (size - begin) / WORKERS;
    for (unsigned i = 0; i < WORKERS; i++)
        parts[i] = (struct input){data + begin + i * each, data + begin + (i + 1) * each};
    host_reseed(seed);
    if (host_resume() != HOST_EXIT_PAUSED)
        abort();
    return 0;
}
