/* P1: several names of one region, and whoever looks for one of them meanwhile. */
#define _GNU_SOURCE

#include <sys/syscall.h>

#include "child.h"
#include "shmfile.h"

static void wait_for_name(void *arg)
{
    struct region_map how = {.flags = RM_WAIT, .timeout_s = -1};
    void *p;

    (void)arg;
    CHECK_ERR(createMappingWith("second", &p, &how), ERR_OK);
}

/* R7: a name comes to exist by link(2) too. */
static void case_waiter_hears_of_a_link(void)
{
    pid_t waiter;

    close(shm_new("first", PAGE));
    waiter = child_start(wait_for_name, NULL);
    check_sleep_ms(20); /* most often it sleeps by now */
    CHECK_OK(link("/dev/shm/first", "/dev/shm/second"));
    CHILD_EXITS(waiter, 0);
    CHECK_OK(shm_unlink("first"));
    CHECK_OK(shm_unlink("second"));
}

struct entry {
    unsigned long ino;
    long next;
    unsigned short bytes;
    unsigned char type;
    char name[];
};

/* As rm -r does it, with room for one entry a call: each name is seen though others go. */
static void case_names_go_while_they_are_read(void)
{
    _Alignas(8) char buf[40];
    unsigned removed = 0;
    int dir = open("/dev/shm", O_RDONLY | O_DIRECTORY);

    CHECK(dir >= 0, "/dev/shm: %s", strerror(errno));
    close(shm_new("n0", PAGE));
    CHECK_OK(link("/dev/shm/n0", "/dev/shm/n1"));
    CHECK_OK(link("/dev/shm/n0", "/dev/shm/n2"));
    CHECK_OK(link("/dev/shm/n0", "/dev/shm/n3"));
    while (syscall(SYS_getdents64, dir, buf, sizeof(buf)) > 0) {
        const struct entry *e = (const void *)buf;

        if (e->name[0] != 'n')
            continue;
        CHECK_OK(unlinkat(dir, e->name, 0));
        removed++;
    }
    CHECK_EQ(removed, 4);
    close(dir);
}

/* The places of names that have gone can be taken again. */
static void case_places_are_used_again(void)
{
    char name[32];

    close(shm_new("base", PAGE));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 15; i++) {
            snprintf(name, sizeof(name), "/dev/shm/link%d", i);
            CHECK_OK(link("/dev/shm/base", name));
        }
        CHECK_ERRNO(link("/dev/shm/base", "/dev/shm/more"), EMLINK);
        for (int i = 14; i >= 0; i--) {
            snprintf(name, sizeof(name), "/dev/shm/link%d", i);
            CHECK_OK(unlink(name));
        }
    }
    CHECK_OK(shm_unlink("base"));
}

/* R9: what lost the name it was made with while it was locked is unlocked by it, though a link is
 * left; whether there is a new region of that name or not, mapped or not. */
static void unlock_by_lost_name(bool new, bool mapped)
{
    void *old, *p;

    CHECK_ERR(createSharedRegion("a", PAGE, RS_PERSIST), ERR_OK);
    CHECK_ERR(createMapping("a", &old), ERR_OK);
    CHECK_OK(link("/dev/shm/a", "/dev/shm/b"));
    CHECK_ERR(lockRegion("a"), ERR_OK);
    CHECK_ERR(destroySharedRegionWith("a", RS_UNLINK, NULL), ERR_OK);
    if (new)
        CHECK_ERR(createSharedRegion("a", PAGE, RS_PERSIST), ERR_OK);
    if (mapped)
        CHECK_ERR(createMapping("a", &p), ERR_OK);
    CHECK_ERR(unlockRegion("a"), ERR_OK);
    CHECK_ERR(unlockRegion("a"), mapped ? ERR_INVAL : ERR_NOTEXIST);
    if (mapped) { /* the one that has the name now comes first */
        CHECK_ERR(lockRegion("b"), ERR_OK);
        CHECK_ERR(lockRegion("a"), ERR_OK);
        CHECK_ERR(unlockRegion("a"), ERR_OK);
        CHECK_ERR(tryLockRegion("a"), ERR_OK);
        CHECK_ERR(unlockRegion("b"), ERR_OK);
        CHECK_ERR(destroyMapping("a", p), ERR_OK);
    }
    CHECK_ERR(tryLockRegion("b"), ERR_OK);
    CHECK_ERR(unlockRegion("b"), ERR_OK);
    CHECK_ERR(destroyMapping("b", old), ERR_OK);
    CHECK_ERR(destroySharedRegion("b"), ERR_OK);
    if (new)
        CHECK_ERR(destroySharedRegion("a"), ERR_OK);
}

static void case_unlock_by_lost_name(void)
{
    unlock_by_lost_name(false, false);
    unlock_by_lost_name(true, false);
    unlock_by_lost_name(true, true);
}

static int64_t ctime_ns(const char *path)
{
    struct stat st;

    CHECK_OK(stat(path, &st));
    return st.st_ctim.tv_sec * 1000000000ll + st.st_ctim.tv_nsec;
}

/* A file changes when it gets a name and when it loses one (link(3p), unlink(3p)). */
static void case_links_are_changes(void)
{
    int64_t made, linked;

    CHECK_ERR(createSharedRegion("a", PAGE, RS_PERSIST), ERR_OK);
    made = ctime_ns("/dev/shm/a");
    check_sleep_ms(1);
    CHECK_OK(link("/dev/shm/a", "/dev/shm/b"));
    linked = ctime_ns("/dev/shm/b");
    CHECK(linked > made, "%lld after %lld", (long long)linked, (long long)made);
    check_sleep_ms(1);
    CHECK_OK(unlink("/dev/shm/a"));
    CHECK(ctime_ns("/dev/shm/b") > linked, "unlink left it at %lld", (long long)linked);
    CHECK_OK(unlink("/dev/shm/b"));
}

int main(void)
{
    RUN(case_waiter_hears_of_a_link);
    RUN(case_names_go_while_they_are_read);
    RUN(case_places_are_used_again);
    RUN(case_unlock_by_lost_name);
    RUN(case_links_are_changes);
    return check_done();
}
