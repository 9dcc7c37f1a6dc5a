/* Every way into a region at once: three processes with three threads each open, link, unlink,
 * truncate, map, mremap, lock, destroy, list and fork at random, over a few names.
 *
 * No single answer is checked: with nine threads at work nearly every answer is right.  What must
 * hold is that everybody ends, and that nothing is left: no region, no mapping, no page promised.
 * Arguments: the seed, and the steps of each thread. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "child.h"
#include "regions.h"
#include "threads.h"

#define PAGE      4096ul
#define PROCESSES 3u
#define THREADS   3u
#define NAMES     3u /* that files are made with; link makes as many again */
#define MAPS      4u
#define MAX_PAGES 600u /* all maps of all threads full, and all files: 98 MB */
#define RW        (PROT_READ | PROT_WRITE)

/* What one thread has. */
struct storm {
    struct rng rng;
    char made[16], any[16]; /* the names of this step */
    struct {
        char *beg; /* NULL: nothing mapped here */
        size_t bytes;
    } maps[MAPS];
};

static uint64_t seed = 20240229;
static unsigned steps_each = 500;

static size_t some_bytes(struct storm *s)
{
    return PAGE * (1 + rng_below(&s->rng, MAX_PAGES));
}

static unsigned some_map(struct storm *s)
{
    return (unsigned)rng_below(&s->rng, MAPS);
}

static void keep_map(struct storm *s, unsigned k, void *p, size_t bytes)
{
    s->maps[k].beg = p == MAP_FAILED ? NULL : p;
    s->maps[k].bytes = bytes;
}

static void file_path(char *path, size_t size, const char *name)
{
    snprintf(path, size, "/dev/shm/%s", name);
}

static void do_file(struct storm *s)
{
    unsigned k = some_map(s);
    char path[32];
    int fd;

    file_path(path, sizeof(path), s->made);
    fd = open(path, O_CREAT | O_RDWR, 0600);
    if (fd < 0)
        return;
    (void)!ftruncate(fd, (off_t)(PAGE * rng_below(&s->rng, MAX_PAGES)));
    if (!s->maps[k].beg) {
        size_t bytes = some_bytes(s);

        keep_map(s, k, mmap(NULL, bytes, RW, MAP_SHARED, fd, 0), bytes);
    }
    close(fd);
}

static void do_private(struct storm *s)
{
    int populate = rng_below(&s->rng, 2) ? MAP_POPULATE : 0;
    size_t bytes = some_bytes(s);
    unsigned k = some_map(s);

    if (!s->maps[k].beg)
        keep_map(s, k, mmap(NULL, bytes, RW, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0), bytes);
}

static void do_link(struct storm *s)
{
    char from[32], to[32];

    file_path(from, sizeof(from), s->made);
    file_path(to, sizeof(to), s->any);
    (void)link(from, to);
}

static void do_unlink(struct storm *s)
{
    char path[32];

    file_path(path, sizeof(path), s->any);
    (void)unlink(path);
}

static void do_destroy(struct storm *s)
{
    (void)destroySharedRegionWith(s->any, rng_below(&s->rng, 2) ? RS_UNLINK : RS_NOWAIT, NULL);
}

static void do_map(struct storm *s)
{
    void *p;

    if (createMapping(s->any, &p) == ERR_OK)
        (void)destroyMapping(s->any, p);
}

static void do_mremap(struct storm *s)
{
    size_t bytes = some_bytes(s);
    unsigned k = some_map(s);
    void *p;

    if (!s->maps[k].beg)
        return;
    p = mremap(s->maps[k].beg, s->maps[k].bytes, bytes, MREMAP_MAYMOVE);
    if (p != MAP_FAILED)
        keep_map(s, k, p, bytes);
}

static void do_unmap(struct storm *s)
{
    unsigned k = some_map(s);

    if (s->maps[k].beg)
        CHECK_OK(munmap(s->maps[k].beg, s->maps[k].bytes));
    s->maps[k].beg = NULL;
}

/* The kernel touches: a page beyond the end of its file is -EFAULT then, not SIGBUS. */
static void do_touch(struct storm *s)
{
    int fd = open("/dev/zero", O_RDONLY);
    unsigned k = some_map(s);

    CHECK_OK(fd);
    if (s->maps[k].beg)
        (void)!read(fd, s->maps[k].beg + rng_below(&s->rng, s->maps[k].bytes), 1);
    close(fd);
}

static void do_fork(struct storm *s)
{
    pid_t pid = fork();

    (void)s;
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        CHILD_EXITS(pid, 0);
}

/* The name may have come to mean another region since it was mapped. */
static void do_lock(struct storm *s)
{
    struct timespec a_while = {.tv_nsec = 1000000};
    void *p;

    if (createMapping(s->made, &p) != ERR_OK)
        return;
    if (lockRegionTimed(s->any, &a_while) == ERR_OK && rng_below(&s->rng, 2))
        (void)unlockRegion(s->any);
    (void)destroyMapping(s->made, p);
}

static void do_list(struct storm *s)
{
    DIR *d = opendir("/dev/shm");

    (void)s;
    CHECK(d != NULL, "opendir: %s", strerror(errno));
    while (readdir(d) != NULL)
        ;
    closedir(d);
}

static void *storm_thread(void *arg)
{
    static void (*const steps[])(struct storm *) = {
        do_file,  do_link,  do_unlink,  do_destroy, do_map,  do_mremap, do_mremap,
        do_unmap, do_touch, do_private, do_fork,    do_lock, do_list,
    };
    struct storm s = {.rng = {seed + (uintptr_t)arg * 0x9e3779b97f4a7c15ull}};

    if (s.rng.state == 0)
        s.rng.state = 1;
    for (unsigned i = 0; i < steps_each; i++) {
        snprintf(s.made, sizeof(s.made), "s%lu", rng_below(&s.rng, NAMES));
        snprintf(s.any, sizeof(s.any), "s%lu", rng_below(&s.rng, 2 * NAMES));
        steps[rng_below(&s.rng, sizeof(steps) / sizeof(steps[0]))](&s);
    }
    return NULL;
}

static void storm_process(void *arg)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = thread_new(storm_thread, (void *)((uintptr_t)arg * THREADS + i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        thread_end(threads[i]);
}

static void case_storm(void)
{
    pid_t pids[PROCESSES];

    for (uintptr_t i = 0; i < PROCESSES; i++)
        pids[i] = child_start(storm_process, (void *)i);
    for (unsigned i = 0; i < PROCESSES; i++)
        CHILD_EXITS(pids[i], 0);
    for (unsigned i = 0; i < 2 * NAMES; i++) {
        char name[16], path[32];

        snprintf(name, sizeof(name), "s%u", i);
        CHECK(region_look(name).mappings == 0, "A4: %s is still mapped:\n%s", name, region_table());
        file_path(path, sizeof(path), name);
        (void)unlink(path);
        region_must_be_gone(name, "A4");
    }
    CHECK(strchr(region_table(), '\n')[1] == '\0', "left in the table:\n%s", region_table());
}

int main(int argc, char **argv)
{
    seed = rng_from_args(argc, argv).state;
    if (argc > 2)
        steps_each = (unsigned)strtoul(argv[2], NULL, 0);
    dprintf(STDOUT_FILENO, "     seed %llu, %u steps a thread\n", (unsigned long long)seed,
            steps_each);
    RUN(case_storm);
    return check_done();
}
