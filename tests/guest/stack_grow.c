/* The stack grows as it is used, to a limit; beyond it is SIGSEGV. */
#include "child.h"
#include "probe.h"

static long descend(volatile long levels)
{
    volatile char frame[4000];

    frame[0] = (char)levels;
    return levels == 0 ? 0 : descend(levels - 1) + (frame[0] == (char)levels);
}

static void case_one_mebibyte(void)
{
    CHECK_EQ(descend(256), 256);
    CHECK_EQ(descend(256), 256);
}

static void without_end(void *arg)
{
    (void)arg;
    for (;;)
        descend(1l << 40);
}

static void case_without_end(void)
{
    for (unsigned i = 0; i < 3; i++)
        MUST_DIE(without_end, NULL, SIGSEGV);
}

static void big_frame(void *arg)
{
    volatile char frame[512 * 1024];

    (void)arg;
    frame[0] = 1; /* far below the pages in use, in one step */
    frame[sizeof(frame) - 1] = 2;
    CHECK_EQ(frame[0], 1);
}

static void case_big_frame(void)
{
    MUST_EXIT(big_frame, NULL, 0);
}

/* The kernel writes the result of a call onto a stack page that was never touched. */
static void read_deep(void *arg)
{
    volatile char far[300 * 1024];
    struct gate g = gate_make();

    (void)arg;
    gate_open(&g, 1);
    CHECK_EQ(read(g.fd[0], (char *)far, 1), 1);
    CHECK_EQ(far[0], 'g');
}

static void case_kernel_touches_first(void)
{
    MUST_EXIT(read_deep, NULL, 0);
}

static void case_each_process_has_its_own(void)
{
    volatile char frame[65536];
    pid_t pid;

    memset((char *)frame, 3, sizeof(frame));
    pid = fork();
    if (pid == 0) {
        memset((char *)frame, 4, sizeof(frame));
        descend(100);
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    for (unsigned i = 0; i < sizeof(frame); i += 100)
        CHECK_EQ(frame[i], 3);
}

static void case_far_below(void)
{
    char here;

    CHECK_EQ(probe_read(&here - (64ul << 20)), SIGSEGV);
}

int main(void)
{
    RUN(case_one_mebibyte);
    RUN(case_without_end);
    RUN(case_big_frame);
    RUN(case_kernel_touches_first);
    RUN(case_each_process_has_its_own);
    RUN(case_far_below);
    return check_done();
}
