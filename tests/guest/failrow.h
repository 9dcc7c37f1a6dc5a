/* A row: a call, and what must hold when any of its allocations (or sleeps, or time limits) fails.
 *
 * ROWS(rows) runs each row in a process of its own.  The call is made first without a failure, then
 * with its 1st, 2nd, 3rd ... use of row.kind failing, until none fails any more.  After each
 * failure the answer is one of row.errors and everything is as before: the table of regions, what
 * is mapped, descriptors, frames and objects of the whole machine; and the invariant walkers find
 * nothing. */
#pragma once

#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "failing.h"
#include "probe.h"

#ifndef PAGE
#define PAGE 4096ul
#endif

/* Numbers of what is no system call: one byte read, or written, at args[0].  0, or -EFAULT for
 * SIGBUS. */
#define TOUCH_READ  (-1l)
#define TOUCH_WRITE (-2l)

struct fail_step {
    long nr;
    long args[6];
};

/* Which call it is, for a row's prepare(call): CALL(read, fd, ...) one of Linux,
 * SHOAL_CALL(lockRegion, name) one of Shoal's own, TOUCH(READ, at) none. */
#define STEP(number, ...)                                                                          \
    *call = (struct fail_step)                                                                     \
    {                                                                                              \
        number,                                                                                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define CALL(name, ...)       STEP(SYS_##name, __VA_ARGS__)
#define SHOAL_CALL(name, ...) STEP(SHOAL_SYS_##name, __VA_ARGS__)
#define TOUCH(how, at)        STEP(TOUCH_##how, (long)(at))

#define FAIL_ERRORS_MAX 4

struct fail_row {
    const char *name;
    void (*prepare)(struct fail_step *call); /* makes what the call needs, and says which call */
    void (*done)(void);          /* it answered row_result: looks at what it did, and undoes it */
    void (*undo)(void);          /* of prepare, after each time; NULL: nothing */
    int errors[FAIL_ERRORS_MAX]; /* what a failure may answer; none: -ENOMEM */
    unsigned kind;               /* FAIL_* */
    unsigned flags;              /* ROW_* */
};

/* ROW("name", prepare, done, undo, .errors = {EAGAIN}, ...) */
#define ROW(row_name, row_prepare, row_done, row_undo, ...)                                        \
    {                                                                                              \
        .name = row_name, .prepare = row_prepare, .done = row_done, .undo = row_undo,              \
        ##__VA_ARGS__                                                                              \
    }

/* What the call that succeeded answered. */
static long row_result;

#define ROW_FORKS      1u  /* 0 is the child's answer: it exits at once */
#define ROW_SURVIVES   2u  /* a failure may be got over: the call succeeds all the same */
#define ROW_NEEDS_NONE 4u  /* giving back: nothing in it may fail */
#define ROW_HELPER     8u  /* another process runs at the same time: its pages are its own affair */
#define ROW_FRESH      16u /* each time in a process of its own: what it does cannot be undone */
#define ROW_KEEPS      32u /* with ROW_FRESH: a failure may leave things until the process ends */
#define ROW_ENDS_EINTR 128u /* -EINTR is how it ends: a signal comes */
#define ROW_TABLES     64u  /* a failure may leave page tables, until what they map is unmapped */

/* ---- Parts of rows in several tables. */

#define NONE .flags = ROW_NEEDS_NONE

CHECK_UNUSED static int pipe_fds[2];

CHECK_UNUSED static void make_pipe(void)
{
    CHECK_OK(pipe(pipe_fds));
}

CHECK_UNUSED static void close_pipe(void)
{
    CHECK_OK(close(pipe_fds[0]));
    CHECK_OK(close(pipe_fds[1]));
}

/* The call answered a descriptor. */
CHECK_UNUSED static void done_close(void)
{
    CHECK_OK(close((int)row_result));
}

/* ---- One call with a failure in it. */

/* As fail_call_of(). */
static long row_call(const struct fail_row *row, unsigned n, const struct fail_step *call,
                     long *left)
{
    return fail_call_of(row->kind, n, call->nr, call->args, row->flags & ROW_FORKS, left);
}

/* The same for a touch. */
static __attribute__((noinline)) long row_touch(const struct fail_row *row, unsigned n,
                                                const struct fail_step *call, long *left)
{
    struct sigaction old[2];
    volatile long result = -EFAULT;

    probe_begin(old);
    probe_signal = 0;
    if (sigsetjmp(probe_back, 1) == 0) {
        __asm__ volatile(
            "syscall\n\t"
            "test %[write], %[write]\n\t"
            "jnz 1f\n\t"
            "movb (%[at]), %%al\n\t"
            "jmp 2f\n"
            "1:\n\t"
            "lock addb $0, (%[at])\n"
            "2:"
            :
            : "a"((long)SHOAL_SYS_failNth), "D"((long)n),
              "S"((long)row->kind), [at] "r"(call->args[0]), [write] "r"(call->nr == TOUCH_WRITE)
            : "rcx", "r11", "memory", "cc");
        result = 0;
    }
    *left = syscall(SHOAL_SYS_failNth, 0, row->kind);
    probe_end(old);
    CHECK(probe_signal == 0 || probe_signal == SIGBUS, "%s: signal %d", row->name, probe_signal);
    return result;
}

/* ---- Everything that must be as before. */

#define SNAP_BYTES (64 * 1024)
#define SNAP_FDS   64

struct snapshot {
    char regions[SNAP_BYTES];
    char maps[SNAP_BYTES];
    char audit[SNAP_BYTES / 4];
    unsigned char fds[SNAP_FDS];
};

static struct snapshot snap_before, snap_after, snap_first;
static char snap_text[128]; /* what differs */

static void slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    size_t used = 0;
    ssize_t n;

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    while ((n = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)n;
    CHECK(n == 0 && used < size - 1, "%s: %ld after %zu bytes", path, (long)n, used);
    text[used] = '\0';
    close(fd);
}

static void snap(struct snapshot *s)
{
    slurp("/proc/regions", s->regions, sizeof(s->regions));
    slurp("/proc/self/maps", s->maps, sizeof(s->maps));
    if (access("/proc/audit", F_OK) == 0) /* a debug kernel */
        slurp("/proc/audit", s->audit, sizeof(s->audit));
    else
        s->audit[0] = '\0';
    for (int fd = 0; fd < SNAP_FDS; fd++)
        s->fds[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* Free frames follow from the others; slabs may hold the same objects in more or fewer frames; a
 * thread is counted a little longer than it is there. */
static bool audit_ignored(const struct fail_row *row, const char *name)
{
    return strcmp(name, "frames free") == 0 || strcmp(name, "frames slab") == 0 ||
           strcmp(name, "threads") == 0 ||
           ((row->flags & ROW_HELPER) && strcmp(name, "frames anonymous") == 0) ||
           ((row->flags & ROW_TABLES) && strcmp(name, "frames table") == 0);
}

/* The count of this line; 0 when there is none yet. */
static long audit_count(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (; *text; text = strchr(text, '\n') + 1)
        if (strncmp(text, name, n) == 0 && text[n] == ':')
            return strtol(text + n + 1, NULL, 10);
    return 0;
}

/* Has every thread that ended gone for good?  Its stack and structures go after its parent heard of
 * it. */
static bool snap_settled(const struct snapshot *s)
{
    long processes = audit_count(s->audit, "processes");

    return audit_count(s->audit, "objects process") == processes &&
           audit_count(s->audit, "objects uthread") <= processes;
}

/* Again when all have gone: they may have been counted in part.  And the first time brings in all
 * pages of its own that it needs. */
static void snap_keep(void)
{
    long end_ms = check_now_ms() + 3000;

    snap(&snap_after);
    do {
        snap(&snap_before);
    } while (!snap_settled(&snap_before) && check_now_ms() < end_ms &&
             syscall(SYS_sched_yield) == 0);
    snap(&snap_before);
    CHECK(snap_settled(&snap_before), "threads do not go");
}

/* The first line that differs, as text; NULL when none does. */
static const char *audit_difference(const struct fail_row *row, const char *before,
                                    const char *after)
{
    for (const char *at = after; *at; at = strchr(at, '\n') + 1) {
        char name[64];
        long was, now;

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ":"), at);
        was = audit_count(before, name);
        now = audit_count(after, name);
        if (was == now || audit_ignored(row, name))
            continue;
        snprintf(snap_text, sizeof(snap_text), "%s: %ld before, %ld now", name, was, now);
        return snap_text;
    }
    return NULL;
}

/* What is not as before, as text; NULL when all is. */
static const char *snap_difference(const struct fail_row *row)
{
    snap(&snap_after);
    if (strcmp(snap_before.regions, snap_after.regions) != 0)
        return "the table of regions changed";
    if (strcmp(snap_before.maps, snap_after.maps) != 0)
        return "what is mapped changed";
    if (memcmp(snap_before.fds, snap_after.fds, SNAP_FDS) != 0)
        return "the descriptors changed";
    return audit_difference(row, snap_before.audit, snap_after.audit);
}

static void walk(void)
{
    char answer[8] = "ok\n";

    if (access("/proc/check", F_OK) == 0)
        slurp("/proc/check", answer, sizeof(answer));
    CHECK(strcmp(answer, "ok\n") == 0, "/proc/check: %s", answer);
}

/* The last steps of a thread's end come after its parent heard of it, and a helper reads /proc
 * itself: hence the patience.  Not by sleeping: that is what a helper waits for. */
static void snap_must_be_kept(const struct fail_row *row, unsigned n)
{
    long end_ms = check_now_ms() + 3000;
    const char *difference;

    while ((difference = snap_difference(row)) && check_now_ms() < end_ms)
        syscall(SYS_sched_yield);
    if (!difference) {
        walk();
        return;
    }
    if (strncmp(difference, "frames", 6) != 0 && strncmp(difference, "objects", 7) != 0)
        dprintf(2, "before:\n%s%safter:\n%s%s", snap_before.regions, snap_before.maps,
                snap_after.regions, snap_after.maps);
    CHECK(false, "A3: %s, failure %u: %s", row->name, n, difference);
}

/* ---- A row. */

static bool error_allowed(const struct fail_row *row, long result)
{
    if (row->errors[0] == 0)
        return result == -ENOMEM;
    for (unsigned i = 0; i < FAIL_ERRORS_MAX && row->errors[i]; i++)
        if (result == -row->errors[i])
            return true;
    return false;
}

/* Once, with the n-th use failing (0: none).  True when it was delivered. */
static bool row_once(const struct fail_row *row, unsigned n)
{
    struct fail_step call = {0};
    long left = 0, result;

    row->prepare(&call);
    snap_keep();
    result = (call.nr < 0 ? row_touch : row_call)(row, n, &call, &left);
    CHECK(left >= 0, "failNth answers %ld", left);
    bool delivered = n > 0 && left == 0;
    if (result >= 0 || result < -4095 || ((row->flags & ROW_ENDS_EINTR) && result == -EINTR)) {
        CHECK(!delivered || (row->flags & (ROW_SURVIVES | ROW_ENDS_EINTR)),
              "A3: %s, failure %u is not told: %ld", row->name, n, result);
        row_result = result;
        if (row->done)
            row->done();
    } else {
        CHECK(delivered && error_allowed(row, result), "A3: %s, failure %u%s: %ld (%s)", row->name,
              n, delivered ? "" : " that did not come", result, strerror((int)-result));
        if (row->flags & ROW_KEEPS)
            walk();
        else
            snap_must_be_kept(row, n);
    }
    if (row->undo)
        row->undo();
    return delivered;
}

#define DELIVERED 77

/* Is this process asleep where a signal could wake it? */
static bool process_sleeps(pid_t pid)
{
    static char text[1024];
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    slurp(path, text, sizeof(text));
    return strstr(text, "State:\tS") != NULL;
}

/* A child's first steps.  Once its parent waits, that copies no more of the pages they share; and
 * the snapshots' pages are its own. */
static void row_child_begin(void)
{
    WAIT_UNTIL(process_sleeps(getppid()), "the parent does not wait");
    alarm(CHECK_LIMIT_MS / 1000);
    memset(&snap_before, 1, sizeof(snap_before));
    memset(&snap_after, 1, sizeof(snap_after));
    memset(snap_text, 0, sizeof(snap_text));
}

static bool row_turn(const struct fail_row *row, unsigned n)
{
    int status = -1;

    if (!(row->flags & ROW_FRESH))
        return row_once(row, n);
    if (fork() == 0) {
        row_child_begin();
        _exit(row_once(row, n) ? DELIVERED : 0);
    }
    CHECK_OK(waitpid(-1, &status, 0));
    CHECK(status == 0 || status == DELIVERED << 8, "%s, failure %u: status %#x", row->name, n,
          (unsigned)status);
    return status != 0;
}

static void row_run(const struct fail_row *row)
{
    unsigned n = 1;

    row_turn(row, 0);
    row_turn(row, 0);
    snap_keep();
    snap_first = snap_before;
    snap_keep();
    snap_first = snap_before;
    while (row_turn(row, n))
        CHECK(n++ < FAIL_MAX, "%s still fails", row->name);
    if (row->flags & ROW_NEEDS_NONE)
        CHECK(n == 1, "A3: %s needs %u", row->name, n - 1);
    else
        CHECK(n > 1, "%s: nothing in it can fail", row->name);
    snap_before = snap_first;
    struct fail_row end = *row;
    end.flags &= ~ROW_TABLES;
    snap_must_be_kept(&end, 0);
}

/* Runs a row, or a case, in a child that this process does nothing beside. */
static void row_process(const char *name, const struct fail_row *row, void (*run)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        row_child_begin();
        if (row)
            row_run(row);
        else
            run();
        _exit(0);
    }
    if (waitpid(pid, &status, 0) == pid && status == 0) {
        printf("ok   %s\n", name);
    } else {
        printf("FAIL %s: status %#x\n", name, (unsigned)status);
        check_failures++;
    }
    fflush(stdout);
}

CHECK_UNUSED static void rows_run(const struct fail_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row_process(rows[i].name, &rows[i], NULL);
}

/* As RUN, for a case that counts frames. */
#define RUN_ALONE(fn) row_process(#fn, NULL, fn)
#define ROWS(rows)    rows_run(rows, sizeof(rows) / sizeof((rows)[0]))
