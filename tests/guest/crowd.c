/* A thousand processes alive at once, all with one region mapped: they come, they are seen, and
 * they go, half by themselves and half killed.  What was free before is free again.  Arguments: the
 * seed, and how many processes. */
#include "child.h"
#include "regions.h"

#define PAGE    4096ul
#define CROWD   1000u
#define KEPT_KB 2048 /* that caches may keep of what was in use at the worst moment */

struct meeting {
    volatile unsigned here, added;
};

static struct rng rng;
static unsigned crowd = CROWD;

static long free_kb(void)
{
    static char text[512];
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    const char *at;

    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    at = strstr(text, "MemFree:");
    CHECK(at, "/proc/meminfo: %s", text);
    return atol(at + strlen("MemFree:"));
}

/* Adds one under the lock, and stays until the gate opens. */
static void member(void *arg)
{
    const struct gate *g = arg;
    struct meeting *m = region_map("meeting");
    err_t err = lockRegion("meeting");

    CHECK(err == ERR_OK || err == ERR_OWNERDEAD, "R9: %s", shoal_errname(err));
    m->added++;
    CHECK_ERR(unlockRegion("meeting"), ERR_OK);
    __atomic_fetch_add(&m->here, 1, __ATOMIC_SEQ_CST);
    gate_pass(g);
}

static void crowd_gather(pid_t *pids, struct gate *g, struct meeting *m)
{
    struct region_stat stat;

    for (unsigned i = 0; i < crowd; i++)
        pids[i] = child_start(member, g);
    WAIT_UNTIL(m->here == crowd, "%u of %u came", m->here, crowd);
    CHECK_EQ(m->added, crowd);
    CHECK_ERR(statRegion("meeting", &stat), ERR_OK);
    CHECK_EQ(stat.mappings, 1 + 2 * crowd); /* inherited, and by its name */
}

static void crowd_leave(const pid_t *pids, const struct gate *g)
{
    for (unsigned i = 0; i < crowd; i++)
        if (rng_below(&rng, 2))
            CHECK_OK(kill(pids[i], SIGKILL));
    gate_open(g, crowd);
    for (unsigned i = 0; i < crowd; i++) {
        int status = child_any_end(pids[i], CHECK_LIMIT_MS / 2);

        CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
              "A4: one of the crowd ended with status 0x%x", (unsigned)status);
    }
}

static void meet(void)
{
    static pid_t pids[4 * CROWD];
    struct gate g = gate_make();
    struct meeting *m = region_new("meeting", PAGE);

    crowd_gather(pids, &g, m);
    crowd_leave(pids, &g);
    CHECK_EQ(region_look("meeting").mappings, 1);
    CHECK_EQ(region_look("meeting").waiters, 0);
    region_unmap("meeting", m);
    CHECK_ERR(destroySharedRegion("meeting"), ERR_OK);
    close(g.fd[0]);
    close(g.fd[1]);
}

static void case_crowd(void)
{
    long before = free_kb();

    for (unsigned i = 0; i < 2; i++)
        meet();
    CHECK(free_kb() >= before - KEPT_KB, "%ld kB were free, %ld are", before, free_kb());
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    if (argc > 2)
        crowd = (unsigned)atoi(argv[2]);
    CHECK(crowd > 0 && crowd <= 4 * CROWD, "%u processes", crowd);
    RUN(case_crowd);
    return check_done();
}
