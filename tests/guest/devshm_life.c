/* P1: how long files of /dev/shm live: names, descriptors and mappings in every order (A4, R4, R5).
 */
#define _GNU_SOURCE
#include "child.h"
#include "probe.h"
#include "regions.h"
#include "shmfile.h"

static void hold_mapped(void *arg)
{
    struct gate *g = arg;
    void *beg;

    CHECK_ERR(createMapping("closing", &beg), ERR_OK);
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
}

static void destroyer(void *arg)
{
    (void)arg;
    CHECK_ERR(destroySharedRegion("closing"), ERR_OK);
}

/* R5: it is not found, and its name is taken. */
static void case_closing_region(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    struct region_stat st = {0};

    CHECK_ERR(createSharedRegion("closing", PAGE, RS_PERSIST), ERR_OK);
    pid_t holder = child_start(hold_mapped, g);
    gate_pass(&g[0]);
    pid_t killer = child_start(destroyer, NULL);
    WAIT_UNTIL(statRegion("closing", &st) == ERR_OK && st.closing, "R5: it does not close");
    CHECK_ERRNO(shm_open("/closing", O_RDWR, 0), ENOENT);
    CHECK_ERRNO(shm_open("/closing", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    CHECK_ERRNO(shm_open("/closing", O_CREAT | O_RDWR, 0600), EEXIST);
    CHECK_ERRNO(shm_unlink("/closing"), ENOENT);
    CHECK(!listed("closing"), "R5: a closing region is listed");
    gate_open(&g[1], 1);
    CHILD_EXITS(holder, 0);
    CHILD_EXITS(killer, 0);
    CHECK_OK(close(shm_open("/closing", O_CREAT | O_EXCL | O_RDWR, 0600)));
    CHECK_OK(shm_unlink("/closing"));
}

static void creator(void *arg)
{
    struct gate *g = arg;

    CHECK_ERR(createSharedRegion("short", PAGE, RS_DEFAULT), ERR_OK);
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
}

/* R4, P1: an open descriptor keeps what its creator no longer does. */
static void case_open_descriptor_is_a_user(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    pid_t pid = child_start(creator, g);
    char c = 0;

    gate_pass(&g[0]);
    int fd = shm_open("/short", O_RDWR, 0);
    CHECK_OK(fd);
    CHECK_EQ(pwrite(fd, "s", 1, 9), 1);
    gate_open(&g[1], 1);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(pread(fd, &c, 1, 9), 1);
    CHECK_EQ(c, 's');
    CHECK_OK(close(fd));
    CHECK_ERRNO(shm_open("/short", O_RDWR, 0), ENOENT);
}

static void maps_and_forks(void *arg)
{
    int fd = shm_open("/counted", O_RDWR, 0);

    map_shared(fd, 2 * PAGE);
    char *p = map_shared(fd, 2 * PAGE);
    CHECK_OK(munmap(p, PAGE)); /* R8: a piece of a mapping is still one */
    if (fork() == 0)
        pause();
    gate_open(arg, 1);
    pause();
}

/* A4, A5: each mapping counts, fork's too, and kill -9 leaves the counts right. */
static void case_counts_after_kill(void)
{
    struct gate g = gate_make();

    CHECK_OK(close(shm_new("/counted", 2 * PAGE)));
    CHECK_OK(setpgid(0, 0));
    pid_t pid = child_start(maps_and_forks, &g);
    gate_pass(&g);
    CHECK_EQ(mappings_of("counted"), 4);
    CHECK_OK(kill(pid, SIGKILL));
    CHILD_DIES(pid, SIGKILL);
    CHECK_EQ(mappings_of("counted"), 2);
    signal(SIGTERM, SIG_IGN);
    CHECK_OK(kill(0, SIGTERM));
    WAIT_UNTIL(mappings_of("counted") == 0, "A4: %u mappings", mappings_of("counted"));
    CHECK_OK(shm_unlink("/counted"));
}

/* How the last user of an unlinked file lets go of it. */
enum last {
    LAST_UNMAP,
    LAST_CLOSE,
    LAST_EXIT,
    LAST_KILL,
    LAST_EXEC,
    LAST_NEVER_MAPPED,
    LASTS
};

static const char *self;
static struct gate hold[2];
static char table_before[REGION_TABLE_BYTES];

static void lets_go(void *arg)
{
    enum last last = *(enum last *)arg;
    int fd = shm_new("/last", PAGE);
    char fds[2][12], *p = NULL;

    if (last != LAST_NEVER_MAPPED) {
        p = map_shared(fd, PAGE);
        p[0] = 1;
    }
    CHECK_OK(shm_unlink("/last"));
    CHECK(strcmp(table_before, region_table()) != 0, "P1: a file in use is gone");
    if (last != LAST_CLOSE)
        CHECK_OK(close(fd));
    if (last == LAST_EXIT || last == LAST_KILL) {
        gate_open(&hold[0], 1);
        gate_pass(&hold[1]);
        return;
    }
    if (last == LAST_EXEC) {
        snprintf(fds[0], sizeof(fds[0]), "%d", hold[0].fd[1]);
        snprintf(fds[1], sizeof(fds[1]), "%d", hold[1].fd[0]);
        execl(self, self, fds[0], fds[1], NULL);
        CHECK(false, "exec: %s", strerror(errno));
    }
    if (p)
        CHECK_OK(munmap(p, PAGE));
    if (last == LAST_CLOSE)
        CHECK_OK(close(fd));
    CHECK(strcmp(table_before, region_table()) == 0, "P1: the last user is gone, not the memory");
    gate_open(&hold[0], 1);
    gate_pass(&hold[1]);
}

/* The memory goes with the last user, whatever that was (A4). */
static void case_lifetime_in_every_order(void)
{
    hold[0] = gate_make();
    hold[1] = gate_make();
    strcpy(table_before, region_table());
    for (enum last last = 0; last < LASTS; last++) {
        pid_t pid = child_start(lets_go, &last);

        gate_pass(&hold[0]);
        if (last == LAST_EXIT || last == LAST_KILL)
            CHECK(strcmp(table_before, region_table()) != 0, "P1: a mapped file is gone");
        else
            CHECK(strcmp(table_before, region_table()) == 0, "A4: way %d leaves it", last);
        if (last == LAST_KILL) {
            child_kill(pid);
        } else {
            gate_open(&hold[1], 1);
            CHILD_EXITS(pid, 0);
        }
        CHECK(strcmp(table_before, region_table()) == 0, "A4: way %d leaves it", last);
    }
}

static void fights(void *arg)
{
    struct rng rng = {*(uint64_t *)arg};
    struct stat st;
    void *beg;

    for (unsigned i = 0; i < 150; i++) {
        int fd = shm_open("/fight", O_CREAT | O_RDWR | (rng_below(&rng, 4) ? 0 : O_TRUNC), 0600);

        CHECK_OK(fd); /* nobody closes it for long: RS_UNLINK only */
        CHECK_OK(ftruncate(fd, (off_t)(PAGE * (1 + rng_below(&rng, 4)))));
        char *p = map_shared(fd, 4 * PAGE);
        int sig = probe_write(p);
        CHECK(sig == 0 || sig == SIGBUS, "P2: signal %d", sig);
        (void)chmodRegion("fight", rng_below(&rng, 2) ? 0600 : 0640);
        (void)stat("/dev/shm/fight", &st);
        if (createMapping("fight", &beg) == ERR_OK)
            (void)destroyMapping("fight", beg);
        if (rng_below(&rng, 3) == 0)
            (void)shm_unlink("/fight");
        CHECK_OK(fstat(fd, &st));
        CHECK(st.st_nlink <= 1 && S_ISREG(st.st_mode), "P1: fstat");
        CHECK_OK(close(fd));
        CHECK_OK(munmap(p, 4 * PAGE));
    }
}

/* Open, unlink, cut and look at one name from four processes; what is left is counted at the end.
 */
static void case_four_fight_for_a_name(void)
{
    pid_t pid[4];

    strcpy(table_before, region_table());
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t seed = 77 + i;
        pid[i] = child_start(fights, &seed);
    }
    for (unsigned i = 0; i < 4; i++)
        CHILD_EXITS(pid[i], 0);
    (void)shm_unlink("/fight");
    CHECK(strcmp(table_before, region_table()) == 0, "A3: something is left");
}

static void case_thousand_cycles(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        int fd = shm_new("/cycle", 3 * PAGE);
        char *p = map_shared(fd, 3 * PAGE);

        CHECK_EQ(p[PAGE], 0);
        p[PAGE] = p[2 * PAGE] = 1;
        CHECK_OK(i % 2 ? munmap(p, 3 * PAGE) : close(fd));
        CHECK_OK(shm_unlink("/cycle"));
        CHECK_OK(i % 2 ? close(fd) : munmap(p, 3 * PAGE));
    }
}

/* What lets_go became by exec: it tells, and waits. */
static int held(char **fds)
{
    char c = 'g';

    if (write(atoi(fds[0]), &c, 1) != 1)
        return 1;
    return read(atoi(fds[1]), &c, 1) != 1;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return held(argv + 1);
    self = argv[0];
    umask(0);
    RUN(case_closing_region);
    RUN(case_open_descriptor_is_a_user);
    RUN(case_counts_after_kill);
    RUN(case_lifetime_in_every_order);
    RUN(case_four_fight_for_a_name);
    RUN(case_thousand_cycles);
    return check_done();
}
