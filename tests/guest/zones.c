/* Zones: shmem() by number (Z1, Z2). */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>

#include <abi/zone.h>

#include "doors.h"
#include "probe.h"

static char *zone(int id, int flags, int pages)
{
    long addr = zone_get(id, flags, pages);

    CHECK(addr > 0, "Z1: shmem(%d, %d, %d) = %ld", id, flags, pages, addr);
    return (char *)addr;
}

static void unmap(char *beg, unsigned long pages)
{
    CHECK_OK(munmap(beg, pages * PAGE));
}

#define MUST_FAIL(id, flags, pages)                                                                \
    CHECK(zone_get(id, flags, pages) < 0, "Z1: shmem(%d, %d, %d)", id, flags, pages)

static void case_errors(void)
{
    MUST_FAIL(-1, M_CREATE, 1);
    MUST_FAIL(ZONE_IDS, M_CREATE, 1);
    MUST_FAIL(INT_MIN, M_CREATE, 1);
    MUST_FAIL(1, M_CREATE, 0);
    MUST_FAIL(1, M_CREATE, -1);
    MUST_FAIL(1, M_CREATE, INT_MIN);
    MUST_FAIL(1, M_CREATE, ZONE_PAGES_MAX + 1);
    MUST_FAIL(1, M_CREATE, INT_MAX);
    MUST_FAIL(1, M_CREATE | M_WAIT, 1);
    MUST_FAIL(1, M_CREATE | 8, 1);
    MUST_FAIL(1, 0, 0);
    MUST_FAIL(1, M_RDONLY, 1);
    door_must_be_empty("zone", "A3");
    (void)zone(1, M_CREATE, 3);
    MUST_FAIL(1, M_CREATE, 3);
    MUST_FAIL(1, 0, 4);
    MUST_FAIL(1, M_WAIT, 4);
    MUST_FAIL(1, 0, -1);
    MUST_FAIL(11, 0, 0);
    MUST_FAIL(10, 0, 0);
    CHECK_EQ(region_look("1").mappings, 1);
}

/* The whole, a part, and not a byte more. */
static void case_extents(void)
{
    char *a = zone(63, M_CREATE, ZONE_PAGES_MAX), *b, *c;

    for (unsigned long i = 0; i < ZONE_PAGES_MAX; i++)
        CHECK(a[i * PAGE] == 0 && a[i * PAGE + PAGE - 1] == 0, "A1: page %lu", i);
    CHECK_EQ(probe_read(a + ZONE_PAGES_MAX * PAGE), SIGSEGV);
    CHECK_EQ(probe_read(a - 1), SIGSEGV);
    a[3 * PAGE] = 33;
    a[ZONE_PAGES_MAX * PAGE - 1] = 44;
    b = zone(63, 0, 4);
    CHECK(b == a + ZONE_PAGES_MAX * PAGE, "Z2: %p after %p", (void *)b, (void *)a);
    CHECK_EQ(b[3 * PAGE], 33);
    CHECK_EQ(probe_read(b + 4 * PAGE), SIGSEGV);
    c = zone(63, 0, 0);
    CHECK_EQ(c[ZONE_PAGES_MAX * PAGE - 1], 44);
    b[0] = 5;
    CHECK(a[0] == 5 && c[0] == 5, "A1: %d %d", a[0], c[0]);
}

static void case_read_only(void)
{
    char *rw = zone(2, M_CREATE, 1), *ro = zone(2, M_RDONLY, 0), *first;

    rw[1] = 7;
    CHECK_EQ(ro[1], 7);
    CHECK_EQ(probe_write(ro), SIGSEGV);
    CHECK_EQ(probe_write(rw), 0);
    first = zone(3, M_CREATE | M_RDONLY, 1);
    CHECK_EQ(first[0], 0);
    CHECK_EQ(probe_write(first), SIGSEGV);
    CHECK_ERRNO(mprotect(rw, PAGE, PROT_READ | PROT_EXEC), EACCES);
}

static void wait_for_zone(CHECK_UNUSED void *arg)
{
    char *beg = zone(4, M_WAIT, 0);

    CHECK(beg[0] == 0 || beg[0] == 'h', "Z1: another zone begins with %d", beg[0]);
    WAIT_UNTIL(*(volatile char *)beg, "Z1: another zone");
    CHECK_EQ(probe_read(beg + 2 * PAGE), SIGSEGV);
}

/* Z1: with M_WAIT the caller sleeps until the zone exists. */
static void case_wait(void)
{
    for (int round = 0; round < 8; round++) {
        pid_t pids[3];
        char *other, *beg;

        for (int i = 0; i < 3; i++)
            pids[i] = child_start(wait_for_zone, NULL);
        if (round % 2)
            check_sleep_ms(1);
        other = zone(5, M_CREATE, 1); /* not the one they wait for */
        beg = zone(4, M_CREATE, 2);
        strcpy(beg, "here");
        for (int i = 0; i < 3; i++)
            CHILD_EXITS(pids[i], 0);
        CHECK(zone(4, M_WAIT, 2) != beg, "Z1: no wait for what is there");
        CHECK_EQ(region_look("4").mappings, 2);
        unmap(beg, 2);
        unmap(other, 1);
        unmap((char *)SHMBASE + 3 * PAGE, 2);
        door_must_be_empty("zone", "Z2");
    }
}

static void on_signal(CHECK_UNUSED int sig) {}

static void wait_with_alarm(void *arg)
{
    struct sigaction sa = {.sa_handler = on_signal};

    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    gate_open(arg, 1);
    CHECK_EQ(zone_get(6, M_WAIT, 0), -EINTR);
}

/* Z1: interruptible; and a waiter that is killed leaves nothing. */
static void case_wait_ends(void)
{
    struct gate ready = gate_make();
    pid_t pid = child_start(wait_with_alarm, &ready);
    int status;

    gate_pass(&ready);
    while (waitpid(pid, &status, WNOHANG) == 0) { /* a signal may come before it sleeps */
        CHECK_OK(kill(pid, SIGUSR1));
        check_sleep_ms(1);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "Z1: status %#x", status);
    pid = child_start(wait_for_zone, NULL);
    child_kill(pid);
    door_must_be_empty("zone", "A4");
}

static void child_zones(CHECK_UNUSED void *arg)
{
    char *a = (char *)SHMBASE, *b = a + 2 * PAGE, *d;

    CHECK(a[0] == 'a' && b[0] == 'b', "A5: %d %d", a[0], b[0]);
    d = zone(9, M_CREATE, 1);
    CHECK(d == b + 3 * PAGE, "Z2: %p", (void *)d);
    b[1] = 'x';
    CHECK_EQ(region_look("8").mappings, 2);
    unmap(a, 2);
    CHECK_EQ(region_look("7").mappings, 1);
}

/* Z2: upward from SHMBASE in the order they were got; a child has them where its parent does. */
static void case_order_and_fork(void)
{
    char *a = zone(7, M_CREATE, 2), *b = zone(8, M_CREATE, 3), *c;

    CHECK_EQ((unsigned long)a, SHMBASE);
    CHECK(b == a + 2 * PAGE, "Z2: %p", (void *)b);
    a[0] = 'a';
    b[0] = 'b';
    MUST_EXIT(child_zones, NULL, 0);
    CHECK_EQ(b[1], 'x');
    CHECK_EQ(a[0], 'a');
    CHECK(!region_look("9").found, "Z2: the last process has gone");
    CHECK_EQ(region_look("8").mappings, 1);
    unmap(a, 2);
    c = zone(10, M_CREATE, 1);
    CHECK(c == b + 3 * PAGE, "Z2: %p", (void *)c);
}

static void seventeenth(CHECK_UNUSED void *arg)
{
    MUST_FAIL(0, 0, 0);
    MUST_FAIL(16, M_CREATE, 1);
    unmap((char *)SHMBASE, 1);
    (void)zone(16, M_CREATE, 1);
    MUST_FAIL(17, M_CREATE, 1);
}

/* Z2: at most 16, inherited ones too; a zone that is unmapped in part counts once. */
static void case_sixteen(void)
{
    (void)zone(0, M_CREATE, 1);
    for (int id = 1; id < ZONES_MAX; id++)
        (void)zone(id, M_CREATE, 3);
    MUST_FAIL(16, M_CREATE, 1);
    MUST_FAIL(3, 0, 0);
    CHECK(!region_look("16").found, "A3: the 17th is in the table");
    MUST_EXIT(seventeenth, NULL, 0);
    unmap((char *)SHMBASE + 2 * PAGE, 1); /* of zone 1: two pieces */
    MUST_FAIL(16, M_CREATE, 1);
    unmap((char *)SHMBASE, 1);
    (void)zone(16, M_CREATE, 1);
    MUST_FAIL(17, M_CREATE, 1);
}

/* However far they have climbed, there is room for 16. */
static void case_climbing(void)
{
    char *before = zone(0, M_CREATE, ZONE_PAGES_MAX);

    for (int i = 1; i < 3 * ZONES_MAX; i++) {
        char *next = zone(i % 2, M_CREATE, ZONE_PAGES_MAX);

        CHECK((unsigned long)next >= SHMBASE && (unsigned long)next < SHMTOP, "Z2: %p",
              (void *)next);
        unmap(before, ZONE_PAGES_MAX);
        before = next;
    }
}

/* What a program maps there by hand is left alone. */
static void case_beside_others(void)
{
    char *a = zone(1, M_CREATE, 1);
    char *mine = mmap(a + PAGE, PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    char *b;

    CHECK(mine == a + PAGE, "mmap: %s", strerror(errno));
    mine[0] = 1;
    b = zone(2, M_CREATE, 1);
    CHECK(b > mine, "Z2: %p", (void *)b);
    b[0] = a[0] = 2;
    CHECK_EQ(mine[0], 1);
    unmap(a, 1);
    CHECK_EQ(probe_read(a), SIGSEGV);
    CHECK(mine[0] == 1 && b[0] == 2, "A6: %d %d", mine[0], b[0]);
}

/* R8's rule holds here: pieces count until the last. */
static void case_pieces(void)
{
    char *a = zone(1, M_CREATE, 5);

    a[4 * PAGE] = 4;
    unmap(a + 2 * PAGE, 1);
    CHECK_EQ(region_look("1").mappings, 1);
    CHECK_EQ(probe_read(a + 2 * PAGE), SIGSEGV);
    CHECK_EQ(a[4 * PAGE], 4);
    unmap(a, 2);
    CHECK_EQ(region_look("1").mappings, 1);
    unmap(a + 3 * PAGE, 2);
    door_must_be_empty("zone", "Z2");
    MUST_FAIL(1, 0, 0);
}

static void get_and_hold(void *arg)
{
    struct gate *gates = arg;
    char *beg = zone(12, 0, 0);

    gate_open(&gates[0], 1);
    gate_pass(&gates[1]);
    CHECK_EQ(beg[0], 12);
}

static void create_and_exit(void *arg)
{
    pid_t pid;

    *zone(12, M_CREATE, 1) = 12;
    pid = child_start(get_and_hold, arg);
    (void)pid;
    gate_pass(arg);
}

/* Z2: the last one frees, whoever made it. */
static void case_creator_exits(void)
{
    struct gate gates[2] = {gate_make(), gate_make()};

    MUST_EXIT(create_and_exit, gates, 0);
    CHECK_EQ(*zone(12, 0, 0), 12);
    unmap((char *)SHMBASE, 1);
    CHECK(region_look("12").mappings >= 1, "Z2: gone with its creator");
    gate_open(&gates[1], 1);
    WAIT_UNTIL(!door_count("zone"), "Z2: %s", region_table());
    CHECK_EQ(*zone(12, M_CREATE, 1), 0);
}

static int after_exec(void)
{
    door_must_be_empty("zone", "Z2: exec lets go");
    CHECK_EQ((unsigned long)zone(13, M_CREATE, 1), SHMBASE);
    return 0;
}

static void exec_self(CHECK_UNUSED void *arg)
{
    *zone(13, M_CREATE, 1) = 1;
    door_exec();
}

static void case_exec(void)
{
    MUST_EXIT(exec_self, NULL, 0);
    door_must_be_empty("zone", "Z2: exit lets go");
}

static long create_twenty(void)
{
    return zone_get(20, M_CREATE, 2);
}

/* Two threads create at once: one does. */
static void case_threads(void)
{
    for (int round = 0; round < 50; round++) {
        long zones[2];

        door_two_at_once(create_twenty, zones);
        CHECK((zones[0] == -EEXIST) + (zones[1] == -EEXIST) == 1, "Z1: %ld %ld", zones[0],
              zones[1]);
        CHECK_EQ(region_look("20").mappings, 1);
        unmap((char *)SHMBASE, 2);
        door_must_be_empty("zone", "Z2");
    }
}

static void storm(struct rng *rng)
{
    int id = (int)rng_below(rng, 4), size = 1 + (int)rng_below(rng, 8);
    long addr = zone_get(id, rng_below(rng, 2) ? M_CREATE : M_RDONLY, size);

    if (addr > 0)
        (void)*(volatile char *)addr;
    if (rng_below(rng, 3) == 0)
        unmap((char *)SHMBASE + rng_below(rng, 32) * PAGE, 1 + rng_below(rng, 32));
    if (rng_below(rng, 20) == 0 && fork() == 0)
        _exit(0);
}

static void case_kill(void)
{
    door_storm("zone", storm);
}

static void refused(CHECK_UNUSED void *arg)
{
    become_stranger();
    CHECK_EQ(zone_get(14, 0, 0), -EACCES);
    CHECK_EQ(zone_get(14, M_RDONLY, 1), -EACCES);
    CHECK_EQ(zone_get(14, M_WAIT, 0), -EACCES);
    CHECK_EQ(zone_get(14, M_CREATE, 1), -EEXIST);
    (void)zone(15, M_CREATE, 1);
}

static void case_other_user(void)
{
    pid_t stranger;
    char *beg;
    struct gate go = gate_make();

    stranger = fork(); /* before the zone is there to be inherited */
    if (stranger == 0) {
        gate_pass(&go);
        refused(NULL);
        _exit(0);
    }
    beg = zone(14, M_CREATE, 1);
    gate_open(&go, 1);
    CHILD_EXITS(stranger, 0);
    CHECK_EQ(region_look("14").mappings, 1);
    unmap(beg, 1);
    door_must_be_empty("zone", "A9");
}

static void case_cycles(void)
{
    for (int i = 0; i < 1000; i++) {
        char *beg = zone(i % ZONE_IDS, M_CREATE, 3);

        CHECK_EQ(beg[PAGE], 0);
        beg[PAGE] = 1;
        CHECK_EQ((unsigned long)beg, SHMBASE);
        unmap(beg, 3);
    }
    door_must_be_empty("zone", "Z2");
}

static void case_failing_allocations(void)
{
    static const long gets[][3] = {{30, M_CREATE, 20}, {30, M_RDONLY, 0}, {30, M_WAIT, 3}};

    for (unsigned i = 0; i < 3; i++)
        (void)door_failing("shmem", SHOAL_SYS_shmem, gets[i], NULL); /* A3 */
    CHECK_EQ(region_look("30").mappings, 3);
}

int main(int argc, char **argv)
{
    door_main(argc, argv, after_exec);
    RUN(case_errors);
    RUN(case_extents);
    RUN(case_read_only);
    RUN(case_wait);
    RUN(case_wait_ends);
    RUN(case_order_and_fork);
    RUN(case_sixteen);
    RUN(case_climbing);
    RUN(case_beside_others);
    RUN(case_pieces);
    RUN(case_creator_exits);
    RUN(case_exec);
    RUN(case_threads);
    RUN(case_kill);
    RUN(case_other_user);
    RUN(case_cycles);
    RUN(case_failing_allocations);
    return check_done();
}
