#include "failrow.h"

#include <signal.h>
#include <stdlib.h>

#define BOX_AT     0x100000000ul
#define FAIL_MAX   400u
#define PATIENCE   3000u
#define DELIVERED  77
#define SNAP_BYTES (32 * 1024)
#define SNAP_FDS   16u

/* ---- memory for calls */

static size_t box_used;

static void box_reset(void)
{
    box_used = 0;
    u_fill(BOX_AT, BOX_BYTES / U_PAGE, 0);
}

uintptr_t box_room(size_t bytes)
{
    uintptr_t at = BOX_AT + box_used;
    box_used += ALIGN_UP(bytes, 16);
    U_CHECK(box_used <= BOX_BYTES);
    for (size_t i = 0; i < bytes; i++)
        u_store8(at + i, 0);
    return at;
}

uintptr_t box_put(const void *data, size_t bytes)
{
    uintptr_t at = box_room(bytes);
    U_EQ(host_store(at, data, bytes), 0);
    return at;
}

/* The stack's pages, where signal frames and scratch slots are, and the box. */
void own_pages(void)
{
    uintptr_t page = host_stack_pointer() & ~(U_PAGE - 1);
    for (uintptr_t at = page - 8 * U_PAGE; at <= page; at += U_PAGE)
        (void)u_add32(at, 0);
    for (uintptr_t at = BOX_AT; at < BOX_AT + BOX_BYTES; at += U_PAGE)
        (void)u_add32(at, 0);
}

/* ---- everything that must be as before */

struct snapshot {
    char regions[SNAP_BYTES], segments[SNAP_BYTES], maps[SNAP_BYTES], audit[SNAP_BYTES];
    bool fds[SNAP_FDS];
};

static struct snapshot before, after, first;

static void snap(struct snapshot *s)
{
    u_slurp("/proc/regions", s->regions, SNAP_BYTES);
    u_slurp("/proc/sysvipc/shm", s->segments, SNAP_BYTES);
    u_slurp("/proc/self/maps", s->maps, SNAP_BYTES);
    u_slurp("/proc/audit", s->audit, SNAP_BYTES);
    for (unsigned fd = 0; fd < SNAP_FDS; fd++)
        s->fds[fd] = U_CALL(SYS_fcntl, fd, F_GETFD) >= 0;
}

/* Free frames follow from the others; slabs may hold the same objects in more or fewer frames; a
 * thread is counted a little longer than it is there. */
static bool audit_ignored(const struct fail_row *row, const char *name)
{
    return !strcmp(name, "frames free") || !strcmp(name, "frames slab") ||
           !strcmp(name, "threads") || ((row->flags & ROW_TABLES) && !strcmp(name, "frames table"));
}

/* The count of this line; 0 when there is none. */
static long audit_count(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (; *text; text = strchr(text, '\n') + 1)
        if (!strncmp(text, name, n) && text[n] == ':')
            return strtol(text + n + 1, NULL, 10);
    return 0;
}

/* The first line that differs, as text; NULL when none does. */
static const char *audit_difference(const struct fail_row *row)
{
    static char text[128];
    for (const char *at = after.audit; *at; at = strchr(at, '\n') + 1) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ":"), at);
        long was = audit_count(before.audit, name), now = audit_count(after.audit, name);
        snprintf(text, sizeof text, "%s: %ld before, %ld now", name, was, now);
        if (was != now && !audit_ignored(row, name))
            return text;
    }
    return NULL;
}

static const char *difference(const struct fail_row *row)
{
    snap(&after);
    if (strcmp(before.regions, after.regions) != 0)
        return "the table of regions changed";
    if (strcmp(before.segments, after.segments) != 0)
        return "the segments changed";
    if (strcmp(before.maps, after.maps) != 0)
        return "what is mapped changed";
    if (memcmp(before.fds, after.fds, sizeof before.fds) != 0)
        return "the descriptors changed";
    return audit_difference(row);
}

/* The last steps of a thread's end come after its parent heard of it: hence the patience. */
static bool settled(void)
{
    long processes = audit_count(before.audit, "processes");
    return audit_count(before.audit, "objects process") == processes &&
           audit_count(before.audit, "objects uthread") <= processes;
}

static void snap_keep(void)
{
    unsigned tries = 0;
    do {
        snap(&before);
        U_CALL(SYS_sched_yield);
    } while (!settled() && tries++ < PATIENCE);
    snap(&before);
    U_CHECK(settled());
}

static void must_be_kept(const struct fail_row *row, unsigned n)
{
    const char *what;
    for (unsigned tries = 0; (what = difference(row)) && tries < PATIENCE; tries++)
        U_CALL(SYS_sched_yield);
    if (what)
        host_fail("A3: %s, failure %u: %s\nbefore:\n%s%safter:\n%s%s", row->name, n, what,
                  before.regions, before.maps, after.regions, after.maps);
    u_walk();
}

/* ---- a row */

static bool error_allowed(const struct fail_row *row, long result)
{
    if (row->errors[0] == 0)
        return result == -ENOMEM;
    for (unsigned i = 0; i < FAIL_ERRORS_MAX && row->errors[i]; i++)
        if (result == -row->errors[i])
            return true;
    return false;
}

static long make_call(const struct fail_row *row, const struct fail_call *call, unsigned n,
                      long *left)
{
    long result;
    int sig = 0;
    U_EQ(U_CALL(SHOAL_SYS_failNth, n, row->kind), 0);
    if (call->nr == TOUCH_READ || call->nr == TOUCH_WRITE) {
        uint32_t old;
        sig = call->nr == TOUCH_READ ? u_try_read(call->args[0])
                                     : host_add_u32(call->args[0], 0, &old);
        result = sig ? -EFAULT : 0;
    } else {
        result = host_syscall(call->nr, call->args);
    }
    *left = U_CALL(SHOAL_SYS_failNth, 0, row->kind);
    U_CHECK(*left >= 0 && (sig == 0 || sig == SIGBUS));
    return result;
}

static void judge(const struct fail_row *row, unsigned n, bool delivered, long result)
{
    if (result >= 0 || result == -row->ends || result < -4095) {
        if (delivered && !(row->flags & ROW_SURVIVES))
            host_fail("A3: %s, failure %u is not told: %ld", row->name, n, result);
        if (row->done)
            row->done(result);
        return;
    }
    if (!delivered || !error_allowed(row, result))
        host_fail("A3: %s, failure %u%s: %ld", row->name, n, delivered ? "" : " that did not come",
                  result);
    if (row->flags & ROW_KEEPS)
        u_walk();
    else
        must_be_kept(row, n);
}

/* Once, with the n-th use failing (0: none).  True when it was delivered. */
static bool row_once(const struct fail_row *row, unsigned n)
{
    long left, result;
    box_reset();
    struct fail_call call = row->prepare();
    snap_keep();
    result = make_call(row, &call, n, &left);
    bool delivered = n > 0 && left == 0;
    judge(row, n, delivered, result);
    if (row->undo)
        row->undo();
    return delivered;
}

static const struct fail_row *row_now;

static int row_process(uintptr_t n)
{
    own_pages();
    return row_once(row_now, (unsigned)n) ? DELIVERED : 0;
}

static bool row_turn(const struct fail_row *row, unsigned n)
{
    int status;
    if (!(row->flags & ROW_FRESH))
        return row_once(row, n);
    long pid = u_fork(row_process, n);
    U_CHECK(pid > 0);
    U_EQ(u_wait(pid, &status), pid);
    if ((row->flags & ROW_DIES) && (status == SIGKILL || status == SIGBUS || status == SIGSEGV))
        return true;
    if (status != 0 && status != DELIVERED << 8)
        host_fail("%s, failure %u: status %#x", row->name, n, (unsigned)status);
    return status != 0;
}

static int row_run(uintptr_t row_address)
{
    const struct fail_row *row = row_now = (const struct fail_row *)row_address;
    unsigned n = 1;
    host_catch_faults();
    U_CHECK(u_mmap(BOX_AT, BOX_BYTES, U_RW, U_ANON | MAP_FIXED, -1, 0) == BOX_AT);
    own_pages();
    row_turn(row, 0);
    row_turn(row, 0);
    snap_keep();
    first = before;
    while (row_turn(row, n))
        if (n++ == FAIL_MAX)
            host_fail("%s still fails", row->name);
    if (row->flags & ROW_NEEDS_NONE ? n > 1 : n == 1)
        host_fail("A3: %s: %u failures", row->name, n - 1);
    before = first;
    struct fail_row end = *row;
    end.flags &= ~ROW_TABLES;
    must_be_kept(&end, 0);
    return 0;
}

void rows_run(const struct fail_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        u_child_does(row_run, (uintptr_t)&rows[i]);
}
