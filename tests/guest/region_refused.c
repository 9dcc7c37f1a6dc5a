/* A7, A3: a creation that is refused is not felt by anybody, not even for a moment. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "child.h"
#include "regions.h"

#define PAGE  4096ul
#define PAGES 64

/* Memory is promised in full or not at all. */
static void refused_for_memory(void *arg)
{
    (void)arg;
    struct sysinfo info;

    CHECK_OK(sysinfo(&info));
    for (;;)
        CHECK_ERR(createSharedRegion("too-big", info.totalram, RS_DEFAULT), ERR_NOMEM);
}

/* Nearly all that user memory may have, under a name that is taken. */
static void refused_for_name(void *arg)
{
    (void)arg;
    struct sysinfo info;

    CHECK_ERR(createSharedRegion("taken", PAGE, RS_DEFAULT), ERR_OK);
    for (;;) {
        CHECK_OK(sysinfo(&info));
        CHECK_ERR(
            createSharedRegion("taken", info.freeram - info.totalram / 32 - 16 * PAGE, RS_DEFAULT),
            ERR_EXIST);
    }
}

static void touch(void *arg)
{
    (void)arg;
    char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    for (unsigned i = 0; i < PAGES; i++)
        p[i * PAGE] = 1;
}

static void touch_beside(child_fn *fn)
{
    pid_t creator = child_start(fn, NULL);
    long end_ms = check_now_ms() + 700;

    while (check_now_ms() < end_ms)
        MUST_EXIT(touch, NULL, 0);
    child_kill(creator);
}

static void case_no_memory(void)
{
    touch_beside(refused_for_memory);
}

static void case_name_taken(void)
{
    touch_beside(refused_for_name);
}

int main(void)
{
    RUN(case_no_memory);
    RUN(case_name_taken);
    return check_done();
}
