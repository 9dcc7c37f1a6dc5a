/* Pipes: order, blocking, end of file, broken pipes, big transfers, dup2. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "child.h"

#define BIG_BYTES (1u << 20)

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 9));
}

static void case_bytes_in_order(void)
{
    char text[8];
    int fd[2];

    CHECK_OK(pipe(fd));
    CHECK_EQ(write(fd[1], "abc", 3), 3);
    CHECK_EQ(write(fd[1], "defg", 4), 4);
    CHECK_EQ(read(fd[0], text, 2), 2);
    CHECK_EQ(read(fd[0], text + 2, 6), 5);
    CHECK(memcmp(text, "abcdefg", 7) == 0, "read '%.7s'", text);
    CHECK_EQ(write(fd[1], "", 0), 0);
    CHECK_ERRNO(read(fd[1], text, 1), EBADF);
    CHECK_ERRNO(write(fd[0], text, 1), EBADF);
    CHECK_ERRNO(lseek(fd[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERRNO(write(fd[1], (void *)-4096l, 1), EFAULT);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK_ERRNO(read(fd[0], (void *)-4096l, 1), EFAULT);
}

static void case_end_of_file(void)
{
    char c;
    int fd[2], copy;

    CHECK_OK(pipe(fd));
    copy = dup(fd[1]);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    close(fd[1]);
    CHECK_EQ(read(fd[0], &c, 1), 1);
    close(copy);
    CHECK_EQ(read(fd[0], &c, 1), 0);
    CHECK_EQ(read(fd[0], &c, 1), 0);
}

static void write_once(void *arg)
{
    if (write(*(int *)arg, "x", 1) < 0)
        _exit(errno);
}

static void case_broken_pipe(void)
{
    int fd[2];

    CHECK_OK(pipe(fd));
    close(fd[0]);
    MUST_DIE(write_once, &fd[1], SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    MUST_EXIT(write_once, &fd[1], EPIPE);
    CHECK_ERRNO(write(fd[1], "x", 1), EPIPE);
}

#define FULL_BYTES 65536

static void write_too_much(void *arg)
{
    static char data[BIG_BYTES];
    int *fd = arg;

    close(fd[0]);
    CHECK_EQ(write(fd[1], data, sizeof(data)), FULL_BYTES);
}

/* The last reader goes while a write sleeps: SIGPIPE, though a part was written. */
static void case_reader_goes(void)
{
    for (int ignored = 0; ignored < 2; ignored++) {
        int fd[2], held;
        pid_t pid;

        CHECK_OK(pipe(fd));
        signal(SIGPIPE, ignored ? SIG_IGN : SIG_DFL);
        pid = child_start(write_too_much, fd);
        close(fd[1]);
        WAIT_UNTIL(ioctl(fd[0], FIONREAD, &held) == 0 && held == FULL_BYTES, "%d bytes", held);
        close(fd[0]);
        if (ignored)
            CHILD_EXITS(pid, 0);
        else
            CHILD_DIES(pid, SIGPIPE);
    }
}

static void big_write(void *arg)
{
    static unsigned char data[70001];
    int fd = *(int *)arg;
    size_t sent = 0;

    while (sent < BIG_BYTES) {
        size_t n = BIG_BYTES - sent < sizeof(data) ? BIG_BYTES - sent : sizeof(data);

        for (size_t i = 0; i < n; i++)
            data[i] = pattern(sent + i);
        CHECK_EQ(write(fd, data, n), (ssize_t)n);
        sent += n;
    }
}

static void case_big_transfer(void)
{
    static unsigned char data[5000];
    size_t got = 0;
    int fd[2];
    pid_t pid;

    CHECK_OK(pipe(fd));
    pid = child_start(big_write, &fd[1]);
    close(fd[1]);
    for (;;) {
        ssize_t n = read(fd[0], data, 1 + got % sizeof(data));

        CHECK(n >= 0, "read: %s", strerror(errno));
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            CHECK_EQ(data[i], pattern(got + (size_t)i));
        got += (size_t)n;
    }
    CHECK_EQ(got, BIG_BYTES);
    CHILD_EXITS(pid, 0);
}

static void read_blocks(void *arg)
{
    char c;

    CHECK_EQ(read(*(int *)arg, &c, 1), 1);
    _exit(c);
}

static void case_reader_blocks(void)
{
    int fd[2], status;
    pid_t pid;

    CHECK_OK(pipe(fd));
    pid = child_start(read_blocks, &fd[0]);
    check_sleep_ms(20);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(write(fd[1], "\x11", 1), 1);
    CHILD_EXITS(pid, 0x11);
}

/* Writes of up to PIPE_BUF bytes are never mixed, whoever else writes. */
static void record_write(void *arg)
{
    int fd = ((int *)arg)[0];
    char record[64];

    memset(record, 'A' + getpid() % 26, sizeof(record));
    for (unsigned i = 0; i < 200; i++)
        CHECK_EQ(write(fd, record, sizeof(record)), (ssize_t)sizeof(record));
}

static void case_small_writes_are_whole(void)
{
    char record[64];
    unsigned n = 0;
    int fd[2];

    CHECK_OK(pipe(fd));
    for (unsigned i = 0; i < 4; i++)
        child_start(record_write, &fd[1]);
    close(fd[1]);
    for (;;) {
        ssize_t got = read(fd[0], record, sizeof(record));

        if (got == 0)
            break;
        CHECK_EQ(got, sizeof(record));
        for (unsigned i = 1; i < sizeof(record); i++)
            CHECK_EQ(record[i], record[0]);
        n++;
    }
    CHECK_EQ(n, 800);
    while (wait(NULL) > 0)
        ;
}

static void case_full_pipe(void)
{
    static char page[4096];
    size_t held = 0;
    int fd[2];
    ssize_t n;

    CHECK_OK(pipe2(fd, O_NONBLOCK));
    CHECK_ERRNO(read(fd[0], page, 1), EAGAIN);
    while ((n = write(fd[1], page, sizeof(page))) > 0)
        held += (size_t)n;
    CHECK(n == -1 && errno == EAGAIN, "write to a full pipe: %s", strerror(errno));
    CHECK(held >= 4096, "a pipe holds %zu bytes", held);
    while ((n = read(fd[0], page, sizeof(page))) > 0)
        held -= (size_t)n;
    CHECK_EQ(held, 0);
}

static void case_dup2(void)
{
    struct iovec parts[] = {{"one", 3}, {"", 0}, {"two", 3}};
    char text[16];
    int fd[2];

    CHECK_OK(pipe(fd));
    CHECK_EQ(dup2(fd[1], 40), 40);
    CHECK_EQ(dup2(40, 40), 40);
    CHECK_EQ(writev(40, parts, 3), 6);
    CHECK_EQ(read(fd[0], text, sizeof(text)), 6);
    CHECK(memcmp(text, "onetwo", 6) == 0, "read '%.6s'", text);
    CHECK_ERRNO(dup2(39, 41), EBADF);
    CHECK_ERRNO(dup2(fd[0], -1), EBADF);
    CHECK_ERRNO(dup2(fd[0], 1 << 30), EBADF);
    CHECK_OK(close(40));
    CHECK_ERRNO(close(40), EBADF);
    CHECK_ERRNO(pipe((int *)16), EFAULT);
}

static void case_killed_reader_and_writer(void)
{
    int fd[2];
    pid_t pid;

    CHECK_OK(pipe(fd));
    for (unsigned i = 0; i < 20; i++) {
        pid = child_start(read_blocks, &fd[0]);
        check_sleep_ms(i % 3);
        child_kill(pid);
        pid = child_start(big_write, &fd[1]);
        check_sleep_ms(i % 3);
        child_kill(pid);
        while (fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0) {
            char c[4096];

            if (read(fd[0], c, sizeof(c)) <= 0)
                break;
        }
        CHECK_OK(fcntl(fd[0], F_SETFL, 0));
    }
}

int main(void)
{
    RUN(case_bytes_in_order);
    RUN(case_end_of_file);
    RUN(case_broken_pipe);
    RUN(case_reader_goes);
    RUN(case_big_transfer);
    RUN(case_reader_blocks);
    RUN(case_small_writes_are_whole);
    RUN(case_full_pipe);
    RUN(case_dup2);
    RUN(case_killed_reader_and_writer);
    return check_done();
}
