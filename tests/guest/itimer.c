/* Alarms (alarm(2), setitimer(2)), waiting for signals (sigtimedwait(2), sigqueue(3)), and what the
 * scheduler and limits say about themselves (sched(7), prctl(2), prlimit(2)). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "alarms.h"
#include "child.h"

static char *self;

static void case_once(void)
{
    alarms_handle();
    CHECK(!alarm_is_set(), "a timer at first");
    alarm_set_us(2000, 0);
    alarms_wait(1);
    CHECK(!alarm_is_set(), "a timer that went off is still set");
    CHECK_EQ(alarms, 1);
}

static void case_again_and_again(void)
{
    alarms_handle();
    alarm_set_us(1000, 1000);
    alarms_wait(5);
    CHECK(alarm_is_set(), "an interval timer that is not set");
    alarm_set_us(0, 1000);
    CHECK(!alarm_is_set(), "no value is no timer");
}

static void case_old_value(void)
{
    struct itimerval old, it = {{7, 8}, {1000, 9}};

    CHECK_OK(setitimer(ITIMER_REAL, &it, &old));
    CHECK(!old.it_value.tv_sec && !old.it_value.tv_usec, "an old value of no timer");
    CHECK_OK(getitimer(ITIMER_REAL, &old));
    CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000, "value %ld",
          (long)old.it_value.tv_sec);
    CHECK(old.it_interval.tv_sec == 7 && old.it_interval.tv_usec == 8, "interval");
    CHECK_EQ(alarm(50), old.it_value.tv_sec + (old.it_value.tv_usec >= 500000));
    CHECK_OK(getitimer(ITIMER_REAL, &old));
    CHECK(!old.it_interval.tv_sec && !old.it_interval.tv_usec, "alarm leaves an interval");
    CHECK(alarm(0) > 0, "alarm gives what was left");
    CHECK_EQ(alarm(0), 0);
}

static void case_bad(void)
{
    struct itimerval bad = {{0, 0}, {0, 1000000}}, negative = {{0, -1}, {1, 0}}, huge;

    alarm_set_us(100000000, 0);
    CHECK_ERRNO(setitimer(ITIMER_REAL, &bad, NULL), EINVAL);
    CHECK_ERRNO(setitimer(ITIMER_REAL, &negative, NULL), EINVAL);
    CHECK_ERRNO(setitimer(ITIMER_VIRTUAL, &negative, NULL), EINVAL);
    CHECK_ERRNO(getitimer(77, &huge), EINVAL);
    CHECK_ERRNO(syscall(SYS_setitimer, 0, 1, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_getitimer, 0, 1), EFAULT);
    CHECK(alarm_is_set(), "A3: a refused call changed the timer");
    huge = (struct itimerval){{INT64_MAX, 0}, {INT64_MAX, 999999}};
    CHECK_OK(setitimer(ITIMER_REAL, &huge, NULL));
    CHECK(alarm_is_set(), "a timer far away");
}

/* The next time is beyond what the clock can say: it does not come round to the past. */
static void case_once_in_ages(void)
{
    struct itimerval it = {{INT64_MAX, 0}, {0, 2000}};

    alarms_handle();
    CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
    alarms_wait(1);
    CHECK_OK(getitimer(ITIMER_REAL, &it));
    CHECK(it.it_value.tv_sec > 1000000000, "the next one is in %ld s", (long)it.it_value.tv_sec);
    CHECK_EQ(alarms, 1);
}

/* Seconds and microseconds that each are within reach, together too many nanoseconds for 64 bits:
 * those would be a few milliseconds. */
static void case_select_for_ages(void)
{
    long timeout[2] = {1, 571849066284l * 1000000};

    alarms_handle();
    alarm_set_us(50000, 1000);
    CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, timeout), EINTR);
}

static void forever(void *arg)
{
    (void)arg;
    alarm_set_us(2000, 0);
    for (;;)
        ;
}

static void sleep_forever(void *arg)
{
    (void)arg;
    alarm_set_us(2000, 0);
    for (;;)
        pause();
}

static void case_default_kills(void)
{
    MUST_DIE(forever, NULL, SIGALRM);
    MUST_DIE(sleep_forever, NULL, SIGALRM);
}

static void has_none(void *arg)
{
    (void)arg;
    CHECK(!alarm_is_set(), "a child inherits a timer");
}

static void exec_with_timer(void *arg)
{
    char *argv[] = {self, "exec", NULL};

    (void)arg;
    alarm_set_us(100000000, 0);
    execv(self, argv);
}

static void case_fork_and_exec(void)
{
    alarm_set_us(100000000, 0);
    MUST_EXIT(has_none, NULL, 0);
    CHECK(alarm_is_set(), "fork took the parent's timer");
    MUST_EXIT(exec_with_timer, NULL, 34);
}

static void exit_with_timer(void *arg)
{
    (void)arg;
    signal(SIGALRM, SIG_IGN);
    alarm_set_us(50, 50);
}

/* Processes go while their alarms go off. */
static void case_exit_races(void)
{
    for (int i = 0; i < 100; i++)
        MUST_EXIT(exit_with_timer, NULL, 0);
}

static void case_set_races(void)
{
    alarms_handle();
    for (int i = 0; i < 3000; i++)
        alarm_set_us(1 + i % 50, i % 3 ? 20 : 0);
    alarm_set_us(1, 0);
    alarms_wait(1);
    alarm_set_us(0, 0);
    CHECK(!alarm_is_set(), "still set");
}

static void case_interrupts_sleep(void)
{
    struct timespec ts = {1000, 0};

    alarms_handle();
    alarm_set_us(2000, 1000); /* again, should the first come before the sleep */
    CHECK_ERRNO(nanosleep(&ts, &ts), EINTR);
    alarm_set_us(0, 0);
}

static sigset_t one(int sig)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}

static void case_sigtimedwait(void)
{
    sigset_t set = one(SIGUSR1), pending;
    struct timespec none = {0, 0}, brief = {0, 1000000}, bad = {0, -1};
    siginfo_t info;

    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    CHECK_ERRNO(sigtimedwait(&set, &info, &brief), EAGAIN);
    CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(sigtimedwait(&set, &info, &none), SIGUSR1);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_OK(sigpending(&pending));
    CHECK(!sigismember(&pending, SIGUSR1), "the signal was not taken");
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
}

static struct gate ready;

static void signal_parent(void *arg)
{
    gate_pass(&ready);
    CHECK_OK(kill(getppid(), *(int *)arg));
}

/* A blocked signal, and one that is ignored otherwise, end the wait. */
static void case_sigwait_sleeps(void)
{
    int signals[] = {SIGUSR1, SIGCHLD, SIGRTMIN + 3};

    for (unsigned i = 0; i < 3; i++) {
        sigset_t set = one(signals[i]);
        siginfo_t info;

        CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
        ready = gate_make();
        pid_t pid = child_start(signal_parent, &signals[i]);
        gate_open(&ready, 1);
        CHECK_EQ(sigwaitinfo(&set, &info), signals[i]);
        CHECK_EQ(info.si_pid, pid);
        CHILD_EXITS(pid, 0);
    }
}

static void wait_for_usr1(void *arg)
{
    sigset_t set = one(SIGUSR1);

    (void)arg;
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    gate_open(&ready, 1);
    CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
}

static void case_sigwait_is_killed_stopped_continued(void)
{
    ready = gate_make();
    pid_t pid = child_start(wait_for_usr1, NULL);
    int status;

    gate_pass(&ready);
    CHECK_OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status), "not stopped: %x", status);
    CHECK_OK(kill(pid, SIGCONT));
    CHECK_OK(kill(pid, SIGUSR1));
    CHILD_EXITS(pid, 0);
    pid = child_start(wait_for_usr1, NULL);
    gate_pass(&ready);
    child_kill(pid);
    pid = child_start(wait_for_usr1, NULL);
    gate_pass(&ready);
    CHECK_OK(kill(pid, SIGTERM));
    CHILD_DIES(pid, SIGTERM);
}

static void case_alarm_ends_sigwait(void)
{
    sigset_t set = one(SIGALRM);

    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    alarm_set_us(2000, 0);
    CHECK_EQ(sigwaitinfo(&set, NULL), SIGALRM);
}

static void *sit(void *arg)
{
    (void)arg;
    pause();
    return NULL;
}

/* A signal that kills ends a thread that waits for another one, and those beside it. */
static void exit_beside_waiter(void *arg)
{
    sigset_t set = one(SIGUSR2);
    pthread_t t;

    (void)arg;
    CHECK_EQ(pthread_create(&t, NULL, sit, NULL), 0);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    pid_t pid = getpid();
    if (fork() == 0) {
        kill(pid, SIGTERM);
        _exit(0);
    }
    sigwaitinfo(&set, NULL);
}

static void case_sigqueue(void)
{
    sigset_t set = one(SIGRTMIN + 1);
    union sigval value = {.sival_ptr = (void *)0x123456789abcul};
    siginfo_t info, forged = {.si_code = SI_USER};

    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CHECK_OK(sigqueue(getpid(), SIGRTMIN + 1, value));
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 1);
    CHECK_EQ(info.si_code, SI_QUEUE);
    CHECK_EQ(info.si_pid, getpid());
    CHECK(info.si_value.sival_ptr == value.sival_ptr, "value %p", info.si_value.sival_ptr);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged), EPERM);
    CHECK_ERRNO(sigqueue(getpid(), 65, value), EINVAL);
    CHECK_ERRNO(sigqueue(30000, SIGUSR1, value), ESRCH);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 1), EFAULT);
}

static void case_sched(void)
{
    int param = 0, real_time = 5;

    CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
    CHECK_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), 0);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &real_time), EPERM);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &real_time), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, 99, &param), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getscheduler, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getscheduler, 30000), ESRCH);
    param = -1;
    CHECK_EQ(syscall(SYS_sched_getparam, 0, &param), 0);
    CHECK_EQ(param, 0);
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
}

static void case_affinity(void)
{
    cpu_set_t set, none;

    CPU_ZERO(&none);
    CHECK_OK(sched_getaffinity(0, sizeof(set), &set));
    CHECK_OK(sched_getaffinity(getpid(), sizeof(set), &set));
    CHECK_ERRNO(sched_getaffinity(30000, sizeof(set), &set), ESRCH);
    CHECK_ERRNO(sched_setaffinity(30000, sizeof(set), &set), ESRCH);
    CHECK_ERRNO(sched_getaffinity(-1, sizeof(set), &set), ESRCH);
    CHECK_ERRNO(sched_setaffinity(-1, sizeof(set), &set), ESRCH);
    CHECK(CPU_COUNT(&set) >= 1, "no CPU");
    CHECK_OK(sched_setaffinity(0, sizeof(set), &set));
    CHECK_ERRNO(sched_setaffinity(0, sizeof(none), &none), EINVAL);
    if (CPU_COUNT(&set) > 1) {
        CPU_CLR(0, &set);
        CHECK_ERRNO(sched_setaffinity(0, sizeof(set), &set), EPERM);
    }
}

static void case_limits(void)
{
    struct rlimit limit, same;

    CHECK_OK(prlimit(0, RLIMIT_NOFILE, NULL, &limit));
    CHECK(limit.rlim_cur > 0 && limit.rlim_cur <= limit.rlim_max, "%lu", (long)limit.rlim_cur);
    CHECK_OK(prlimit(0, RLIMIT_NOFILE, &limit, NULL)); /* changes nothing */
    limit.rlim_cur--;
    CHECK_ERRNO(prlimit(0, RLIMIT_NOFILE, &limit, NULL), EPERM);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &same));
    CHECK_EQ(same.rlim_cur, limit.rlim_cur + 1);
    CHECK_ERRNO(prlimit(0, 99, NULL, &limit), EINVAL);
}

static void case_prctl(void)
{
    char name[16] = "?", comm[32] = "";

    CHECK_OK(prctl(PR_SET_NAME, "a name that is too long"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "a name that is ") == 0, "%s", name);
    int fd = open("/proc/self/comm", O_RDONLY);
    CHECK_OK(fd);
    CHECK(read(fd, comm, sizeof(comm) - 1) == 16 && strcmp(comm, "a name that is \n") == 0, "%s",
          comm);
    close(fd);
    CHECK_ERRNO(prctl(PR_SET_NAME, 1), EFAULT);
    CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, SIGKILL), EINVAL);
}

static void case_exit_beside_sigwait(void)
{
    MUST_DIE(exit_beside_waiter, NULL, SIGTERM);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return alarm_is_set() ? 34 : 1;
    RUN(case_once);
    RUN(case_again_and_again);
    RUN(case_old_value);
    RUN(case_bad);
    RUN(case_once_in_ages);
    RUN(case_select_for_ages);
    RUN(case_default_kills);
    RUN(case_fork_and_exec);
    RUN(case_exit_races);
    RUN(case_set_races);
    RUN(case_interrupts_sleep);
    RUN(case_sigtimedwait);
    RUN(case_sigwait_sleeps);
    RUN(case_sigwait_is_killed_stopped_continued);
    RUN(case_alarm_ends_sigwait);
    RUN(case_exit_beside_sigwait);
    RUN(case_sigqueue);
    RUN(case_sched);
    RUN(case_affinity);
    RUN(case_limits);
    RUN(case_prctl);
    return check_done();
}
