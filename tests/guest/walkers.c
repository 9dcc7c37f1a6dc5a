/* /proc/check: the invariant walkers find nothing, also while everything changes.  /proc/audit:
 * what the audit counts.  Root's alone. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "child.h"
#include "regions.h"

#define PAGE   4096ul
#define ROUNDS 40

static void walk(void)
{
    char answer[16] = "";
    int fd = open("/proc/check", O_RDONLY);

    CHECK_OK(fd);
    CHECK_EQ(read(fd, answer, sizeof(answer) - 1), 3);
    CHECK(strcmp(answer, "ok\n") == 0, "\"%s\"", answer);
    close(fd);
}

static void case_at_rest(void)
{
    for (int i = 0; i < 10; i++)
        walk();
}

static void case_root_alone(void)
{
    static const char *const files[] = {"/proc/check", "/proc/audit"};
    struct stat st;

    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(stat(files[i], &st));
        CHECK_EQ(st.st_mode, S_IFREG | 0400);
    }
    CHECK_OK(setuid(1000));
    for (unsigned i = 0; i < 2; i++)
        CHECK_ERRNO(open(files[i], O_RDONLY), EACCES);
}

static void case_audit_counts(void)
{
    static char text[16384];
    int fd = open("/proc/audit", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    unsigned long processes = 0;

    CHECK(n > 0, "read: %ld", (long)n);
    char *at = strstr(text, "\nprocesses: ");
    CHECK(at && strstr(text, "\nframes anonymous: "), "%s", text);
    CHECK(sscanf(at, "\nprocesses: %lu", &processes) == 1 && processes >= 2, "%s", at);
}

/* Changes what the walkers look at, until it is killed. */
static void churn(void *arg)
{
    char name[16];

    snprintf(name, sizeof(name), "churn%ld", (long)arg);
    for (unsigned i = 0;; i++) {
        char *p = region_new(name, 8 * PAGE), *q;
        int id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);

        memset(p, 1, 8 * PAGE);
        CHECK_OK(munmap(p + 3 * PAGE, PAGE));
        q = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(q, 1, 16 * PAGE);
        CHECK_OK(mprotect(q + PAGE, PAGE, PROT_READ));
        *(char *)shmat(id, NULL, 0) = 1;
        CHECK_OK(shmctl(id, IPC_RMID, NULL));
        if (fork() == 0) {
            q[5 * PAGE] = 2;
            _exit(0);
        }
        wait(NULL);
        munmap(q, 16 * PAGE);
        munmap(p, 8 * PAGE);
        CHECK_ERR(destroySharedRegion(name), ERR_OK);
    }
}

static void case_while_everything_changes(void)
{
    pid_t pids[3];

    for (long i = 0; i < 3; i++)
        pids[i] = child_start(churn, (void *)i);
    for (int i = 0; i < ROUNDS; i++) {
        walk();
        check_sleep_ms(i % 5);
    }
    for (int i = 0; i < 3; i++)
        child_kill(pids[i]);
    walk();
}

int main(void)
{
    if (access("/proc/check", F_OK) != 0) {
        printf("a release kernel: no walkers\n");
        return 0;
    }
    RUN(case_at_rest);
    RUN(case_root_alone);
    RUN(case_audit_counts);
    RUN(case_while_everything_changes);
    return check_done();
}
