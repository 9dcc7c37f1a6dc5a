/* A9: a second user at the native calls.  A7: what a user may have at once; the machine is started
 * with shm.contexts=4 shm.pages=32. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE  4096ul
#define OTHER 1000

static void become(uid_t uid, gid_t gid)
{
    CHECK_OK(setresgid(gid, gid, gid));
    CHECK_OK(setresuid(uid, uid, uid));
}

/* What a user without any right gets. */
static void stranger(void *arg)
{
    struct region_map read_only = {.flags = RM_RDONLY}, private = {.flags = RM_PRIVATE};
    struct region_stat st;
    void *beg = (void *)1;

    (void)arg;
    become(OTHER, OTHER);
    CHECK_ERR(createMapping("mine", &beg), ERR_ACCESS);
    CHECK_ERR(createMappingWith("mine", &beg, &read_only), ERR_ACCESS);
    CHECK_ERR(createMappingWith("mine", &beg, &private), ERR_ACCESS);
    CHECK(beg == (void *)1, "A3: a refused mapping gave an address");
    CHECK_ERR(statRegion("mine", &st), ERR_ACCESS);
    CHECK_ERR(chmodRegion("mine", 0666), ERR_ACCESS);
    CHECK_ERR(destroySharedRegion("mine"), ERR_ACCESS);
    CHECK_ERR(destroySharedRegionWith("mine", RS_UNLINK, NULL), ERR_ACCESS);
    CHECK_ERR(destroySharedRegionWith("mine", RS_NOWAIT, NULL), ERR_ACCESS);
    CHECK_ERR(lockRegion("mine"), ERR_NOTEXIST); /* R9: has it not mapped */
    CHECK_ERR(createSharedRegion("mine", PAGE, RS_DEFAULT), ERR_EXIST);
}

static void case_stranger(void)
{
    char *p = region_new("mine", PAGE);

    *p = 7;
    region_unmap("mine", p); /* so that the child does not inherit it */
    MUST_EXIT(stranger, NULL, 0);
    p = region_map("mine");
    CHECK_EQ(*p, 7);
    CHECK_EQ(region_look("mine").mappings, 1);
}

/* May read, not write: no way to widen leads around it. */
static void reader(void *arg)
{
    struct region_map read_only = {.flags = RM_RDONLY}, private = {.flags = RM_PRIVATE};
    struct region_stat st;
    void *beg;
    char *p;

    become(OTHER, (gid_t)(long)arg);
    CHECK_ERR(statRegion("read", &st), ERR_OK);
    CHECK_ERR(createMapping("read", &beg), ERR_ACCESS);
    CHECK_ERR(createMappingWith("read", &beg, &read_only), ERR_OK);
    p = beg;
    CHECK_EQ(*p, 'r');
    CHECK_EQ(probe_write(p), SIGSEGV);
    CHECK_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_EQ(probe_write(p), SIGSEGV);
    CHECK_ERR(createMappingWith("read", &beg, &private), ERR_OK);
    p = beg;
    *p = 'x'; /* its own copy */
    CHECK_ERR(chmodRegion("read", 0666), ERR_ACCESS);
    CHECK_ERR(destroySharedRegionWith("read", RS_UNLINK, NULL), ERR_ACCESS);
}

static void case_reader(void)
{
    char *p = region_new("read", PAGE);

    *p = 'r';
    CHECK_ERR(chmodRegion("read", 0604), ERR_OK);
    MUST_EXIT(reader, (void *)OTHER, 0);
    CHECK_EQ(*p, 'r');
}

static void writer(void *arg)
{
    become(OTHER, (gid_t)(long)arg);
    *(char *)region_map("write") = 'w';
    CHECK_ERR(lockRegion("write"), ERR_OK);
    CHECK_ERR(unlockRegion("write"), ERR_OK);
}

static void forbidden(void *arg)
{
    void *beg;

    become(OTHER, (gid_t)(long)arg);
    CHECK_ERR(createMapping("write", &beg), ERR_ACCESS);
}

/* Class by class, as files do it: a member of the group is judged by the group's bits only. */
static void case_classes(void)
{
    char *p = region_new("write", PAGE);

    CHECK_ERR(chmodRegion("write", 0606), ERR_OK);
    MUST_EXIT(writer, (void *)OTHER, 0);
    CHECK_EQ(*p, 'w');
    MUST_EXIT(forbidden, (void *)0, 0);
    CHECK_ERR(chmodRegion("write", 0660), ERR_OK);
    MUST_EXIT(forbidden, (void *)OTHER, 0);
    MUST_EXIT(writer, (void *)0, 0);
    CHECK_ERR(chmodRegion("write", 0), ERR_OK);
    *(char *)region_map("write") = 1; /* root may do all */
}

/* A mapping that is there outlives the right to make it. */
static void keeper(void *arg)
{
    struct gate *g = arg;
    void *beg;
    char *p;

    become(OTHER, OTHER);
    p = region_map("kept");
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
    CHECK_EQ(probe_write(p), 0);
    CHECK_ERR(createMapping("kept", &beg), ERR_ACCESS);
}

static void case_right_taken(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    pid_t pid;

    region_new("kept", PAGE);
    CHECK_ERR(chmodRegion("kept", 0606), ERR_OK);
    pid = child_start(keeper, g);
    gate_pass(&g[0]);
    CHECK_ERR(chmodRegion("kept", 0600), ERR_OK);
    gate_open(&g[1], 1);
    CHILD_EXITS(pid, 0);
}

static void limited(void *arg)
{
    static const char *const names[] = {"l1", "l2", "l3", "l4", "l5"};
    void *beg;

    (void)arg;
    become(OTHER, OTHER);
    CHECK_ERR(createSharedRegion("huge", 33 * PAGE, RS_DEFAULT), ERR_NOMEM);
    CHECK_ERR(createSharedRegion("huge", 32 * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createSharedRegion("more", 1, RS_DEFAULT), ERR_NOMEM);
    CHECK_ERR(destroySharedRegion("huge"), ERR_OK);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 4; i++)
            CHECK_ERR(createSharedRegion(names[i], PAGE, RS_DEFAULT), ERR_OK);
        CHECK_ERR(createSharedRegion(names[4], PAGE, RS_DEFAULT), ERR_NOMEM);
        CHECK_ERR(createMapping(names[4], &beg), ERR_NOTEXIST); /* A3 */
        for (unsigned i = 0; i < 4; i++)
            CHECK_ERR(destroySharedRegion(names[i]), ERR_OK);
    }
    CHECK_ERR(createSharedRegion(names[0], PAGE, RS_DEFAULT), ERR_OK);
}

/* A7: each user by himself, root without limit; what goes is given back. */
static void case_limits(void)
{
    char name[16];

    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "root%u", i);
        CHECK_ERR(createSharedRegion(name, 8 * PAGE, RS_DEFAULT), ERR_OK);
    }
    MUST_EXIT(limited, NULL, 0);
    MUST_EXIT(limited, NULL, 0); /* exit gave all of it back */
}

int main(void)
{
    RUN(case_stranger);
    RUN(case_reader);
    RUN(case_classes);
    RUN(case_right_taken);
    RUN(case_limits);
    return check_done();
}
