/* A3, A4: a thousand lives of a region cost no frame.  /proc/meminfo counts the free frames before
 * and after; a few lives go before, for what the kernel keeps for the next one. */
#include "child.h"
#include "regions.h"

#define PAGE  4096ul
#define WARM  50u
#define LIVES 1000u

static unsigned long free_frames(void)
{
    char text[1024];
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    const char *at;

    CHECK(n > 0, "/proc/meminfo: %s", strerror(errno));
    close(fd);
    text[n] = '\0';
    at = strstr(text, "MemFree:");
    CHECK(at != NULL, "no MemFree in /proc/meminfo");
    return strtoul(at + strlen("MemFree:"), NULL, 10) / (PAGE / 1024);
}

/* Runs one life again and again; the frames that are free must not get fewer.  They may be more:
 * a process's last frames, its kernel stack's, are free a moment after its parent has waited. */
static void lives(void (*one)(unsigned))
{
    unsigned long before;

    for (unsigned i = 0; i < WARM; i++)
        one(i);
    WAIT_UNTIL(free_frames() > 0, "nothing is free"); /* what the question itself takes */
    before = free_frames();
    for (unsigned i = 0; i < LIVES; i++)
        one(i);
    WAIT_UNTIL(free_frames() >= before, "A4: %lu frames were free, now %lu", before, free_frames());
}

static void touch(volatile unsigned *p, unsigned i)
{
    CHECK_EQ(p[5], 0);
    for (unsigned page = 0; page <= i % 4; page++)
        p[page * PAGE / sizeof(*p)] = i + 1;
    p[5] = i;
}

static void created_and_destroyed(unsigned i)
{
    void *p = region_new("life", (1 + i % 4) * PAGE);

    touch(p, i);
    region_unmap("life", p);
    CHECK_ERR(destroySharedRegion("life"), ERR_OK);
}

static void case_1000_cycles(void)
{
    lives(created_and_destroyed);
}

static void create_and_exit(void *arg)
{
    unsigned i = (unsigned)(long)arg;

    touch(region_new("life", (1 + i % 4) * PAGE), i);
}

static void ended_by_exit(unsigned i)
{
    int status;
    pid_t pid = child_start(create_and_exit, (void *)(long)i);

    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void case_1000_exits(void)
{
    lives(ended_by_exit);
    region_must_be_gone("life", "R4");
}

int main(void)
{
    RUN(case_1000_cycles);
    RUN(case_1000_exits);
    return check_done();
}
