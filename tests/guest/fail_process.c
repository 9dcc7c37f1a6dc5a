/* fork, execve, mmap, mprotect, pipe, open and dup with every one of their allocations failing in
 * turn: ENOMEM (or EAGAIN from fork), and everything as before. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "failing.h"

#define PAGE 4096ul

static char *self;

static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 64; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static bool failed_as_it_must(const char *call, unsigned n, struct fail_result r)
{
    if (!r.delivered) {
        CHECK(r.result >= 0, "%s: %ld without a failure", call, r.result);
        return false;
    }
    CHECK(r.result == -ENOMEM, "A3: %s, allocation %u: %ld, must be -ENOMEM", call, n, r.result);
    return true;
}

static void case_fork(void)
{
    static char data[64 * PAGE];

    memset(data, 1, sizeof(data));
    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_fork, 0, 0, 0);

        if (r.result == 0)
            _exit(data[5 * PAGE]);
        if (r.result > 0)
            CHILD_EXITS((pid_t)r.result, 1);
        else
            CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
        memset(data, 1, sizeof(data)); /* writable as before */
        if (!r.delivered) {
            CHECK(r.result > 0, "A5: fork: %ld", r.result);
            return;
        }
        CHECK(r.result == -ENOMEM || r.result == -EAGAIN, "A5: fork, allocation %u: %ld", n,
              r.result);
    }
}

static void case_mmap(void)
{
    for (unsigned n = 1;; n++) {
        long left = 0;
        struct fail_result r;

        r.result = fail_call(n, SYS_mmap, 0, 10 * PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &left);
        r.delivered = left == 0;
        CHECK(n < FAIL_MAX, "mmap still allocates");
        if (failed_as_it_must("mmap", n, r))
            continue;
        memset((void *)r.result, 1, 10 * PAGE);
        CHECK_OK(munmap((void *)r.result, 10 * PAGE));
        return;
    }
}

static void case_mprotect_and_split(void)
{
    char *p = mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct fail_result r;

    memset(p, 1, 9 * PAGE);
    for (unsigned n = 1;; n++) {
        r = fail_nth(n, SYS_mprotect, (long)p + 3 * PAGE, 3 * PAGE, PROT_READ);
        if (!failed_as_it_must("mprotect", n, r))
            break;
        for (unsigned i = 0; i < 9; i++)
            p[i * PAGE] = (char)n; /* all of it writable still */
    }
    for (unsigned n = 1;; n++) {
        r = fail_nth(n, SYS_munmap, (long)p + PAGE, PAGE, 0);
        if (!failed_as_it_must("munmap", n, r))
            break;
        p[PAGE] = (char)n;
    }
    CHECK_OK(munmap(p, 9 * PAGE));
}

static void case_pipe(void)
{
    static int fd[2];
    int open_before = open_descriptors();

    for (unsigned n = 1;; n++) {
        struct fail_result r;

        fd[0] = fd[1] = -7;
        r = fail_nth(n, SYS_pipe, (long)fd, 0, 0);
        if (!failed_as_it_must("pipe", n, r))
            break;
        CHECK_EQ(fd[0] + fd[1], -14);
        CHECK_EQ(open_descriptors(), open_before);
    }
    CHECK_EQ(open_descriptors(), open_before + 2);
    CHECK_EQ(write(fd[1], "x", 1), 1);
}

static void case_open(void)
{
    int open_before = open_descriptors();

    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_open, (long)"/tmp", O_RDONLY, 0);

        if (!failed_as_it_must("open", n, r)) {
            CHECK_OK(close((int)r.result));
            return;
        }
        CHECK_EQ(open_descriptors(), open_before);
    }
}

static void case_create_file(void)
{
    int open_before = open_descriptors();

    for (unsigned n = 1;; n++) {
        struct fail_result r =
            fail_nth(n, SYS_open, (long)"/tmp/failing", O_CREAT | O_EXCL | O_RDWR, 0644);

        if (!failed_as_it_must("open with O_CREAT", n, r)) {
            CHECK_OK(close((int)r.result));
            CHECK_OK(unlink("/tmp/failing"));
            return;
        }
        CHECK_EQ(open_descriptors(), open_before);
        CHECK(access("/tmp/failing", F_OK) != 0, "A3: allocation %u: the file is there", n);
    }
}

/* The new program says with 77 that it runs.  A failure that was not used up may hit it while it
 * starts. */
static void exec_failing(void *arg)
{
    static char *argv[] = {"fail_process", "run", NULL}, *envp[] = {NULL};
    struct fail_result r;

    argv[0] = self;
    r = fail_nth((unsigned)(long)arg, SYS_execve, (long)self, (long)argv, (long)envp);
    CHECK(r.delivered, "execve answers %ld without a failure", r.result);
    CHECK(r.result == -ENOMEM, "A3: execve: %ld, must be -ENOMEM", r.result);
    CHECK(getpid() > 0 && strcmp(argv[1], "run") == 0, "the old program goes on");
    _exit(3);
}

static void case_exec(void)
{
    unsigned failures = 0;

    for (long n = 1; n < FAIL_MAX; n++) {
        int status = child_any_end(child_start(exec_failing, (void *)n), 10000);

        if (status == 77 << 8) {
            CHECK(failures > 0, "execve allocates nothing");
            return;
        }
        if (status == 3 << 8)
            failures++;
        else
            CHECK(WIFSIGNALED(status) &&
                      (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGKILL ||
                       WTERMSIG(status) == SIGSEGV),
                  "A3: execve, allocation %ld: status 0x%x", n, (unsigned)status);
    }
    CHECK(false, "execve never succeeds");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 77;
    self = argv[0];
    RUN(case_fork);
    RUN(case_mmap);
    RUN(case_mprotect_and_split);
    RUN(case_pipe);
    RUN(case_open);
    RUN(case_create_file);
    RUN(case_exec);
    return check_done();
}
