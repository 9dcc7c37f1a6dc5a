/* Forks until there is no room, three times; each time everything comes back. */
#include "child.h"

#define CHILDREN_MAX 4000

struct bomb {
    struct gate
        report; /* a byte for each child; at its end when the bomber and all children are gone */
    struct gate hold; /* children wait for its end */
};

static void child_hold(const struct bomb *b)
{
    char c;

    close(b->hold.fd[1]);
    _exit(read(b->hold.fd[0], &c, 1) == 0 ? 0 : 1);
}

/* Forks until fork fails.  It may also be killed: after a fork that took the last page it has none
 * for its own stack. */
static void bomber(void *arg)
{
    const struct bomb *b = arg;

    close(b->report.fd[0]);
    for (unsigned n = 0; n < CHILDREN_MAX; n++) {
        pid_t pid = fork();

        if (pid == 0)
            child_hold(b);
        if (pid < 0) {
            CHECK(errno == EAGAIN || errno == ENOMEM, "A5: fork: %s", strerror(errno));
            _exit(0);
        }
        gate_open(&b->report, 1);
    }
    CHECK(false, "%d children and still room", CHILDREN_MAX);
}

static unsigned bomb_once(void)
{
    struct bomb b = {gate_make(), gate_make()};
    pid_t pid = child_start(bomber, &b);
    unsigned children = 0;
    char buffer[256];
    ssize_t n;
    int status;

    child_settle();
    close(b.report.fd[1]);
    close(b.hold.fd[0]);
    close(b.hold.fd[1]);
    while ((n = read(b.report.fd[0], buffer, sizeof(buffer))) > 0)
        children += (unsigned)n;
    close(b.report.fd[0]);
    status = child_any_end(pid, CHECK_LIMIT_MS / 2);
    CHECK(status == 0 ||
              (WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGKILL)),
          "the bomber ended with status 0x%x", (unsigned)status);
    check_sleep_ms(50); /* the orphans have closed the pipe; their memory goes a little later */
    return children;
}

static void case_bomb(void)
{
    unsigned first = bomb_once();

    CHECK(first >= 20, "only %u children", first);
    for (unsigned i = 0; i < 2; i++) {
        unsigned n = bomb_once();

        CHECK(n * 10 >= first * 9, "%u children, the first time %u: something was not given back",
              n, first);
    }
}

static void exit_at_once(void *arg)
{
    (void)arg;
}

static void case_afterwards(void)
{
    for (unsigned i = 0; i < 50; i++)
        MUST_EXIT(exit_at_once, NULL, 0);
}

/* A child that is killed while it forks leaves nothing behind. */
static void forker(void *arg)
{
    (void)arg;
    for (;;) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
}

static void case_killed_while_forking(void)
{
    for (unsigned i = 0; i < 20; i++) {
        pid_t pid = child_start(forker, NULL);

        check_sleep_ms(i % 5);
        child_kill(pid);
    }
}

int main(void)
{
    RUN(case_bomb);
    RUN(case_afterwards);
    RUN(case_killed_while_forking);
    return check_done();
}
