/* A3: files of /dev/shm, memfds, shared anonymous memory and mremap with every one of their
 * allocations failing in turn: no trace. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "failing.h"
#include "shmfile.h"

#define PATH "/dev/shm/fail"

static char before[REGION_TABLE_BYTES];

/* True when the call failed for want of memory, as it must when an allocation failed; the table is
 * then as table_keep() saw it. */
static bool refused(const char *call, unsigned n, long result, bool delivered)
{
    if (!delivered) {
        CHECK(result >= 0, "%s without a failure: %ld", call, result);
        CHECK(n > 1, "%s allocates nothing", call);
        return false;
    }
    CHECK(result == -ENOMEM || result == -ENOSPC, "A3: %s, allocation %u: %ld", call, n, result);
    CHECK(strcmp(before, region_table()) == 0, "A3: %s, allocation %u: the table changed", call, n);
    return true;
}

static void table_keep(void)
{
    strcpy(before, region_table());
}

static void case_create_and_open(void)
{
    struct fail_result r;

    table_keep();
    for (unsigned n = 1;; n++) {
        r = fail_nth(n, SYS_open, (long)PATH, O_CREAT | O_EXCL | O_RDWR, 0600);
        if (!refused("open with O_CREAT", n, r.result, r.delivered))
            break;
        CHECK_ERRNO(access(PATH, F_OK), ENOENT);
    }
    CHECK_OK(close((int)r.result));
    table_keep();
    for (unsigned n = 1;; n++) {
        r = fail_nth(n, SYS_open, (long)PATH, O_RDWR, 0);
        if (!refused("open", n, r.result, r.delivered))
            break;
    }
    CHECK_OK(close((int)r.result));
    CHECK_OK(unlink(PATH));
}

static void case_grow_and_write(void)
{
    int fd = shm_new("/fail", PAGE);
    struct fail_result r;

    for (unsigned n = 1;; n++) {
        r = fail_nth(n, SYS_pwrite64, fd, (long)"x", 1); /* at what is in r10: page 0 */
        if (!r.delivered)
            break;
        CHECK(r.result == -ENOSPC, "A3: write, allocation %u: %ld", n, r.result);
        CHECK_EQ(size_of(fd), PAGE);
    }
    for (unsigned n = 1; n < 4; n++) {
        r = fail_nth(n, SYS_ftruncate, fd, (long)(n * 64 * PAGE), 0);
        CHECK(r.result == 0 || r.result == -ENOMEM, "A3: ftruncate: %ld", r.result);
        CHECK_EQ(size_of(fd),
                 r.result == 0 ? n * 64 * PAGE : (n == 1 ? PAGE : (n - 1) * 64 * PAGE));
    }
    CHECK_OK(shm_unlink("/fail"));
}

static void case_memfd(void)
{
    table_keep();
    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_memfd_create, (long)"f", 0, 0);

        if (!refused("memfd_create", n, r.result, r.delivered)) {
            CHECK_OK(close((int)r.result));
            break;
        }
        int fd = dup(0); /* the descriptor was given back */
        CHECK_OK(fd);
        CHECK_OK(close(fd));
    }
}

static long map_failing(unsigned n, int flags, int fd, bool *delivered)
{
    long left, result = fail_call(n, SYS_mmap, 0, 4 * PAGE, RW, flags, fd, 0, &left);

    *delivered = left == 0;
    return result;
}

static void case_map(void)
{
    int fd = shm_new("/fail", 4 * PAGE);
    const struct {
        const char *what;
        int flags, fd;
    } maps[] = {{"anonymous", MAP_SHARED | MAP_ANONYMOUS, -1},
                {"shared", MAP_SHARED, fd},
                {"private", MAP_PRIVATE, fd}};

    for (unsigned i = 0; i < 3; i++) {
        bool delivered;
        long p;

        table_keep();
        for (unsigned n = 1;; n++) {
            p = map_failing(n, maps[i].flags, maps[i].fd, &delivered);
            if (!refused(maps[i].what, n, p, delivered))
                break;
        }
        memset((char *)p, 1, 4 * PAGE);
        CHECK_OK(munmap((char *)p, 4 * PAGE));
    }
    CHECK_OK(shm_unlink("/fail"));
}

/* Nothing has moved, and every page is what it was. */
static void case_mremap(void)
{
    char *p = mmap(NULL, 9 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *to = (char *)0x200000000000ul;
    bool moved = false;

    for (unsigned i = 0; i < 9; i++)
        p[i * PAGE] = (char)i;
    for (unsigned n = 1; !moved; n++) {
        long left, r = fail_call(n, SYS_mremap, (long)p + 3 * PAGE, 3 * PAGE, 4 * PAGE,
                                 MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0, &left);

        moved = left != 0;
        CHECK(n < FAIL_MAX, "mremap still allocates");
        CHECK(r == (moved ? (long)to : -ENOMEM), "A3: mremap, allocation %u: %ld", n, r);
        for (unsigned i = 0; i < 9; i++) {
            char *at = moved && i >= 3 && i < 6 ? to + (i - 3) * PAGE : p + i * PAGE;
            CHECK_EQ(*at, (char)i);
            *at = (char)i; /* writable */
        }
        CHECK(moved || n < 20, "A3: mremap allocates without end");
    }
    CHECK_EQ(to[3 * PAGE], 0);
}

static void case_fork_of_shared_memory(void)
{
    char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    p[PAGE] = 1;
    for (unsigned n = 1;; n++) {
        long left, r = fail_call(n, SYS_fork, 0, 0, 0, 0, 0, 0, &left);

        CHECK(n < FAIL_MAX, "fork still allocates");
        if (r == 0)
            _exit(p[PAGE] == 1 ? 0 : 1);
        if (r > 0) {
            CHILD_EXITS((pid_t)r, 0);
            if (left != 0)
                break;
            continue;
        }
        CHECK(r == -ENOMEM || r == -EAGAIN, "A5: fork, allocation %u: %ld", n, r);
        CHECK_EQ(p[PAGE], 1);
    }
}

int main(void)
{
    umask(0);
    RUN(case_create_and_open);
    RUN(case_grow_and_write);
    RUN(case_memfd);
    RUN(case_map);
    RUN(case_mremap);
    RUN(case_fork_of_shared_memory);
    return check_done();
}
