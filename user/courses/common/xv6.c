/* The calls that are the same in both xv6s, over musl.  A failure is -1, as there. */
#include "xv6.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "course.h"

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

int xv6_exec(const char *path, char **argv)
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

int xv6_fstat(int fd, struct xv6_stat *out)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    xv6_convert_stat(&st, out);
    return 0;
}

int xv6_stat(const char *path, struct xv6_stat *out)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    xv6_convert_stat(&st, out);
    return 0;
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
        course_sleep_ns((uint64_t)ticks * xv6_tick_ns);
    return 0;
}

int xv6_uptime(void)
{
    return (int)(course_uptime_ns() / xv6_tick_ns);
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
