/* posix_spawn, with file actions; and popen's and system's way of starting programs. */
#include <fcntl.h>
#include <spawn.h>

#include "child.h"

static char *self;

static pid_t spawn(const posix_spawn_file_actions_t *actions, char *mode)
{
    char *argv[] = {self, mode, NULL};
    char *envp[] = {"SPAWNED=yes", NULL};
    pid_t pid;

    CHECK_EQ(posix_spawn(&pid, self, actions, NULL, argv, envp), 0);
    return pid;
}

static void case_status_and_env(void)
{
    CHILD_EXITS(spawn(NULL, "env"), 6);
}

static void case_output_to_pipe(void)
{
    posix_spawn_file_actions_t actions;
    char text[32];
    int fd[2];
    pid_t pid;

    CHECK_OK(pipe(fd));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fd[0]);
    posix_spawn_file_actions_addclose(&actions, fd[1]);
    pid = spawn(&actions, "say");
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    CHECK_EQ(read(fd[0], text, sizeof(text)), 4);
    CHECK(memcmp(text, "said", 4) == 0, "read '%.4s'", text);
    CHECK_EQ(read(fd[0], text, sizeof(text)), 0);
    CHILD_EXITS(pid, 0);
}

static void case_not_there(void)
{
    char *argv[] = {"nowhere", NULL};
    pid_t pid;

    CHECK_EQ(posix_spawn(&pid, "/nowhere", NULL, NULL, argv, argv + 1), ENOENT);
    CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
}

static void case_many(void)
{
    for (unsigned i = 0; i < 30; i++)
        CHILD_EXITS(spawn(NULL, "env"), 6);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "env") == 0)
        return getenv("SPAWNED") && !getenv("PATH") ? 6 : 1;
    if (argc > 1 && strcmp(argv[1], "say") == 0)
        return write(STDOUT_FILENO, "said", 4) == 4 ? 0 : 1;
    self = argv[0];
    RUN(case_status_and_env);
    RUN(case_output_to_pipe);
    RUN(case_not_there);
    RUN(case_many);
    return check_done();
}
