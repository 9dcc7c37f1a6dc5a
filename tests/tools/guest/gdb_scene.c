/* Something for gdb to look at: a region that is mapped four times by three processes, its lock
 * held by one, waited for by the other and tried for ever by a third.  Says "scene ready" when the
 * scene is set, and then lasts until the machine is stopped. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shoal/region.h>

#define REGION     "gdb-scene"
#define PAGE_BYTES 4096

static void must(const char *what, bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "gdb_scene: %s\n", what);
    exit(1);
}

static void start(void (*child)(void))
{
    pid_t pid = fork();

    must("fork", pid >= 0);
    if (pid == 0)
        child();
}

static void lock_waiter(void)
{
    lockRegion(REGION);
    _exit(1);
}

/* Without a pause in between, so that the kernel is often found in the middle of it. */
static void lock_trier(void)
{
    for (;;)
        tryLockRegion(REGION);
}

/* The last word of the region's line in /proc/regions is the count of waiters. */
static bool waiter_sleeps(void)
{
    char text[4096], *line;
    int fd = open("/proc/regions", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    close(fd);
    must("/proc/regions", n > 0);
    text[n] = '\0';
    line = strstr(text, REGION);
    must("the region's line", line);
    line[strcspn(line, "\n")] = '\0';
    return strcmp(strrchr(line, ' '), " 1") == 0;
}

int main(void)
{
    void *beg[2];

    must("create", createSharedRegion(REGION, 3 * PAGE_BYTES, RS_DEFAULT) == ERR_OK);
    must("map", createMapping(REGION, &beg[0]) == ERR_OK);
    *(volatile char *)beg[0] = 1;
    must("lock", lockRegion(REGION) == ERR_OK);
    start(lock_waiter);
    start(lock_trier);
    must("map again", createMapping(REGION, &beg[1]) == ERR_OK);
    ((volatile char *)beg[1])[2 * PAGE_BYTES] = 1;
    while (!waiter_sleeps())
        usleep(1000);
    puts("scene ready");
    fflush(stdout);
    for (;;)
        sleep(1000);
}
