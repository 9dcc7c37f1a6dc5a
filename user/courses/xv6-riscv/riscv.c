/* The calls of xv6 (RISC-V) alone, over musl.  A failure is -1, as there. */
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/course.h"
#include "../common/xv6.h"
#include "calls.h"

/* As in QEMU. */
const uint64_t xv6_tick_ns = 100000000;

struct xv6_stat {
    int dev;
    unsigned int ino;
    short type;
    short nlink;
    unsigned long size;
};

int xv6_exit(int status)
{
    _exit(status);
}

int xv6_wait(int *status)
{
    int raw, pid = wait(&raw);

    if (pid > 0 && status)
        *status = course_status(raw);
    return pid;
}

void xv6_convert_stat(const struct stat *st, struct xv6_stat *out)
{
    *out = (struct xv6_stat){
        .dev = (int)st->st_dev,
        .ino = (unsigned)st->st_ino,
        .type = xv6_file_type(st->st_mode),
        .nlink = (short)st->st_nlink,
        .size = (unsigned long)st->st_size,
    };
}

void xv6_fprintf(int fd, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(fd, fmt, ap);
    va_end(ap);
}

void xv6_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(STDOUT_FILENO, fmt, ap);
    va_end(ap);
}

void *xv6_memcpy(void *to, const void *from, unsigned int n)
{
    return memcpy(to, from, n);
}

int xv6_memcmp(const void *a, const void *b, unsigned int n)
{
    return memcmp(a, b, n);
}
