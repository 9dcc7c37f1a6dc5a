/* Users and groups (credentials(7), setuid(2), setreuid(2), setresuid(2), getgroups(2)), and what
 * they decide: files, signals, regions (A9).  Every case begins as root in a process of its own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"

static char *self;

static void must_be(const char *what, uid_t real, uid_t effective, uid_t saved)
{
    uid_t r, e, s;

    CHECK_OK(getresuid(&r, &e, &s));
    CHECK(r == real && e == effective && s == saved, "%s: %u %u %u, must be %u %u %u", what, r, e,
          s, real, effective, saved);
    CHECK_EQ(getuid(), real);
    CHECK_EQ(geteuid(), effective);
}

static void groups_must_be(const char *what, gid_t real, gid_t effective, gid_t saved)
{
    gid_t r, e, s;

    CHECK_OK(getresgid(&r, &e, &s));
    CHECK(r == real && e == effective && s == saved, "%s: %u %u %u, must be %u %u %u", what, r, e,
          s, real, effective, saved);
    CHECK_EQ(getgid(), real);
    CHECK_EQ(getegid(), effective);
}

static void case_setuid_of_root_is_final(void)
{
    must_be("at first", 0, 0, 0);
    CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
    CHECK_OK(setuid(1000));
    must_be("setuid of root", 1000, 1000, 1000);
    CHECK_ERRNO(setuid(0), EPERM);
    CHECK_ERRNO(setresuid(-1, 0, -1), EPERM);
    CHECK_ERRNO(setreuid(0, -1), EPERM);
    must_be("after refusals", 1000, 1000, 1000);
}

static void case_effective_can_return(void)
{
    CHECK_OK(seteuid(1000));
    must_be("seteuid", 0, 1000, 0);
    CHECK_ERRNO(setuid(1001), EPERM);
    CHECK_OK(setuid(0));
    must_be("setuid to the saved", 0, 0, 0);
}

static void case_setresuid(void)
{
    CHECK_OK(setresuid(1, 2, 3));
    must_be("setresuid of root", 1, 2, 3);
    CHECK_OK(setresuid(-1, 3, -1));
    must_be("the saved becomes effective", 1, 3, 3);
    CHECK_ERRNO(setresuid(3, 2, -1), EPERM);
    must_be("all or nothing", 1, 3, 3);
    CHECK_OK(setresuid(3, 1, 1));
    must_be("a permutation", 3, 1, 1);
    CHECK_OK(setresuid(-1, -1, -1));
}

static void case_setreuid(void)
{
    CHECK_OK(setreuid(5, 6));
    must_be("setreuid of root: the saved follows the effective", 5, 6, 6);
    CHECK_OK(setreuid(-1, 5));
    must_be("an effective that is the real leaves the saved", 5, 5, 6);
    CHECK_ERRNO(setreuid(6, -1), EPERM);
    CHECK_OK(setreuid(-1, 6));
    CHECK_OK(setreuid(6, 5));
    must_be("swapped", 6, 5, 5);
    CHECK_ERRNO(setreuid(-1, 7), EPERM);
}

static void case_groups_of_ids(void)
{
    CHECK_OK(setresgid(1, 2, 3));
    groups_must_be("setresgid", 1, 2, 3);
    CHECK_OK(setgid(9));
    groups_must_be("setgid of root", 9, 9, 9);
    CHECK_OK(setregid(10, 11));
    groups_must_be("setregid of root", 10, 11, 11);
    CHECK_OK(setresgid(1, 2, 3));
    CHECK_OK(setuid(1000));
    CHECK_OK(setgid(3));
    groups_must_be("setgid chooses", 1, 3, 3);
    CHECK_ERRNO(setgid(2), EPERM);
    CHECK_ERRNO(setresgid(2, -1, -1), EPERM);
    CHECK_ERRNO(setregid(2, -1), EPERM);
    groups_must_be("after refusals", 1, 3, 3);
}

static void case_supplementary(void)
{
    gid_t in[3] = {7, 8, 9}, out[40], many[40] = {0};

    CHECK_EQ(getgroups(0, NULL), 0);
    CHECK_OK(setgroups(3, in));
    CHECK_EQ(getgroups(0, NULL), 3);
    CHECK_ERRNO(getgroups(2, out), EINVAL);
    CHECK_ERRNO(syscall(SYS_getgroups, -1, out), EINVAL);
    CHECK_EQ(getgroups(40, out), 3);
    CHECK(memcmp(in, out, sizeof(in)) == 0, "getgroups gives what setgroups set");
    CHECK_ERRNO(syscall(SYS_setgroups, 40, many), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgroups, 2, 1), EFAULT);
    CHECK_ERRNO(syscall(SYS_getgroups, 3, 1), EFAULT);
    CHECK_ERRNO(syscall(SYS_getresuid, out, out, 1), EFAULT);
    CHECK_EQ(getgroups(0, NULL), 3);
    CHECK_OK(setuid(1000));
    CHECK_ERRNO(setgroups(0, NULL), EPERM);
    CHECK_EQ(getgroups(0, NULL), 3);
}

static void is_1_2_3(void *arg)
{
    (void)arg;
    must_be("a child's", 1, 2, 3);
    groups_must_be("a child's", 4, 5, 6);
    CHECK_EQ(getgroups(0, NULL), 1);
}

static void drop(unsigned uid)
{
    CHECK_OK(setgroups(0, NULL));
    CHECK_OK(setresgid(uid, uid, uid));
    CHECK_OK(setresuid(uid, uid, uid));
}

static void case_fork_inherits(void)
{
    gid_t group = 17;

    CHECK_OK(setgroups(1, &group));
    CHECK_OK(setresgid(4, 5, 6));
    CHECK_OK(setresuid(1, 2, 3));
    MUST_EXIT(is_1_2_3, NULL, 0);
}

/* After exec: the saved ids are the effective ones. */
static int exec_mode(void)
{
    must_be("exec", 1, 2, 2);
    groups_must_be("exec", 4, 5, 5);
    CHECK_EQ(getgroups(0, NULL), 1);
    return 33;
}

static void exec_self(void *arg)
{
    char *argv[] = {self, "exec", NULL};

    (void)arg;
    execv(self, argv);
    CHECK(false, "execv: %s", strerror(errno));
}

static void case_exec_keeps(void)
{
    gid_t group = 17;

    CHECK_OK(setgroups(1, &group));
    CHECK_OK(setresgid(4, 5, 6));
    CHECK_OK(setresuid(1, 2, 3));
    MUST_EXIT(exec_self, NULL, 33);
}

static pthread_barrier_t meet;

static void *thread_looks(void *arg)
{
    (void)arg;
    must_be("a new thread's", 0, 0, 0);
    pthread_barrier_wait(&meet);
    pthread_barrier_wait(&meet);
    must_be("every thread's", 1000, 1000, 1000);
    CHECK_EQ(syscall(SYS_getuid), 1000);
    return NULL;
}

static void case_all_threads(void)
{
    pthread_t t[3];

    CHECK_EQ(pthread_barrier_init(&meet, NULL, 4), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, thread_looks, NULL), 0);
    pthread_barrier_wait(&meet);
    CHECK_OK(setuid(1000));
    pthread_barrier_wait(&meet);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(t[i], NULL), 0);
}

static void *thread_changes_itself(void *arg)
{
    (void)arg;
    CHECK_EQ(syscall(SYS_setresuid, -1, 1000, -1), 0);
    CHECK_EQ(syscall(SYS_geteuid), 1000);
    return NULL;
}

/* As on Linux: the call itself is the thread's own. */
static void case_call_is_of_one_thread(void)
{
    pthread_t t;

    CHECK_EQ(pthread_create(&t, NULL, thread_changes_itself, NULL), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(syscall(SYS_geteuid), 0);
}

static void case_files(void)
{
    gid_t group = 50;
    int fd = open("/tmp/creds_secret", O_CREAT | O_RDWR, 0600);

    CHECK_OK(fd);
    CHECK_OK(close(fd));
    fd = open("/tmp/creds_group", O_CREAT | O_RDWR, 0640);
    CHECK_OK(fd);
    CHECK_OK(fchown(fd, 0, group));
    CHECK_OK(close(fd));
    CHECK_OK(setgroups(1, &group));
    CHECK_OK(setresgid(1000, 1000, 1000));
    CHECK_OK(seteuid(1000));
    CHECK_ERRNO(open("/tmp/creds_secret", O_RDONLY), EACCES);
    CHECK_ERRNO(chmod("/tmp/creds_secret", 0666), EPERM);
    CHECK_ERRNO(open("/tmp/creds_group", O_RDWR), EACCES);
    fd = open("/tmp/creds_group", O_RDONLY);
    CHECK_OK(fd);
    CHECK_OK(close(fd));
    fd = open("/tmp/creds_own", O_CREAT | O_RDWR, 0600);
    CHECK_OK(fd);
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_uid, 1000);
    CHECK_EQ(st.st_gid, 1000);
    CHECK_OK(seteuid(0));
    CHECK_OK(unlink("/tmp/creds_secret"));
    CHECK_OK(unlink("/tmp/creds_group"));
    CHECK_OK(unlink("/tmp/creds_own"));
}

static struct gate ready;

static void wait_as_1000(void *arg)
{
    (void)arg;
    drop(1000);
    gate_open(&ready, 1);
    pause();
}

static void kill_as(void *arg)
{
    pid_t *target = arg;

    drop((unsigned)target[1]);
    if (target[1] == 1000) {
        CHECK_OK(kill(target[0], 0));
        CHECK_ERRNO(kill(getppid(), 0), EPERM);
        CHECK_ERRNO(kill(1, SIGTERM), EPERM);
    } else {
        CHECK_ERRNO(kill(target[0], SIGKILL), EPERM);
        CHECK_ERRNO(syscall(SYS_tkill, target[0], SIGKILL), EPERM);
    }
}

static void case_kill(void)
{
    ready = gate_make();
    pid_t pid = child_start(wait_as_1000, NULL);

    gate_pass(&ready);
    MUST_EXIT(kill_as, ((pid_t[]){pid, 1000}), 0);
    MUST_EXIT(kill_as, ((pid_t[]){pid, 1001}), 0);
    child_kill(pid);
}

static void second_user(void *arg)
{
    void *beg;

    (void)arg;
    drop(1000);
    CHECK_ERR(createMapping("creds", &beg), ERR_ACCESS);
    CHECK_ERR(destroySharedRegion("creds"), ERR_ACCESS);
    CHECK_ERR(createSharedRegion("creds", 1, RS_DEFAULT), ERR_EXIST);
    CHECK_ERR(createSharedRegion("creds.own", 1, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createMapping("creds.own", &beg), ERR_OK);
}

/* A9: a second user is refused, and root is not. */
static void case_regions(void)
{
    void *beg;

    CHECK_ERR(createSharedRegion("creds", 1, RS_PERSIST), ERR_OK);
    MUST_EXIT(second_user, NULL, 0);
    CHECK_ERR(createMapping("creds", &beg), ERR_OK);
    CHECK_ERR(destroyMapping("creds", beg), ERR_OK);
    CHECK_ERR(destroySharedRegion("creds"), ERR_OK);
}

static void case_fsuid_changes_nothing(void)
{
    CHECK_EQ(syscall(SYS_setfsuid, 1000), 0);
    CHECK_EQ(syscall(SYS_setfsuid, -1), 0);
    CHECK_EQ(syscall(SYS_setfsgid, 1000), 0);
    must_be("setfsuid", 0, 0, 0);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return exec_mode();
    RUN(case_setuid_of_root_is_final);
    RUN(case_effective_can_return);
    RUN(case_setresuid);
    RUN(case_setreuid);
    RUN(case_groups_of_ids);
    RUN(case_supplementary);
    RUN(case_fork_inherits);
    RUN(case_exec_keeps);
    RUN(case_all_threads);
    RUN(case_call_is_of_one_thread);
    RUN(case_files);
    RUN(case_kill);
    RUN(case_regions);
    RUN(case_fsuid_changes_nothing);
    return check_done();
}
