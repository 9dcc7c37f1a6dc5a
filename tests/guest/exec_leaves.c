/* What execve(2) lets go of, and what it leaves to those it was shared with. */
#define _GNU_SOURCE

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "futex.h"
#include "regions.h"
#include "threads.h"

static const char *self;
static volatile int cleared = -1;
static _Alignas(16) char stack[16384];

static int exec_self(void *arg)
{
    (void)arg;
    execl(self, self, "end", (char *)NULL);
    _exit(9);
}

static void clone_and_exec(int flags)
{
    int status;
    pid_t pid = clone(exec_self, stack + sizeof(stack), flags | CLONE_VM | CLONE_VFORK | SIGCHLD,
                      NULL, NULL, NULL, (void *)&cleared);

    CHECK(pid > 0, "clone: %s", strerror(errno));
    CHECK_EQ(check_wait(pid, &status, CHECK_LIMIT_MS / 2), 0);
    CHECK_EQ(status, 0);
}

/* A child that shares descriptors closes its own at exec. */
static void case_shared_descriptors(void)
{
    int fd = open("/proc/regions", O_RDONLY | O_CLOEXEC);

    CHECK_OK(fd);
    clone_and_exec(CLONE_FILES);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/* set_tid_address(2): exec ends the thread's stay in the memory, as exit does. */
static void case_clear_child_tid(void)
{
    clone_and_exec(CLONE_CHILD_CLEARTID);
    CHECK_EQ(cleared, 0);
}

struct lock {
    struct robust_list node;
    struct robust_list_head head;
    volatile unsigned word;
};

static struct lock *lock;

static void hold_lock(void)
{
    lock->node.next = &lock->head.list;
    lock->head.list.next = &lock->node;
    lock->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
    lock->head.list_op_pending = NULL;
    CHECK_OK(syscall(SYS_set_robust_list, &lock->head, sizeof(lock->head)));
    lock->word = (unsigned)syscall(SYS_gettid);
}

static void *hold_and_exec(void *arg)
{
    hold_lock();
    exec_self(arg);
    return NULL;
}

static void second_thread_execs(void *arg)
{
    thread_new(hold_and_exec, arg);
    for (;;)
        pause();
}

/* U2: the lock has the number that the thread had before exec gave it the process's. */
static void case_robust_list_of_a_second_thread(void)
{
    lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(lock != MAP_FAILED, "mmap: %s", strerror(errno));
    MUST_EXIT(second_thread_execs, NULL, 0);
    CHECK_EQ(lock->word, FUTEX_OWNER_DIED);
}

static struct gate forked, go_on;

static void *hold_and_end(void *arg)
{
    (void)arg;
    hold_lock();
    gate_open(&forked, 1);
    gate_pass(&go_on);
    syscall(SYS_exit, 0);
    return NULL;
}

static void nothing(void *arg)
{
    (void)arg;
    gate_pass(&forked);
}

/* U2: the word is in private memory that a fork has made read-only for a while. */
static void case_robust_list_after_fork(void)
{
    pid_t child;

    forked = gate_make();
    go_on = gate_make();
    lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(lock != MAP_FAILED, "mmap: %s", strerror(errno));
    thread_new(hold_and_end, NULL);
    gate_pass(&forked);
    child = child_start(nothing, NULL);
    gate_open(&go_on, 1);
    WAIT_UNTIL(lock->word == FUTEX_OWNER_DIED, "U2: the lock is 0x%x", lock->word);
    gate_open(&forked, 1);
    CHILD_EXITS(child, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 0;
    self = argv[0];
    RUN(case_shared_descriptors);
    RUN(case_clear_child_tid);
    RUN(case_robust_list_of_a_second_thread);
    RUN(case_robust_list_after_fork);
    return check_done();
}
