/* Steps with files, names, pipes and /proc. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "fuzz.h"

static long open_any(struct fuzz *f, const char *path)
{
    return CALL(f, SYS_open, (long)path, O_RDWR | O_CREAT | (one_in(f, 6) ? O_APPEND : 0), 0666);
}

static void maybe_close(struct fuzz *f, long fd)
{
    if (!one_in(f, 6))
        CALL(f, SYS_close, fd);
}

void step_files(struct fuzz *f)
{
    long fd = open_any(f, path_to_change(f));
    size_t bytes = 1 + random_below(f, 3 * PAGE_BYTES);
    long at;

    if (fd < 0)
        return;
    CALL(f, SYS_write, fd, (long)scratch_take(f, bytes), (long)bytes);
    CALL(f, SYS_lseek, fd, (long)random_below(f, bytes), 0);
    CALL(f, SYS_read, fd, (long)scratch_take(f, bytes), (long)bytes);
    switch (random_below(f, 4)) {
    case 0:
        CALL(f, SYS_ftruncate, fd, (long)random_below(f, 64 * PAGE_BYTES));
        break;
    case 1:
        at = CALL(f, SYS_mmap, 0, (long)(4 * PAGE_BYTES), 3, one_in(f, 2) ? 1 : 2, fd, 0);
        area_add(f, at, 4 * PAGE_BYTES);
        break;
    case 2:
        CALL(f, SYS_fallocate, fd, 0, 0, (long)(random_below(f, 32) * PAGE_BYTES));
        break;
    default:
        CALL(f, SYS_dup2, fd, 3 + (long)random_below(f, 20));
    }
    maybe_close(f, fd);
}

void step_names(struct fuzz *f)
{
    long a = (long)path_to_change(f), b = (long)path_to_change(f), fd;

    switch (random_below(f, 7)) {
    case 0:
        CALL(f, SYS_mkdir, a, 0777);
        break;
    case 1:
        CALL(f, SYS_rename, a, b);
        break;
    case 2:
        CALL(f, SYS_link, a, b);
        break;
    case 3:
        CALL(f, SYS_symlink, a, b);
        break;
    case 4:
        CALL(f, SYS_unlink, a);
        break;
    case 5:
        CALL(f, SYS_rmdir, a);
        break;
    default:
        fd = CALL(f, SYS_open, (long)(one_in(f, 2) ? "/dev/shm" : "."), O_RDONLY | O_DIRECTORY);
        while (fd >= 0 && CALL(f, SYS_getdents64, fd, (long)scratch_take(f, 256), 256) > 0)
            ;
        maybe_close(f, fd);
    }
}

void step_pipes(struct fuzz *f)
{
    int *ends = scratch_take(f, 2 * sizeof(int));
    struct pollfd *p = scratch_take(f, 2 * sizeof(*p));
    size_t bytes = 1 + random_below(f, 9000);

    if (CALL(f, SYS_pipe2, (long)ends, one_in(f, 2) ? O_NONBLOCK : 0) != 0)
        return;
    int in = ends[0], out = ends[1];
    CALL(f, SYS_write, out, (long)scratch_take(f, bytes), (long)bytes);
    p[0] = (struct pollfd){.fd = in, .events = POLLIN};
    p[1] = (struct pollfd){.fd = (int)random_below(f, 24), .events = POLLIN | POLLOUT};
    CALL(f, SYS_poll, (long)p, 2, (long)random_below(f, 3));
    CALL(f, SYS_read, in, (long)scratch_take(f, bytes), (long)random_below(f, bytes));
    if (one_in(f, 4))
        CALL(f, SYS_sendfile, out, (long)random_below(f, 24), 0, (long)bytes);
    maybe_close(f, in);
    maybe_close(f, out);
}

/* What /proc says of whoever there is, while they go. */
void step_proc(struct fuzz *f)
{
    static const char *const files[] = {"/maps", "/status", "/comm", ""};
    char *path = scratch_take(f, 32), *to = path;
    char digits[8];
    unsigned n = 0;
    long fd;

    if (one_in(f, 64)) { /* every invariant; root's alone, and not in release kernels */
        strcpy(path, "/proc/check");
    } else if (one_in(f, 3)) {
        strcpy(path, one_in(f, 2) ? "/proc/regions" : "/proc/sysvipc/shm");
    } else {
        for (unsigned long pid = (unsigned long)pid_pick(f) & 0x7fff; n == 0 || pid > 0; pid /= 10)
            digits[n++] = (char)('0' + pid % 10);
        memcpy(to, "/proc/", 6);
        to += 6;
        while (n > 0)
            *to++ = digits[--n];
        strcpy(to, files[random_below(f, 4)]);
    }
    fd = CALL(f, SYS_open, (long)path, O_RDONLY);
    if (fd < 0)
        return;
    while (CALL(f, SYS_read, fd, (long)scratch_take(f, PAGE_BYTES), (long)PAGE_BYTES) > 0)
        ;
    maybe_close(f, fd);
}
