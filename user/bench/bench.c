/* What the region calls and their neighbours cost.
 *
 * bench [NS_PER_INSTRUCTION [CONTEXTS]]
 *
 * Prints a table: each operation's cost in instructions, kernel and program together, when virtual
 * time counts instructions (tools/bench boots it so and says how many ns one is), else in ns.
 * CONTEXTS is the size of the large table; its pages are promised, never touched. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <shoal/region.h>

#define PAGE_BYTES     4096ul
#define PAGES          256u /* that a fault benchmark touches */
#define SMALL_TABLE    10u
#define LARGE_TABLE    100000u
#define TABLE_SAMPLES  100u
#define REGION         "bench"
#define EXEC_PATH      "/bin/bench"
#define EXEC_EXIT_WORD "exit"

static unsigned ns_per_unit = 1;
static uint64_t clock_ns; /* what reading the clock twice costs */

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "bench: line %d: %s\n", __LINE__, #condition);                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t since_ns(uint64_t beg_ns)
{
    return now_ns() - beg_ns - clock_ns;
}

static void report(const char *what, uint64_t total_ns, unsigned n)
{
    printf("%-52s %12llu\n", what, (unsigned long long)(total_ns / n / ns_per_unit));
}

static void report_at(const char *what, unsigned contexts, uint64_t total_ns, unsigned n)
{
    char line[80];

    snprintf(line, sizeof(line), "%s, %u other contexts", what, contexts);
    report(line, total_ns, n);
}

static uint64_t touch_pages(volatile char *beg)
{
    uint64_t beg_ns = now_ns();

    for (unsigned i = 0; i < PAGES; i++)
        beg[i * PAGE_BYTES] = 1;
    return since_ns(beg_ns);
}

/* ---- Calls */

static uint64_t getpid_calls(unsigned n)
{
    uint64_t beg_ns = now_ns();

    while (n--)
        (void)getpid();
    return since_ns(beg_ns);
}

static uint64_t create_destroy(unsigned n)
{
    uint64_t beg_ns = now_ns();

    while (n--) {
        MUST(createSharedRegion(REGION, PAGE_BYTES, RS_DEFAULT) == ERR_OK);
        MUST(destroySharedRegion(REGION) == ERR_OK);
    }
    return since_ns(beg_ns);
}

static uint64_t map_unmap(unsigned n)
{
    uint64_t beg_ns, ns;

    MUST(createSharedRegion(REGION, PAGE_BYTES, RS_DEFAULT) == ERR_OK);
    beg_ns = now_ns();
    while (n--) {
        void *beg;

        MUST(createMapping(REGION, &beg) == ERR_OK);
        MUST(destroyMapping(REGION, beg) == ERR_OK);
    }
    ns = since_ns(beg_ns);
    MUST(destroySharedRegion(REGION) == ERR_OK);
    return ns;
}

static uint64_t lock_unlock(unsigned n)
{
    uint64_t beg_ns, ns;
    void *beg;

    MUST(createSharedRegion(REGION, PAGE_BYTES, RS_DEFAULT) == ERR_OK);
    MUST(createMapping(REGION, &beg) == ERR_OK);
    beg_ns = now_ns();
    while (n--) {
        MUST(lockRegion(REGION) == ERR_OK);
        MUST(unlockRegion(REGION) == ERR_OK);
    }
    ns = since_ns(beg_ns);
    MUST(destroyMapping(REGION, beg) == ERR_OK);
    MUST(destroySharedRegion(REGION) == ERR_OK);
    return ns;
}

/* ---- Faults: n is PAGES */

static uint64_t region_faults(unsigned n)
{
    uint64_t ns;
    void *beg;

    MUST(createSharedRegion(REGION, n * PAGE_BYTES, RS_DEFAULT) == ERR_OK);
    MUST(createMapping(REGION, &beg) == ERR_OK);
    ns = touch_pages(beg);
    MUST(destroyMapping(REGION, beg) == ERR_OK);
    MUST(destroySharedRegion(REGION) == ERR_OK);
    return ns;
}

static char *anonymous_pages(unsigned n)
{
    void *beg =
        mmap(NULL, n * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(beg != MAP_FAILED);
    return beg;
}

static uint64_t anonymous_faults(unsigned n)
{
    char *beg = anonymous_pages(n);
    uint64_t ns = touch_pages(beg);

    MUST(munmap(beg, n * PAGE_BYTES) == 0);
    return ns;
}

/* The child does nothing but keep the pages shared while the parent writes to them. */
static uint64_t copy_faults(unsigned n)
{
    char *beg = anonymous_pages(n), byte;
    uint64_t ns;
    int end[2];
    pid_t pid;

    (void)touch_pages(beg);
    MUST(pipe(end) == 0);
    pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        close(end[1]);
        _exit((int)read(end[0], &byte, 1));
    }
    ns = touch_pages(beg);
    close(end[0]);
    close(end[1]);
    MUST(waitpid(pid, NULL, 0) == pid);
    MUST(munmap(beg, n * PAGE_BYTES) == 0);
    return ns;
}

/* ---- Processes */

static uint64_t fork_exit_wait(unsigned n)
{
    uint64_t beg_ns = now_ns();

    while (n--) {
        pid_t pid = fork();

        MUST(pid >= 0);
        if (pid == 0)
            _exit(0);
        MUST(waitpid(pid, NULL, 0) == pid);
    }
    return since_ns(beg_ns);
}

static uint64_t fork_exec_wait(unsigned n)
{
    uint64_t beg_ns = now_ns();

    while (n--) {
        pid_t pid = fork();
        int status;

        MUST(pid >= 0);
        if (pid == 0) {
            execl(EXEC_PATH, EXEC_PATH, EXEC_EXIT_WORD, (char *)NULL);
            _exit(127);
        }
        MUST(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return since_ns(beg_ns);
}

static uint64_t pipe_ping_pong(unsigned n)
{
    int there[2], back[2];
    char byte = 0;
    uint64_t beg_ns, ns;
    pid_t pid;

    MUST(pipe(there) == 0 && pipe(back) == 0);
    pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            MUST(write(back[1], &byte, 1) == 1);
        _exit(0);
    }
    beg_ns = now_ns();
    while (n--)
        MUST(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
    ns = since_ns(beg_ns);
    for (unsigned i = 0; i < 2; i++)
        close(there[i]), close(back[i]);
    MUST(waitpid(pid, NULL, 0) == pid);
    return ns;
}

/* ---- The table */

static const char *name_of(const char *kind, unsigned i)
{
    static char name[32];

    snprintf(name, sizeof(name), "%s%u", kind, i);
    return name;
}

static void table_fill(unsigned beg, unsigned end)
{
    for (unsigned i = beg; i < end; i++)
        MUST(createSharedRegion(name_of("fill", i), PAGE_BYTES, RS_DEFAULT) == ERR_OK);
}

static void table_empty(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        MUST(destroySharedRegion(name_of("fill", i)) == ERR_OK);
}

/* Adds what `call` on the i-th sample region costs to *ns, its name made outside. */
#define TIMED(ns, call)                                                                            \
    do {                                                                                           \
        const char *name = name_of("sample", i);                                                   \
        uint64_t beg_ns = now_ns();                                                                \
        MUST(call == ERR_OK);                                                                      \
        *(ns) += since_ns(beg_ns);                                                                 \
    } while (0)

static void table_calls(unsigned contexts)
{
    uint64_t create_ns = 0, map_ns = 0, unmap_ns = 0, destroy_ns = 0;
    static void *beg[TABLE_SAMPLES];

    for (unsigned i = 0; i < TABLE_SAMPLES; i++)
        TIMED(&create_ns, createSharedRegion(name, PAGE_BYTES, RS_DEFAULT));
    for (unsigned i = 0; i < TABLE_SAMPLES; i++)
        TIMED(&map_ns, createMapping(name, &beg[i]));
    for (unsigned i = 0; i < TABLE_SAMPLES; i++)
        TIMED(&unmap_ns, destroyMapping(name, beg[i]));
    for (unsigned i = 0; i < TABLE_SAMPLES; i++)
        TIMED(&destroy_ns, destroySharedRegion(name));
    report_at("createSharedRegion", contexts, create_ns, TABLE_SAMPLES);
    report_at("createMapping", contexts, map_ns, TABLE_SAMPLES);
    report_at("destroyMapping", contexts, unmap_ns, TABLE_SAMPLES);
    report_at("destroySharedRegion", contexts, destroy_ns, TABLE_SAMPLES);
}

/* Frames in use, promises not counted. */
static size_t memory_free_bytes(void)
{
    char text[512], *line;
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    MUST(n > 0);
    close(fd);
    text[n] = '\0';
    line = strstr(text, "MemFree:");
    MUST(line);
    return strtoul(line + strlen("MemFree:"), NULL, 10) * 1024;
}

static void table_benchmarks(unsigned large)
{
    size_t before;

    table_fill(0, SMALL_TABLE);
    table_calls(SMALL_TABLE);
    before = memory_free_bytes();
    table_fill(SMALL_TABLE, large);
    printf("%-52s %12zu\n", "kernel memory of an untouched region, bytes",
           (before - memory_free_bytes()) / (large - SMALL_TABLE));
    table_calls(large);
    table_empty(large);
}

static const struct {
    const char *name;
    uint64_t (*run)(unsigned n);
    unsigned n;
} benchmarks[] = {
    {"getpid", getpid_calls, 10000},
    {"createSharedRegion + destroySharedRegion", create_destroy, 1000},
    {"createMapping + destroyMapping, untouched", map_unmap, 1000},
    {"lockRegion + unlockRegion, uncontended", lock_unlock, 1000},
    {"first touch of a region's page", region_faults, PAGES},
    {"first touch of an anonymous page", anonymous_faults, PAGES},
    {"write to a copy-on-write page", copy_faults, PAGES},
    {"fork + exit + wait", fork_exit_wait, 100},
    {"fork + exec + exit + wait", fork_exec_wait, 50},
    {"one byte through a pipe and one back", pipe_ping_pong, 1000},
};

int main(int argc, char **argv)
{
    unsigned large = argc > 2 ? (unsigned)atoi(argv[2]) : LARGE_TABLE;
    uint64_t beg_ns;

    if (argc > 1 && strcmp(argv[1], EXEC_EXIT_WORD) == 0)
        _exit(0);
    if (argc > 1)
        ns_per_unit = (unsigned)atoi(argv[1]);
    MUST(ns_per_unit > 0 && large > SMALL_TABLE);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    beg_ns = now_ns();
    clock_ns = now_ns() - beg_ns;
    printf("%-52s %12s\n", "operation", argc > 1 ? "instructions" : "ns");
    for (size_t i = 0; i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
        (void)benchmarks[i].run(benchmarks[i].n); /* the allocators have what they need by then */
        report(benchmarks[i].name, benchmarks[i].run(benchmarks[i].n), benchmarks[i].n);
    }
    table_benchmarks(large);
    return 0;
}
