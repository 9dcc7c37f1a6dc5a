/* xv6-riscv's calls over musl.  A failure is -1, as there. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/course.h"

/* A tick of xv6-riscv in QEMU. */
#define TICK_NS 100000000ull
#define T_DIR   1
#define T_FILE  2
#define T_DEV   3

/* xv6-riscv's struct stat. */
struct riscv_stat {
    int dev;
    unsigned int ino;
    short type;
    short nlink;
    unsigned long size;
};

#define XV6_STAT                              riscv_stat
#define XV6_CALL(type, name, args, attribute) type riscv_##name args attribute;
#include "calls.h"

int riscv_exit(int status)
{
    _exit(status);
}

int riscv_wait(int *status)
{
    int raw, pid = wait(&raw);

    if (pid > 0 && status)
        *status = course_status(raw);
    return pid;
}

int riscv_write(int fd, const void *buf, int n)
{
    return n < 0 ? -1 : (int)write(fd, buf, (size_t)n);
}

int riscv_read(int fd, void *buf, int n)
{
    return n < 0 ? -1 : (int)read(fd, buf, (size_t)n);
}

int riscv_kill(int pid)
{
    return pid <= 0 ? -1 : kill(pid, SIGKILL);
}

int riscv_exec(const char *path, char **argv)
{
    return course_exec(path, argv);
}

int riscv_open(const char *path, int flags)
{
    return course_open(path, flags);
}

/* There is one device, and it is there. */
int riscv_mknod(const char *path, short major, short minor)
{
    (void)path;
    (void)major;
    (void)minor;
    return -1;
}

static int stat_convert(const struct stat *st, struct riscv_stat *out)
{
    *out = (struct riscv_stat){
        .type = S_ISDIR(st->st_mode)   ? T_DIR
                : S_ISREG(st->st_mode) ? T_FILE
                                       : T_DEV,
        .dev = (int)st->st_dev,
        .ino = (unsigned)st->st_ino,
        .nlink = (short)st->st_nlink,
        .size = (unsigned long)st->st_size,
    };
    return 0;
}

int riscv_fstat(int fd, struct riscv_stat *out)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -1 : stat_convert(&st, out);
}

int riscv_stat(const char *path, struct riscv_stat *out)
{
    struct stat st;

    return stat(path, &st) < 0 ? -1 : stat_convert(&st, out);
}

int riscv_mkdir(const char *path)
{
    return mkdir(path, 0777);
}

char *riscv_sbrk(int bytes)
{
    return course_sbrk(bytes);
}

int riscv_sleep(int ticks)
{
    if (ticks > 0)
        course_sleep_ns((uint64_t)ticks * TICK_NS);
    return 0;
}

int riscv_uptime(void)
{
    return (int)(course_uptime_ns() / TICK_NS);
}

void riscv_fprintf(int fd, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(fd, fmt, ap);
    va_end(ap);
}

void riscv_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(STDOUT_FILENO, fmt, ap);
    va_end(ap);
}

char *riscv_gets(char *buf, int max)
{
    return course_gets(buf, max);
}

unsigned int riscv_strlen(const char *s)
{
    return (unsigned)strlen(s);
}

void *riscv_memset(void *p, int c, unsigned int n)
{
    return memset(p, c, n);
}

void *riscv_memmove(void *to, const void *from, int n)
{
    return n > 0 ? memmove(to, from, (size_t)n) : to;
}

void *riscv_memcpy(void *to, const void *from, unsigned int n)
{
    return memcpy(to, from, n);
}

int riscv_memcmp(const void *a, const void *b, unsigned int n)
{
    return memcmp(a, b, n);
}

void *riscv_malloc(unsigned int n)
{
    return malloc(n);
}
