/* /bin/regions: the table for people (A10), through a pipe. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define COMMAND "/bin/regions"
#define PAGE    4096ul

struct output {
    char text[REGION_TABLE_BYTES];
    int status;
};

static struct output out;

/* Starts the command with its output in a pipe; *fd: where to read it. */
static pid_t start(char *const argv[], int *fd)
{
    int p[2];

    CHECK_OK(pipe(p));
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], STDOUT_FILENO);
        dup2(p[1], STDERR_FILENO);
        close(p[0]);
        close(p[1]);
        execv(COMMAND, argv);
        _exit(127);
    }
    CHECK(pid > 0, "fork: %s", strerror(errno));
    close(p[1]);
    *fd = p[0];
    return pid;
}

/* The command's whole output and exit status. */
static void run(const char *option, const char *name)
{
    char *argv[] = {"regions", (char *)option, (char *)name, NULL};
    size_t used = 0;
    int fd, status;
    ssize_t n;
    pid_t pid = start(argv, &fd);

    while ((n = read(fd, out.text + used, sizeof(out.text) - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    out.text[used] = '\0';
    CHECK_EQ(check_wait(pid, &status, CHECK_LIMIT_MS / 2), 0);
    CHECK(WIFEXITED(status), "the command was killed");
    out.status = WEXITSTATUS(status);
}

static void must_say(const char *what)
{
    CHECK(strstr(out.text, what), "A10: no \"%s\" in: %.150s", what, out.text);
}

static void must_not_say(const char *what)
{
    CHECK(!strstr(out.text, what), "A10: \"%s\" in: %.150s", what, out.text);
}

static void case_list(void)
{
    char *a = region_new("listed", 3 * PAGE);

    a[PAGE] = 1;
    CHECK_ERR(lockRegion("listed"), ERR_OK);
    run(NULL, NULL);
    CHECK_EQ(out.status, 0);
    must_say("KIND");
    const char *line = strstr(out.text, "region  listed");
    CHECK(line, "A10: the region's line: %.150s", out.text);
    char key[64], size[16], resident[16], mode[16], state[16];
    unsigned mapped, uid, holder, waiters;
    CHECK_EQ(sscanf(line, "region %63s %15s %15s %u %u %15s %15s %u %u", key, size, resident,
                    &mapped, &uid, mode, state, &holder, &waiters),
             9);
    CHECK(strcmp(size, "12K") == 0 && strcmp(resident, "4K") == 0, "%s %s", size, resident);
    CHECK(strcmp(mode, "0600") == 0 && strcmp(state, "active") == 0, "%s %s", mode, state);
    CHECK_EQ(mapped, 1);
    CHECK_EQ(uid, 0);
    CHECK_EQ(holder, getpid());
    CHECK_EQ(waiters, 0);
}

static struct gate ready, go;

static void map_and_wait(void *arg)
{
    struct region_map how = {.flags = RM_RDONLY};
    void *addr;

    (void)arg;
    CHECK_ERR(createMappingWith("shown", &addr, &how), ERR_OK);
    gate_open(&ready, 1);
    gate_pass(&go);
}

static void must_show_mapping(pid_t pid, const void *beg, size_t bytes, const char *rights)
{
    char line[128];

    snprintf(line, sizeof(line), "%6d %-15s %08lx-%08lx %s", (int)pid, "regions_cmd",
             (unsigned long)beg, (unsigned long)beg + bytes, rights);
    must_say(line);
}

static void case_show(void)
{
    char *a = region_new("shown", 2 * PAGE);
    char pid_text[16];

    ready = gate_make();
    go = gate_make();
    a[0] = 1;
    pid_t pid = child_start(map_and_wait, NULL);
    gate_pass(&ready);
    CHECK_ERR(lockRegion("shown"), ERR_OK);
    run("-v", "shown");
    CHECK_EQ(out.status, 0);
    must_say("region shown\n");
    must_say("8K (8192 bytes)");
    must_say("1 pages, filled 1 times");
    must_say("0600 rw-------");
    snprintf(pid_text, sizeof(pid_text), "%d regions_cmd, 0", getpid());
    must_say(pid_text);
    must_show_mapping(getpid(), a, 2 * PAGE, "rw-s");
    must_show_mapping(pid, a, 2 * PAGE, "rw-s");
    must_say("r--s");
    gate_open(&go, 1);
    CHILD_EXITS(pid, 0);
    run("-v", "shown");
    must_not_say("r--s");
    run("-v", "show");
    CHECK_EQ(out.status, 1);
    must_say("no such region");
}

static void case_nobody(void)
{
    CHECK_ERR(createSharedRegion("lonely", 1, RS_PERSIST), ERR_OK);
    run("-v", "lonely");
    CHECK_EQ(out.status, 0);
    must_say("nobody");
    CHECK_ERR(destroySharedRegion("lonely"), ERR_OK);
}

static void case_watch(void)
{
    char *argv[] = {"regions", "-w", NULL};
    int fd, lines = 0;
    pid_t pid = start(argv, &fd);

    for (char c = 0; lines < 2; lines += c == 'W') /* of WAITERS: once a table */
        CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_OK(kill(pid, SIGINT));
    CHILD_DIES(pid, SIGINT);
}

static void case_usage(void)
{
    run("-x", NULL);
    CHECK_EQ(out.status, 2);
    must_say("usage");
    run("-w", "0");
    CHECK_EQ(out.status, 2);
    run("-w", "soon");
    CHECK_EQ(out.status, 2);
}

int main(void)
{
    RUN(case_list);
    RUN(case_show);
    RUN(case_nobody);
    RUN(case_watch);
    RUN(case_usage);
    return check_done();
}
