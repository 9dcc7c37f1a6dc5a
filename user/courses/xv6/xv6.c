/* xv6's calls over musl and libshoal.  A failure is -1, as there. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shoal/xv6shm.h>

#include "../common/course.h"

#define TICK_NS 10000000ull
#define T_DIR   1
#define T_FILE  2
#define T_DEV   3

/* xv6's struct stat. */
struct xv6_stat {
    short type;
    int dev;
    unsigned int ino;
    short nlink;
    unsigned int size;
};

#define XV6_STAT                              xv6_stat
#define XV6_CALL(type, name, args, attribute) type xv6_##name args attribute;
#include "calls.h"

int xv6_exit(void)
{
    _exit(0);
}

int xv6_wait(void)
{
    return wait(NULL);
}

int xv6_write(int fd, const void *buf, int n)
{
    return n < 0 ? -1 : (int)write(fd, buf, (size_t)n);
}

int xv6_read(int fd, void *buf, int n)
{
    return n < 0 ? -1 : (int)read(fd, buf, (size_t)n);
}

int xv6_kill(int pid)
{
    return pid <= 0 ? -1 : kill(pid, SIGKILL);
}

int xv6_exec(char *path, char **argv)
{
    return course_exec(path, argv);
}

int xv6_open(const char *path, int flags)
{
    return course_open(path, flags);
}

/* There is one device, and it is there. */
int xv6_mknod(const char *path, short major, short minor)
{
    (void)path;
    (void)major;
    (void)minor;
    return -1;
}

static int stat_convert(const struct stat *st, struct xv6_stat *out)
{
    *out = (struct xv6_stat){
        .type = S_ISDIR(st->st_mode)   ? T_DIR
                : S_ISREG(st->st_mode) ? T_FILE
                                       : T_DEV,
        .dev = (int)st->st_dev,
        .ino = (unsigned)st->st_ino,
        .nlink = (short)st->st_nlink,
        .size = (unsigned)st->st_size,
    };
    return 0;
}

int xv6_fstat(int fd, struct xv6_stat *out)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -1 : stat_convert(&st, out);
}

int xv6_stat(const char *path, struct xv6_stat *out)
{
    struct stat st;

    return stat(path, &st) < 0 ? -1 : stat_convert(&st, out);
}

int xv6_mkdir(const char *path)
{
    return mkdir(path, 0777);
}

char *xv6_sbrk(int bytes)
{
    return course_sbrk(bytes);
}

int xv6_sleep(int ticks)
{
    if (ticks > 0)
        course_sleep_ns((uint64_t)ticks * TICK_NS);
    return 0;
}

int xv6_uptime(void)
{
    return (int)(course_uptime_ns() / TICK_NS);
}

void xv6_printf(int fd, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(fd, fmt, ap);
    va_end(ap);
}

char *xv6_gets(char *buf, int max)
{
    return course_gets(buf, max);
}

unsigned int xv6_strlen(const char *s)
{
    return (unsigned)strlen(s);
}

void *xv6_memset(void *p, int c, unsigned int n)
{
    return memset(p, c, n);
}

void *xv6_memmove(void *to, const void *from, int n)
{
    return n > 0 ? memmove(to, from, (size_t)n) : to;
}

void *xv6_malloc(unsigned int n)
{
    return malloc(n);
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
