/* The calls of xv6 (x86) alone, over musl and libshoal.  A failure is -1, as there. */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shoal/xv6shm.h>

#include "../common/course.h"
#include "../common/xv6.h"
#include "calls.h"

const uint64_t xv6_tick_ns = 10000000;

struct xv6_stat {
    short type;
    int dev;
    unsigned int ino;
    short nlink;
    unsigned int size;
};

int xv6_exit(void)
{
    _exit(0);
}

int xv6_wait(void)
{
    return wait(NULL);
}

void xv6_convert_stat(const struct stat *st, struct xv6_stat *out)
{
    *out = (struct xv6_stat){
        .type = xv6_file_type(st->st_mode),
        .dev = (int)st->st_dev,
        .ino = (unsigned)st->st_ino,
        .nlink = (short)st->st_nlink,
        .size = (unsigned)st->st_size,
    };
}

void xv6_printf(int fd, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(fd, fmt, ap);
    va_end(ap);
}

void *xv6_mmap(void *addr, unsigned long length)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED_NOREPLACE : 0);

    return mmap(addr, length, PROT_READ | PROT_WRITE, flags, -1, 0);
}

int xv6_munmap(void *addr, unsigned long length)
{
    return munmap(addr, length);
}
