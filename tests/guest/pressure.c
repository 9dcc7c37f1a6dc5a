/* Memory of every kind is taken until there is none, by several at once, and given back by kill -9;
 * round after round as much is free as before, and a bystander that needs nothing goes on.
 * Arguments: the seed, and how many rounds. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/stat.h>

#include "child.h"
#include "regions.h"

#define PAGE    4096ul
#define TAKERS  6
#define KEPT_KB 1024 /* that caches may keep of what was in use at the worst moment */

static struct rng rng;
static unsigned rounds = 3;
static volatile unsigned *taken; /* steps that found memory, by all */
static volatile unsigned *begun; /* the takers may take */

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

static bool take_private(void)
{
    char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return p != MAP_FAILED;
}

static bool take_region(void)
{
    static unsigned n;
    char name[32];
    void *beg;

    snprintf(name, sizeof(name), "take-%d-%u", (int)getpid(), n++);
    if (createSharedRegion(name, 32 * PAGE, RS_DEFAULT) != ERR_OK)
        return false;
    if (createMapping(name, &beg) == ERR_OK)
        memset(beg, 1, 32 * PAGE); /* A7: promised */
    return true;
}

static bool take_file(void)
{
    static const char text[16 * 1024];
    int fd = memfd_create("take", 0);

    return fd >= 0 && write(fd, text, sizeof(text)) > 0;
}

static bool take_pipe(void)
{
    static const char text[8192];
    int fd[2];

    return pipe2(fd, O_NONBLOCK) == 0 && write(fd[1], text, sizeof(text)) > 0;
}

static bool take_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    return pid > 0;
}

/* A page far from all others needs page tables of its own. */
static bool take_tables(void)
{
    static unsigned long n;
    uintptr_t at = 0x200000000000ul + n++ * (1ul << 30);

    return mmap((void *)at, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) != MAP_FAILED;
}

/* For ever; a touch that finds no memory ends it with SIGBUS. */
static void taker(void *arg)
{
    static bool (*const ways[])(void) = {take_private, take_private, take_region, take_file,
                                         take_pipe,    take_process, take_tables};
    struct rng mine = {(uint64_t)(uintptr_t)arg | 1};

    setpgid(0, 0);
    while (!*begun)
        check_sleep_ms(1);
    for (;;)
        if (ways[rng_below(&mine, sizeof(ways) / sizeof(ways[0]))]())
            __atomic_fetch_add(taken, 1, __ATOMIC_RELAXED);
        else
            check_sleep_ms(1);
}

static void bystander(void *arg)
{
    volatile unsigned *turns = arg;

    child_settle();
    for (;;) {
        ++*turns;
        check_sleep_ms(1);
    }
}

/* Until nobody finds any more for a while. */
static void wait_until_full(long limit_kb)
{
    unsigned before;

    WAIT_UNTIL(free_kb() < limit_kb, "%ld kB are still free", free_kb());
    do {
        before = *taken;
        check_sleep_ms(30);
    } while (*taken - before > 50);
}

static void round_run(long limit_kb)
{
    pid_t pids[TAKERS];

    *begun = 0;
    for (unsigned i = 0; i < TAKERS; i++)
        pids[i] = child_start(taker, (void *)(uintptr_t)rng_next(&rng));
    /* After a fork the next write to a page needs a copy, for which there will be no memory. */
    child_settle();
    (void)free_kb();
    *begun = 1;
    wait_until_full(limit_kb);
    for (unsigned i = 0; i < TAKERS; i++) {
        kill(-pids[i], SIGKILL); /* what it has forked too */
        kill(pids[i], SIGKILL);
        CHECK(child_any_end(pids[i], CHECK_LIMIT_MS / 3) != -1, "A4: a taker does not end");
    }
}

static void case_full_and_back(void)
{
    volatile unsigned *shared =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t other;
    long before;

    CHECK(shared != MAP_FAILED, "mmap");
    taken = shared;
    begun = shared + 32;
    other = child_start(bystander, (void *)(shared + 64));
    WAIT_UNTIL(shared[64] > 0, "the bystander does not start");
    before = free_kb();
    for (unsigned i = 0; i < rounds; i++) {
        unsigned turns;

        round_run(before / 10);
        WAIT_UNTIL(free_kb() >= before - KEPT_KB, "round %u: %ld kB were free, %ld are", i, before,
                   free_kb());
        turns = shared[64];
        WAIT_UNTIL(shared[64] > turns, "the bystander stopped");
    }
    child_kill(other);
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    if (argc > 2)
        rounds = (unsigned)atoi(argv[2]);
    RUN(case_full_and_back);
    return check_done();
}
