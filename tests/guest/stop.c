/* Stopped processes: what reaches them, what their parent hears, and how what waits goes on. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "child.h"
#include "futex.h"
#include "regions.h"

static volatile sig_atomic_t count;

static void on_signal(int sig)
{
    (void)sig;
    count++;
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
}

static void stop(pid_t pid)
{
    int status;

    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status), "status 0x%x", (unsigned)status);
}

static void go_on(pid_t pid)
{
    int status;

    CHECK_OK(kill(pid, SIGCONT));
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status), "status 0x%x", (unsigned)status);
}

/* Any signal but SIGKILL waits until the process goes on. */
static void case_fatal_signal_waits(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);
    int status;

    stop(pid);
    CHECK_OK(kill(pid, SIGTERM));
    check_sleep_ms(50);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_OK(kill(pid, SIGCONT));
    CHILD_DIES(pid, SIGTERM);
}

static void case_kill_does_not_wait(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);

    stop(pid);
    child_kill(pid);
}

static void case_stop_and_go(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);

    for (int i = 0; i < 50; i++) {
        stop(pid);
        go_on(pid);
    }
    child_kill(pid);
}

/* What wait says is how it is, whether the process has had time to say so or not. */
static void case_reports_are_true(void)
{
    pid_t pid = child_start(wait_for_ever, NULL);
    siginfo_t info;
    int status;

    for (int i = 0; i < 20; i++) {
        CHECK_OK(kill(pid, SIGSTOP));
        CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
        CHECK_OK(kill(pid, SIGCONT));
        CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), pid);
        CHECK(WIFCONTINUED(status), "status 0x%x", (unsigned)status);
    }
    child_kill(pid);
}

static void sigchld_of_stops(int flags, int want)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags | SA_RESTART};
    pid_t pid = child_start(wait_for_ever, NULL);

    CHECK_OK(sigaction(SIGCHLD, &sa, NULL));
    count = 0;
    stop(pid);
    go_on(pid);
    check_sleep_ms(1);
    CHECK_EQ(count, want);
    child_kill(pid);
    WAIT_UNTIL(count == want + 1, "no SIGCHLD for the end");
}

static void case_sigchld(void)
{
    sigchld_of_stops(0, 2);
    sigchld_of_stops(SA_NOCLDSTOP, 0);
}

/* What waits for WAIT_MS, and must not end before. */
#define WAIT_MS 300

static void must_take(long beg_ms)
{
    CHECK(check_now_ms() - beg_ms >= WAIT_MS, "ended after %ld ms", check_now_ms() - beg_ms);
}

/* The rest is not asked for, so that only the kernel knows how much of it is left. */
static void in_nanosleep(void *arg)
{
    (void)arg;
    struct timespec ts = {0, WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();

    CHECK_OK(nanosleep(&ts, NULL));
    must_take(beg_ms);
}

static void in_poll(void *arg)
{
    long beg_ms = check_now_ms();

    (void)arg;
    CHECK_EQ(poll(NULL, 0, WAIT_MS), 0);
    must_take(beg_ms);
}

static void in_select(void *arg)
{
    struct timeval tv = {0, WAIT_MS * 1000};
    long beg_ms = check_now_ms();

    (void)arg;
    CHECK_EQ(select(0, NULL, NULL, NULL, &tv), 0);
    must_take(beg_ms);
}

static void in_futex(void *arg)
{
    struct timespec ts = {0, WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();
    uint32_t word = 0;

    (void)arg;
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts), ETIMEDOUT);
    must_take(beg_ms);
}

static void in_sigtimedwait(void *arg)
{
    struct timespec ts = {0, WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();
    sigset_t set;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &ts, 8), EAGAIN);
    must_take(beg_ms);
}

static void in_lock(void *arg)
{
    struct timespec ts = {0, WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();

    (void)arg;
    CHECK_ERR(lockRegionTimed("held", &ts), ERR_TIMEOUT);
    must_take(beg_ms);
}

static void in_mapping(void *arg)
{
    struct region_map how = {.flags = RM_WAIT, .timeout_ns = WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();
    void *p;

    (void)arg;
    CHECK_ERR(createMappingWith("never", &p, &how), ERR_TIMEOUT);
    must_take(beg_ms);
}

static void in_destroy(void *beg)
{
    struct timespec ts = {0, WAIT_MS * 1000000L};
    long beg_ms = check_now_ms();

    region_unmap("held", beg);
    CHECK_ERR(destroySharedRegionWith("held", RS_WAIT, &ts), ERR_TIMEOUT);
    must_take(beg_ms);
}

/* Were it to begin again after each stop, it would not end here. */
static void must_end_though_stopped(child_fn *wait, void *arg)
{
    pid_t pid = child_start(wait, arg);
    long end_ms = check_now_ms() + CHECK_LIMIT_MS / 6;
    int status;

    do {
        CHECK(check_now_ms() < end_ms, "the wait does not end");
        check_sleep_ms(WAIT_MS / 6);
        CHECK_OK(kill(pid, SIGSTOP));
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        if (WIFSTOPPED(status))
            CHECK_OK(kill(pid, SIGCONT));
    } while (WIFSTOPPED(status));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", (unsigned)status);
}

static void case_sleep_goes_on(void)
{
    must_end_though_stopped(in_nanosleep, NULL);
}

static void case_poll_goes_on(void)
{
    must_end_though_stopped(in_poll, NULL);
    must_end_though_stopped(in_select, NULL);
}

static void case_futex_goes_on(void)
{
    must_end_though_stopped(in_futex, NULL);
}

static void case_sigtimedwait_goes_on(void)
{
    must_end_though_stopped(in_sigtimedwait, NULL);
}

static void case_region_calls_go_on(void)
{
    void *beg = region_new("held", 1);

    CHECK_ERR(lockRegion("held"), ERR_OK);
    must_end_though_stopped(in_lock, NULL);
    must_end_though_stopped(in_mapping, NULL);
    must_end_though_stopped(in_destroy, beg);
}

/* A page of code that is one system call, and the file it is in. */
static int code_fd;
static const char code[] = "\x0f\x05\xc3"; /* syscall; ret */

static void on_bus(int sig)
{
    count++;
    (void)sig;
    if (ftruncate(code_fd, 4096) < 0 || pwrite(code_fd, code, sizeof(code), 0) < 0)
        _exit(94);
}

static void sleep_for_an_hour(void *make_call)
{
    struct timespec ts = {3600, 0}, brief = {0, 1000};
    long result;

    __asm__ volatile("call *%[make_call]"
                     : "=a"(result)
                     : "a"((long)SYS_nanosleep), "D"(&ts), "S"(NULL), [make_call] "r"(make_call)
                     : "rcx", "r11", "memory", "cc");
    CHECK_EQ(result, -EINTR);
    CHECK_EQ(count, 1);
    CHECK_OK(raise(SIGUSR1)); /* has nothing more to end */
    CHECK_EQ(count, 2);
    CHECK_OK(nanosleep(&brief, NULL));
}

static char state_of(pid_t pid)
{
    char path[32], text[256] = "";
    const char *state;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    fd = open(path, O_RDONLY);
    CHECK_OK(fd);
    CHECK_OK(read(fd, text, sizeof(text) - 1));
    close(fd);
    state = strstr(text, "State:\t");
    CHECK(state, "no State: %s", text);
    return state[7];
}

/* A handler that runs before a sleep is made again (here of a fault: the code of the call is gone
 * until then) ends it, as one that interrupts it does: it does not begin anew. */
static void case_handler_before_made_again(void)
{
    struct sigaction bus = {.sa_handler = on_bus}, usr1 = {.sa_handler = on_signal};
    void *make_call;

    code_fd = memfd_create("code", 0);
    CHECK_OK(code_fd);
    CHECK_OK(ftruncate(code_fd, 4096));
    CHECK_EQ(pwrite(code_fd, code, sizeof(code), 0), sizeof(code));
    make_call = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, code_fd, 0);
    CHECK(make_call != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(sigaction(SIGBUS, &bus, NULL));
    CHECK_OK(sigaction(SIGUSR1, &usr1, NULL));
    pid_t pid = child_start(sleep_for_an_hour, make_call);
    WAIT_UNTIL(state_of(pid) == 'S', "the child does not sleep");
    stop(pid);
    CHECK_OK(ftruncate(code_fd, 0));
    go_on(pid);
    CHILD_EXITS(pid, 0);
}

/* A wait with a time limit is not made again after a handler, whatever its flags say: signals that
 * come often enough would keep it from ever ending. */
static void interrupted_futex(void *arg)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct timespec ts = {100, 0};
    uint32_t word = 0;

    (void)arg;
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts), EINTR);
}

static void case_handler_ends_timed_futex(void)
{
    pid_t pid;
    int status;

    signal(SIGUSR1, SIG_IGN);
    pid = child_start(interrupted_futex, NULL);
    for (long end_ms = check_now_ms() + CHECK_LIMIT_MS / 6; waitpid(pid, &status, WNOHANG) == 0;) {
        CHECK(check_now_ms() < end_ms, "the wait does not end");
        kill(pid, SIGUSR1);
        check_sleep_ms(5);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", (unsigned)status);
}

static void destroy_again(void *beg)
{
    region_unmap("again", beg);
    CHECK_ERR(destroySharedRegion("again"), ERR_OK);
}

/* R5: a destroyer that is stopped goes on waiting for the region it has closed. */
static void case_destroy_goes_on(void)
{
    void *beg = region_new("again", 1);
    pid_t pid = child_start(destroy_again, beg);

    region_wait_closed("again");
    for (int i = 0; i < 5; i++) {
        stop(pid);
        go_on(pid);
    }
    CHECK_ERR(destroySharedRegion("again"), ERR_NOTEXIST);
    region_unmap("again", beg);
    CHILD_EXITS(pid, 0);
    region_must_be_gone("again", "R5");
}

/* R5, A8: that region and no other, even if there is a new one of the name when it goes on. */
static void case_destroy_goes_on_when_over(void)
{
    void *beg = region_new("again", 1);
    pid_t pid = child_start(destroy_again, beg);

    region_wait_closed("again");
    stop(pid);
    region_unmap("again", beg);
    beg = region_new("again", 1);
    CHECK_OK(kill(pid, SIGCONT));
    CHILD_EXITS(pid, 0);
    CHECK_EQ(region_look("again").mappings, 1);
    region_unmap("again", region_map("again"));
    region_unmap("again", beg);
    CHECK_ERR(destroySharedRegion("again"), ERR_OK);
}

int main(void)
{
    RUN(case_fatal_signal_waits);
    RUN(case_kill_does_not_wait);
    RUN(case_stop_and_go);
    RUN(case_reports_are_true);
    RUN(case_sigchld);
    RUN(case_sleep_goes_on);
    RUN(case_poll_goes_on);
    RUN(case_futex_goes_on);
    RUN(case_sigtimedwait_goes_on);
    RUN(case_region_calls_go_on);
    RUN(case_handler_before_made_again);
    RUN(case_handler_ends_timed_futex);
    RUN(case_destroy_goes_on);
    RUN(case_destroy_goes_on_when_over);
    return check_done();
}
