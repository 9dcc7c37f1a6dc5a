/* A3: pipes, and descriptors of anything, with each allocation of each call failing in turn. */
#include "failrow.h"

#include <poll.h>
#include <sys/select.h>

static char buf[3 * PAGE];
static struct pollfd polled[40];
static fd_set set;

static void pipe_new(struct fail_step *call)
{
    CALL(pipe, (long)pipe_fds);
}

static void pipe_write(struct fail_step *call)
{
    make_pipe();
    CALL(write, pipe_fds[1], (long)buf, 10);
}

static void pipe_write_pages(struct fail_step *call)
{
    make_pipe();
    CALL(write, pipe_fds[1], (long)buf, 2 * PAGE + 1);
}

static void pipe_read(struct fail_step *call)
{
    make_pipe();
    CHECK_EQ(write(pipe_fds[1], buf, 10), 10);
    CALL(read, pipe_fds[0], (long)buf, 10);
}

static void duplicate(struct fail_step *call)
{
    CALL(dup, 0);
}

/* Beyond the table: it grows, once. */
static void duplicate_far(struct fail_step *call)
{
    CALL(fcntl, 0, F_DUPFD, 500);
}

static void duplicate_to(struct fail_step *call)
{
    CALL(dup2, 0, 600);
}

static void poll_many(struct fail_step *call)
{
    for (unsigned i = 0; i < 40; i++)
        polled[i] = (struct pollfd){.fd = 1, .events = POLLOUT};
    CALL(poll, (long)polled, 40, 0);
}

static void select_one(struct fail_step *call)
{
    FD_ZERO(&set);
    FD_SET(1, &set);
    CALL(select, 2, 0, (long)&set, 0, 0);
}

static void write_vector(struct fail_step *call)
{
    static struct {
        void *base;
        size_t bytes;
    } iov[20];

    make_pipe();
    for (unsigned i = 0; i < 20; i++) {
        iov[i].base = buf;
        iov[i].bytes = 5;
    }
    CALL(writev, pipe_fds[1], (long)iov, 20);
}

static const struct fail_row descriptors[] = {
    ROW("pipe", pipe_new, close_pipe, NULL),
    ROW("write to a pipe", pipe_write, NULL, close_pipe),
    ROW("write to a pipe, three pages", pipe_write_pages, NULL, close_pipe, .flags = ROW_SURVIVES),
    ROW("read from a pipe", pipe_read, NULL, close_pipe, NONE),
    ROW("dup", duplicate, done_close, NULL, NONE),
    ROW("fcntl, F_DUPFD", duplicate_far, NULL, NULL, .flags = ROW_FRESH),
    ROW("dup2", duplicate_to, NULL, NULL, .flags = ROW_FRESH),
    ROW("poll", poll_many, NULL, NULL),
    ROW("select", select_one, NULL, NULL, NONE),
    ROW("writev", write_vector, NULL, close_pipe),
};

int main(void)
{
    ROWS(descriptors);
    return check_done();
}
