/* vfork: the child borrows the parent's memory, and the parent waits until it execs or exits. */
#define _GNU_SOURCE
#include "child.h"

static const char *self;

static void case_memory_is_shared(void)
{
    volatile int value = 1;
    pid_t pid = vfork();

    if (pid == 0) {
        value = 2;
        _exit(9);
    }
    CHECK_EQ(value, 2);
    CHILD_EXITS(pid, 9);
}

static void case_exec(void)
{
    for (int i = 0; i < 20; i++) {
        pid_t pid = vfork();

        if (pid == 0) {
            execl(self, self, "exit-5", (char *)NULL);
            _exit(99);
        }
        CHILD_EXITS(pid, 5);
    }
}

static void case_failed_exec(void)
{
    volatile int error = 0;
    pid_t pid = vfork();

    if (pid == 0) {
        execl("/nowhere/program", "program", (char *)NULL);
        error = errno;
        _exit(1);
    }
    CHILD_EXITS(pid, 1);
    CHECK_EQ(error, ENOENT);
}

/* The parent must go on when the child does not end by itself. */
static void case_killed_child(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        *(volatile int *)8 = 1;
        _exit(1);
    }
    CHILD_DIES(pid, SIGSEGV);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 5;
    self = argv[0];
    RUN(case_memory_is_shared);
    RUN(case_exec);
    RUN(case_failed_exec);
    RUN(case_killed_child);
    return check_done();
}
