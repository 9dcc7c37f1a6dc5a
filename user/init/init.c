/* The first process: runs one program, reaps what others leave behind, and ends with the program's
 * status. The kernel gives it the console as descriptors 0, 1 and 2; when it ends, the machine
 * stops. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_NOT_STARTED 127
#define STATUS_SIGNAL_BASE 128

static char *const environment[] = {"PATH=/bin:/sbin:/test", "HOME=/", "TERM=dumb", NULL};

static void program_exec(char *const argv[])
{
    execvpe(argv[0], argv, environment);
    dprintf(STDERR_FILENO, "init: %s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_NOT_STARTED);
}

/* Waits for the program and for every orphan that ends before it. */
static int program_wait(pid_t program)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);

        if (pid == program)
            return status;
        if (pid < 0 && errno != EINTR) {
            dprintf(STDERR_FILENO, "init: wait: %s\n", strerror(errno));
            _exit(STATUS_NOT_STARTED);
        }
    }
}

int main(int argc, char **argv)
{
    char *demo[] = {"/bin/region-demo", NULL};
    char **program_argv = argc > 1 ? argv + 1 : demo;
    pid_t program = fork();
    int status;

    if (program < 0) {
        dprintf(STDERR_FILENO, "init: fork: %s\n", strerror(errno));
        return STATUS_NOT_STARTED;
    }
    if (program == 0)
        program_exec(program_argv);
    status = program_wait(program);
    if (WIFSIGNALED(status)) {
        int sig = WTERMSIG(status);

        dprintf(STDERR_FILENO, "init: %s: killed by signal %d (%s)\n", program_argv[0], sig,
                strsignal(sig));
        return STATUS_SIGNAL_BASE + sig;
    }
    return WEXITSTATUS(status);
}
