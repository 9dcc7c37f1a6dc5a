/* V2: the textbook program prints what it must, and leaves nothing behind. */
#include "sysv.h"

static void run(void *arg)
{
    const int *out = arg;

    CHECK_OK(dup2(out[1], STDOUT_FILENO));
    close(out[0]);
    close(out[1]);
    execl("/test/textbook_shm", "textbook_shm", NULL);
    CHECK(false, "exec: %s", strerror(errno));
}

static void case_textbook(void)
{
    for (int round = 0; round < 10; round++) {
        char text[200];
        size_t used = 0;
        ssize_t n;
        int out[2];

        CHECK_OK(pipe(out));
        pid_t pid = child_start(run, out);
        close(out[1]);
        while ((n = read(out[0], text + used, sizeof(text) - 1 - used)) > 0)
            used += (size_t)n;
        CHECK_EQ(n, 0);
        text[used] = '\0';
        close(out[0]);
        CHILD_EXITS(pid, 0);
        CHECK(strcmp(text, "Message from child: Hello from child!\n") == 0, "V2: it printed: %s",
              text);
        CHECK_ERRNO(shmget(1234, 0, 0), ENOENT);
    }
}

int main(void)
{
    RUN(case_textbook);
    return check_done();
}
