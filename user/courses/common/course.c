#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "course.h"

#define NS_PER_S 1000000000ull

struct printer {
    int fd;
    unsigned used;
    char line[256];
};

static void printer_flush(struct printer *p)
{
    const char *at = p->line;

    while (p->used > 0) {
        ssize_t n = write(p->fd, at, p->used);

        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? n : 0;
        p->used -= n > 0 ? (unsigned)n : 0;
    }
    p->used = 0;
}

static void put(struct printer *p, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p->used == sizeof(p->line))
            printer_flush(p);
        p->line[p->used++] = text[i];
    }
}

static void put_number(struct printer *p, char kind, int is_long, va_list *ap)
{
    unsigned long value = is_long ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned);
    char text[32];
    int n;

    if (kind == 'd')
        n = snprintf(text, sizeof(text), "%ld", is_long ? (long)value : (long)(int)value);
    else
        n = snprintf(text, sizeof(text), kind == 'x' ? "%lx" : "%lu", value);
    put(p, text, (size_t)n);
}

/* One conversion, at the character after the '%'; returns the last one it took. */
static const char *put_conversion(struct printer *p, const char *at, va_list *ap)
{
    const char *start = at - 1, *text;
    int is_long = 0;
    char c;

    while (*at == 'l') {
        is_long = 1;
        at++;
    }
    switch (*at) {
    case 'd':
    case 'u':
    case 'x':
        put_number(p, *at, is_long, ap);
        return at;
    case 'p':
        put(p, "0x", 2);
        put_number(p, 'x', 1, ap);
        return at;
    case 's':
        text = va_arg(*ap, const char *);
        text = text ? text : "(null)";
        put(p, text, strlen(text));
        return at;
    case 'c':
        c = (char)va_arg(*ap, int);
        put(p, &c, 1);
        return at;
    case '%':
        put(p, "%", 1);
        return at;
    case '\0':
        at--;
        break;
    default:
        break;
    }
    put(p, start, (size_t)(at + 1 - start));
    return at;
}

void course_print(int fd, const char *fmt, va_list ap)
{
    struct printer p = {.fd = fd};
    va_list args;

    va_copy(args, ap);
    for (const char *at = fmt; *at; at++) {
        if (*at == '%')
            at = put_conversion(&p, at + 1, &args);
        else
            put(&p, at, 1);
    }
    va_end(args);
    printer_flush(&p);
}

void course_sleep_ns(uint64_t ns)
{
    struct timespec ts = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

uint64_t course_uptime_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

int course_exec(const char *path, char *const argv[])
{
    if (strchr(path, '/'))
        return execv(path, argv);
    return execvp(path, argv);
}

#define COURSE_CREATE 0x200
#define COURSE_TRUNC  0x400

int course_open(const char *path, int flags)
{
    int linux_flags = flags & O_ACCMODE;

    linux_flags |= flags & COURSE_CREATE ? O_CREAT : 0;
    linux_flags |= flags & COURSE_TRUNC ? O_TRUNC : 0;
    return open(path, linux_flags, 0666);
}

char *course_gets(char *buf, int max)
{
    int n = 0;

    while (n + 1 < max && read(STDIN_FILENO, &buf[n], 1) == 1) {
        n++;
        if (buf[n - 1] == '\n' || buf[n - 1] == '\r')
            break;
    }
    buf[n] = '\0';
    return buf;
}

int course_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
