/* xv6 pages and zones as system calls, and what tests of every door need. */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include <abi/shoal.h>
#include <shoal/syscall.h>

#include "failing.h"

#define PAGE 4096ul

CHECK_UNUSED static long xv6_open(int id)
{
    return shoal_syscall(SHOAL_SYS_shm_open, id, 0, 0, 0);
}

CHECK_UNUSED static long xv6_close(int id)
{
    return shoal_syscall(SHOAL_SYS_shm_close, id, 0, 0, 0);
}

CHECK_UNUSED static long zone_get(int id, int flags, int size_pages)
{
    return shoal_syscall(SHOAL_SYS_shmem, id, flags, size_pages, 0);
}

/* Contexts of this kind in /proc/regions. */
CHECK_UNUSED static unsigned door_count(const char *kind)
{
    unsigned n = 0;
    size_t length = strlen(kind);

    for (const char *at = region_table(); *at;) {
        n += strncmp(at, kind, length) == 0 && at[length] == ' ';
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return n;
}

CHECK_UNUSED static void door_must_be_empty(const char *kind, const char *rule)
{
    CHECK(door_count(kind) == 0, "%s: left in the table:\n%s", rule, region_table());
}

/* From here on this process is a user that owns nothing.  The calls are made directly: musl would
 * make them in every thread. */
CHECK_UNUSED static void become_stranger(void)
{
    CHECK_OK(syscall(SYS_setresgid, 1000, 1000, 1000));
    CHECK_OK(syscall(SYS_setresuid, 1000, 1000, 1000));
}

/* The table as it must be again after each failure. */
static char table_before[REGION_TABLE_BYTES];

CHECK_UNUSED static void table_keep(void)
{
    strcpy(table_before, region_table());
}

CHECK_UNUSED static void table_must_be_kept(const char *call, unsigned n)
{
    CHECK(strcmp(table_before, region_table()) == 0, "A3: %s, allocation %u: the table changed",
          call, n);
}

/* A4: kill -9 anywhere.  `turn` is run over and over in three processes, which are killed when each
 * has come to its n-th turn; it may fork children that exit. */
typedef void storm_turn(struct rng *rng);

struct door_storm {
    storm_turn *turn;
    unsigned turns;
    uint64_t seed;
    struct gate reached;
};

CHECK_UNUSED static void door_storm_child(void *arg)
{
    const struct door_storm *storm = arg;
    struct rng rng = {storm->seed};

    signal(SIGCHLD, SIG_IGN);
    for (unsigned i = 0;; i++) {
        if (i == storm->turns)
            gate_open(&storm->reached, 1);
        storm->turn(&rng);
    }
}

CHECK_UNUSED static void door_storm(const char *kind, storm_turn *turn)
{
    struct door_storm storm = {turn, 0, 0, gate_make()};

    for (unsigned round = 1; round <= 6; round++) {
        pid_t pids[3];

        for (unsigned i = 0; i < 3; i++) {
            storm.turns = round * 7;
            storm.seed = round * 10 + i;
            pids[i] = child_start(door_storm_child, &storm);
        }
        for (int i = 0; i < 3; i++)
            gate_pass(&storm.reached);
        for (int i = 0; i < 3; i++)
            child_kill(pids[i]);
        WAIT_UNTIL(!door_count(kind), "A4: %s", region_table());
    }
}

/* Two threads in fn at the same moment, and what each returned. */
typedef long door_call(void);

struct door_thread {
    door_call *call;
    pthread_barrier_t *start;
    long result;
};

CHECK_UNUSED static void *door_thread(void *arg)
{
    struct door_thread *t = arg;

    pthread_barrier_wait(t->start);
    t->result = t->call();
    return NULL;
}

CHECK_UNUSED static void door_two_at_once(door_call *call, long results[2])
{
    pthread_barrier_t start;
    struct door_thread mine = {call, &start, 0}, other = {call, &start, 0};
    pthread_t thread;

    CHECK_EQ(pthread_barrier_init(&start, NULL, 2), 0);
    CHECK_EQ(pthread_create(&thread, NULL, door_thread, &other), 0);
    door_thread(&mine);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    results[0] = mine.result;
    results[1] = other.result;
}

/* A3: each allocation of a call failing in turn, until none is left; what the last call answered.
 * `undone` looks after each failure, when there is more to see than the table. */
CHECK_UNUSED static long door_failing(const char *name, long nr, const long args[3],
                                      void (*undone)(unsigned n))
{
    for (unsigned n = 1;; n++) {
        struct fail_result r;

        table_keep();
        r = fail_nth(n, nr, args[0], args[1], args[2]);
        if (!r.delivered) {
            CHECK(r.result > 0 && n > 1, "A3: %ld", r.result);
            return r.result;
        }
        CHECK_EQ(r.result, -ENOMEM);
        table_must_be_kept(name, n);
        if (undone)
            undone(n);
    }
}

/* A4: a process that has a context of a door runs the test's program again, as "after-exec", where
 * door_main() calls `after`. */
static const char *door_self;

CHECK_UNUSED static _Noreturn void door_exec(void)
{
    execl(door_self, door_self, "after-exec", (char *)NULL);
    _exit(99);
}

CHECK_UNUSED static void door_main(int argc, char **argv, int (*after)(void))
{
    door_self = argv[0];
    if (argc > 1 && strcmp(argv[1], "after-exec") == 0)
        exit(after());
}
