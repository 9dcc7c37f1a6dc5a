/* osv's calls over musl and libshoal. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shoal/region.h>

#include "../common/course.h"

#define PAGE_BYTES 4096ul
#define WORDS_MAX  32

#define OSV_CALL(type, name, args, attribute) type osv_##name args attribute;
#include "lib/calls.h"

/* The kernel's error (negative) in osv's numbers, which lib/errcode.h lists. */
static int osv_error(long err)
{
    static const struct {
        int kernel, osv;
    } numbers[] = {
        {EFAULT, -1}, {EINVAL, -3},     {ENOMEM, -4},   {EEXIST, -5},
        {ENOENT, -6}, {ECHILD, -7},     {EBUSY, -9},    {EACCES, -10},
        {EINTR, -11}, {ETIMEDOUT, -12}, {EDEADLK, -13}, {EOWNERDEAD, -14},
    };

    if (err >= 0)
        return (int)err;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].kernel == -err)
            return numbers[i].osv;
    return -2;
}

/* A C library call's answer, with errno. */
static long answer(long result)
{
    return result < 0 ? osv_error(-errno) : result;
}

/* Splits the line in place; the count of words. */
static unsigned words_split(char *line, char **words)
{
    unsigned n = 0;

    for (char *w = strtok(line, " "); w && n < WORDS_MAX; w = strtok(NULL, " "))
        words[n++] = w;
    words[n] = NULL;
    return n;
}

/* spawn("name argument ..."): what follows the line is not looked at.  A program that cannot be
 * started ends with status -1. */
int osv_spawn(const char *path, ...)
{
    char line[512], *words[WORDS_MAX + 1];
    pid_t pid;

    if (strlen(path) >= sizeof(line))
        return osv_error(-EINVAL);
    strcpy(line, path);
    if (words_split(line, words) == 0)
        return osv_error(-EINVAL);
    pid = vfork();
    if (pid == 0) {
        course_exec(words[0], words);
        _exit(-1);
    }
    return (int)answer(pid);
}

int osv_fork(void)
{
    return (int)answer(fork());
}

/* Exit statuses have 8 bits; 255 is what exit(-1) leaves. */
int osv_wait(int pid, int *status)
{
    int raw;
    pid_t got = waitpid(pid, &raw, 0);

    if (got > 0 && status) {
        *status = course_status(raw);
        *status = *status == 255 ? -1 : *status;
    }
    return (int)answer(got);
}

void osv_exit(int status)
{
    _exit(status);
}

int osv_getpid(void)
{
    return getpid();
}

void osv_sleep(unsigned int seconds)
{
    course_sleep_ns(seconds * 1000000000ull);
}

int osv_open(const char *path, int flags, int mode)
{
    (void)mode;
    return (int)answer(course_open(path, flags));
}

int osv_close(int fd)
{
    return (int)answer(close(fd));
}

long osv_read(int fd, void *buf, unsigned long n)
{
    return answer(read(fd, buf, n));
}

long osv_write(int fd, const void *buf, unsigned long n)
{
    return answer(write(fd, buf, n));
}

int osv_link(const char *old_path, const char *new_path)
{
    return (int)answer(link(old_path, new_path));
}

int osv_unlink(const char *path)
{
    return (int)answer(unlink(path));
}

int osv_mkdir(const char *path)
{
    return (int)answer(mkdir(path, 0777));
}

int osv_chdir(const char *path)
{
    return (int)answer(chdir(path));
}

int osv_rmdir(const char *path)
{
    return (int)answer(rmdir(path));
}

int osv_dup(int fd)
{
    return (int)answer(dup(fd));
}

int osv_pipe(int *fds)
{
    return (int)answer(pipe(fds));
}

void *osv_sbrk(long bytes)
{
    return course_sbrk(bytes);
}

int osv_createSharedRegion(const char *name, int pages, int flags)
{
    if (pages <= 0)
        return osv_error(-EINVAL);
    return osv_error(createSharedRegion(name, (size_t)pages * PAGE_BYTES, (unsigned)flags));
}

int osv_destroySharedRegion(const char *name)
{
    return osv_error(destroySharedRegion(name));
}

int osv_map(const char *name, void **addr)
{
    return osv_error(createMapping(name, addr));
}

int osv_unmap(const char *name, void *addr)
{
    return osv_error(destroyMapping(name, addr));
}

int osv_lockSharedRegion(const char *name)
{
    return osv_error(lockRegion(name));
}

int osv_unlockSharedRegion(const char *name)
{
    return osv_error(unlockRegion(name));
}

void osv_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    course_print(STDOUT_FILENO, fmt, ap);
    va_end(ap);
}
