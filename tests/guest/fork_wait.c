/* fork, exit and the wait calls. */
#define _GNU_SOURCE
#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>

#include "child.h"

static void exit_with(void *arg)
{
    _exit((int)(long)arg);
}

static void case_every_status(void)
{
    for (long code = 0; code < 256; code += 5)
        MUST_EXIT(exit_with, (void *)code, (int)code);
    MUST_EXIT(exit_with, (void *)257l, 1);
}

static void case_child_sees_parent(void)
{
    pid_t me = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        CHECK_EQ(getppid(), me);
        CHECK(getpid() != me, "the child has its own pid");
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
}

static void case_wait_errors(void)
{
    int status;
    struct gate g = gate_make();
    pid_t pid;

    CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
    CHECK_ERRNO(waitpid(1, &status, 0), ECHILD);
    CHECK_ERRNO(waitpid(INT_MIN, &status, 0), ESRCH);
    CHECK_ERRNO(waitpid(getpid(), &status, 0), ECHILD);
    pid = fork();
    if (pid == 0) {
        gate_pass(&g);
        _exit(3);
    }
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
    CHECK_ERRNO(waitpid(pid, &status, ~0), EINVAL);
    gate_open(&g, 1);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 3 << 8);
    CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

static void case_bad_status_pointer(void)
{
    pid_t pid = child_start(exit_with, (void *)4l);

    CHECK_ERRNO(waitpid(pid, (int *)8, 0), EFAULT);
}

static void case_any_child(void)
{
    bool seen[20] = {false};
    pid_t pids[20];

    for (long i = 0; i < 20; i++)
        pids[i] = child_start(exit_with, (void *)i);
    for (unsigned i = 0; i < 20; i++) {
        int status;
        pid_t pid = wait(&status);
        int code = WEXITSTATUS(status);

        CHECK(WIFEXITED(status) && code < 20 && pids[code] == pid && !seen[code],
              "pid %d, status 0x%x", (int)pid, (unsigned)status);
        seen[code] = true;
    }
    CHECK_ERRNO(wait(NULL), ECHILD);
}

static pid_t waits_for(idtype_t type, id_t id)
{
    siginfo_t info = {0};

    CHECK_OK(waitid(type, id, &info, WEXITED | WNOHANG));
    return info.si_pid;
}

/* A group is named by its number, which may be 1, and 0 is the caller's own. */
static void case_groups(void)
{
    siginfo_t info;
    struct gate g = gate_make();
    pid_t other = fork();

    if (other == 0) {
        gate_pass(&g);
        _exit(3);
    }
    CHECK_OK(setpgid(other, other));
    CHECK_ERRNO(waitid(P_PGID, 1, &info, WEXITED | WNOHANG), ECHILD);
    CHECK_ERRNO(waitid(P_PGID, 0, &info, WEXITED | WNOHANG), ECHILD);
    CHECK_ERRNO(waitid(P_PGID, (id_t)-1, &info, WEXITED | WNOHANG), EINVAL);
    CHECK_ERRNO(waitpid(0, NULL, WNOHANG), ECHILD);
    CHECK_EQ(waits_for(P_PGID, (id_t)other), 0);
    CHECK_EQ(waitpid(-other, NULL, WNOHANG), 0);
    gate_open(&g, 1);
    CHECK_EQ(waitpid(-other, NULL, 0), other);
    pid_t own = child_start(exit_with, NULL);
    CHECK_OK(waitid(P_PID, (id_t)own, &info, WEXITED | WNOWAIT));
    CHECK_EQ(waits_for(P_PGID, 0), own);
}

/* Who does not tell its parent by SIGCHLD is waited for by __WCLONE or __WALL (wait(2)). */
static void case_clone_children(void)
{
    pid_t silent = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0), own;
    int status;

    if (silent == 0)
        _exit(7);
    CHECK_OK(silent);
    CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
    CHECK_ERRNO(waitpid(silent, &status, WNOHANG), ECHILD);
    own = child_start(exit_with, (void *)8l);
    CHECK_EQ(waitpid(-1, &status, 0), own);
    CHECK_EQ(status, 8 << 8);
    CHECK_EQ(waitpid(-1, &status, __WCLONE), silent);
    CHECK_EQ(status, 7 << 8);
    own = child_start(exit_with, (void *)9l);
    CHECK_ERRNO(waitpid(-1, &status, __WCLONE), ECHILD);
    CHECK_EQ(waitpid(-1, &status, __WALL), own);
}

static void case_200_children_at_once(void)
{
    struct gate go = gate_make();
    unsigned ended = 0;

    for (unsigned i = 0; i < 200; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0, "fork %u: %s", i, strerror(errno));
        if (pid == 0) {
            gate_pass(&go);
            _exit(0);
        }
    }
    gate_open(&go, 200);
    while (wait(NULL) > 0)
        ended++;
    CHECK_EQ(ended, 200);
}

/* The grandchild's parent ends first: it gets a new one, which is not us. */
static void case_orphan(void)
{
    struct gate parent_gone = gate_make(), done = gate_make();
    pid_t me = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        pid_t middle = getpid();

        if (fork() > 0)
            _exit(0);
        gate_pass(&parent_gone);
        WAIT_UNTIL(getppid() != middle, "an orphan gets a new parent");
        CHECK(getppid() != me && getppid() > 0, "parent %d", getppid());
        gate_open(&done, 1);
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    gate_open(&parent_gone, 1);
    gate_pass(&done);
    CHECK_ERRNO(wait(NULL), ECHILD);
}

static void case_chain(void)
{
    for (unsigned depth = 0; depth < 30; depth++) {
        pid_t pid = fork();

        CHECK(pid >= 0, "fork at depth %u: %s", depth, strerror(errno));
        if (pid > 0) {
            CHILD_EXITS(pid, 0);
            _exit(0);
        }
    }
    _exit(0);
}

static void case_yield_and_exit_race(void)
{
    for (unsigned i = 0; i < 100; i++) {
        pid_t pid = child_start(exit_with, (void *)1l);

        if (i % 2)
            sched_yield();
        kill(pid, SIGKILL);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
    }
}

int main(void)
{
    RUN(case_every_status);
    RUN(case_child_sees_parent);
    RUN(case_wait_errors);
    RUN(case_bad_status_pointer);
    RUN(case_any_child);
    RUN(case_groups);
    RUN(case_clone_children);
    RUN(case_200_children_at_once);
    RUN(case_orphan);
    RUN(case_chain);
    RUN(case_yield_and_exit_race);
    return check_done();
}
