/* A8, A4: IPC_RMID and re-creation against shmget and shmat never reach the wrong segment; kill -9
 * anywhere leaves the counts right.  The first argument is the seed. */
#define _GNU_SOURCE
#include "regions.h"
#include "sysv.h"

#define KEY     0x5e94
#define ROUNDS  400
#define LOOKERS 3
#define VICTIMS 4
#define KILLS   30

static struct rng rng;

/* Shared by all of a case. */
struct board {
    volatile int stop;
    volatile int winners;
    volatile int id;
};

static int board_new(struct board **b)
{
    int id = sysv_new(PAGE, 0600);

    *b = sysv_attach(id, 0);
    return id;
}

/* The segment of an id says its id from before its key leads to it until it is gone; 0 is "not
 * yet". */
static void look(int id)
{
    volatile int *p = shmat(id, NULL, SHM_RDONLY);

    if ((long)p == -1) {
        CHECK(errno == EINVAL || errno == EIDRM, "shmat(%d): %s", id, strerror(errno));
        return;
    }
    int stamp = *p;
    CHECK(stamp == 0 || stamp == id + 1, "A8: id %d is the segment of id %d", id, stamp - 1);
    CHECK_OK(shmdt((void *)p));
}

static void looker(void *arg)
{
    struct board *b = arg;
    int old = -1;

    while (!b->stop) {
        int id = shmget(KEY, 0, 0);

        CHECK(id >= 0 || errno == ENOENT, "shmget: %s", strerror(errno));
        if (id >= 0)
            look(id);
        if (old >= 0)
            look(old);
        if (id >= 0)
            old = id;
    }
}

static void case_remove_and_make_again(void)
{
    struct board *b;
    int board = board_new(&b);
    pid_t pids[LOOKERS];

    for (int i = 0; i < LOOKERS; i++)
        pids[i] = child_start(looker, b);
    for (int round = 0; round < ROUNDS; round++) {
        int id = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
        CHECK(id >= 0, "shmget: %s", strerror(errno));
        volatile int *p = sysv_attach(id, 0);

        CHECK_EQ(*p, 0);
        *p = id + 1;
        if (round % 2)
            CHECK_OK(shmdt((void *)p));
        sysv_remove(id);
        if (round % 2 == 0)
            CHECK_OK(shmdt((void *)p));
    }
    b->stop = 1;
    for (int i = 0; i < LOOKERS; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
    sysv_remove(board);
}

struct creators {
    struct board *b;
    struct gate go;
    int flags;
};

static void creator(void *arg)
{
    struct creators *c = arg;

    gate_pass(&c->go);
    int id = shmget(KEY, PAGE, IPC_CREAT | c->flags | 0600);
    if (id < 0) {
        CHECK_EQ(errno, EEXIST);
        return;
    }
    CHECK_OK(shmdt(sysv_attach(id, 0))); /* an id works from the moment it is known */
    __atomic_fetch_add(&c->b->winners, 1, __ATOMIC_SEQ_CST);
    c->b->id = id;
}

/* Two or more creators at once: one with IPC_EXCL, and the same segment for all without. */
static void case_creators(void)
{
    struct creators c = {.go = gate_make()};
    int board = board_new(&c.b);

    for (int round = 0; round < 30; round++) {
        pid_t pids[4];

        c.flags = round % 2 ? IPC_EXCL : 0;
        c.b->winners = 0;
        for (int i = 0; i < 4; i++)
            pids[i] = child_start(creator, &c);
        gate_open(&c.go, 4);
        for (int i = 0; i < 4; i++)
            CHILD_EXITS(pids[i], 0);
        CHECK_EQ(c.b->winners, c.flags ? 1 : 4);
        CHECK_EQ(shmget(KEY, 0, 0), c.b->id);
        CHECK_EQ(sysv_nattch(c.b->id), 0);
        sysv_remove(c.b->id);
        CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
    }
    sysv_remove(board);
}

/* Makes, attaches, forks, detaches and removes for ever. */
static void victim(void *arg)
{
    struct rng mine = {(uint64_t)(long)arg};
    struct shmid_ds ds;

    for (;;) {
        int id = shmget(KEY + (int)rng_below(&mine, 3), 2 * PAGE, IPC_CREAT | 0600);
        CHECK(id >= 0, "shmget: %s", strerror(errno));
        volatile char *p = shmat(id, NULL, 0);

        if ((long)p == -1)
            continue; /* somebody has removed it */
        p[rng_below(&mine, 2 * PAGE)] = 1;
        CHECK_OK(shmctl(id, IPC_STAT, &ds));
        CHECK(ds.shm_nattch >= 1, "V1: nattch %lu while attached", ds.shm_nattch);
        if (rng_below(&mine, 8) == 0) {
            pid_t pid = fork();

            if (pid == 0)
                _exit(0);
            if (pid > 0)
                waitpid(pid, NULL, 0);
        }
        if (rng_below(&mine, 3) == 0)
            shmctl(id, IPC_RMID, NULL);
        CHECK_OK(shmdt((void *)p));
    }
}

static void case_kill_storm(void)
{
    pid_t pids[VICTIMS];
    struct shm_info before, after;
    int keep = sysv_new(PAGE, 0600);
    volatile char *p = sysv_attach(keep, 0);

    CHECK_OK(shmctl(0, SHM_INFO, (void *)&before));
    for (int i = 0; i < VICTIMS; i++)
        pids[i] = child_start(victim, (void *)(long)(rng_next(&rng) | 1));
    for (int i = 0; i < KILLS; i++) {
        unsigned n = (unsigned)rng_below(&rng, VICTIMS);

        for (volatile unsigned long wait = rng_below(&rng, 20000); wait > 0; wait--)
            ;
        child_kill(pids[n]);
        pids[n] = child_start(victim, (void *)(long)(rng_next(&rng) | 1));
    }
    for (int i = 0; i < VICTIMS; i++)
        child_kill(pids[i]);
    /* Grandchildren that were just forked may still be on their way out. */
    WAIT_UNTIL(sysv_nattch(keep) == 1, "A4: nattch %lu", sysv_nattch(keep));
    for (int i = 0; i < 3; i++) {
        int id = shmget(KEY + i, 0, 0);

        if (id >= 0) {
            WAIT_UNTIL(sysv_nattch(id) == 0, "A4: nattch %lu", sysv_nattch(id));
            sysv_remove(id);
        }
    }
    CHECK_OK(shmctl(0, SHM_INFO, (void *)&after));
    CHECK_EQ(after.used_ids, before.used_ids);
    CHECK_EQ(after.shm_tot, before.shm_tot);
    *p = 1;
    sysv_remove(keep);
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    RUN(case_remove_and_make_again);
    RUN(case_creators);
    RUN(case_kill_storm);
    return check_done();
}
