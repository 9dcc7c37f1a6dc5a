/* The ...With and ...Timed forms (R6, R7, R9), statRegion and chmodRegion (A9, A10). */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"
#include "probe.h"
#include "regions.h"

#define PAGE 4096ul

static struct region_stat stat_of(const char *name)
{
    struct region_stat st;

    memset(&st, 0xee, sizeof(st));
    CHECK_ERR(statRegion(name, &st), ERR_OK);
    return st;
}

static void *map_with(const char *name, struct region_map how)
{
    void *beg = NULL;

    CHECK_ERR(createMappingWith(name, &beg, &how), ERR_OK);
    return beg;
}

#define MUST_REFUSE(name, err, ...)                                                                \
    do {                                                                                           \
        void *refused = (void *)1;                                                                 \
        struct region_map how_not = {__VA_ARGS__};                                                 \
        CHECK_ERR(createMappingWith(name, &refused, &how_not), err);                               \
        CHECK(refused == (void *)1, "A3: a refused mapping gave an address");                      \
    } while (0)

static void case_read_only(void)
{
    char *w = region_new("ro", PAGE);
    char *r = map_with("ro", (struct region_map){.flags = RM_RDONLY});

    *w = 5;
    CHECK_EQ(*r, 5);
    CHECK_EQ(probe_write(r), SIGSEGV); /* R7, A6 */
    *w = 6;
    CHECK_EQ(*r, 6);
    CHECK_OK(mprotect(r, PAGE, PROT_READ | PROT_WRITE)); /* A9: the owner may widen */
    CHECK_EQ(probe_write(r), 0);
    CHECK_EQ(stat_of("ro").mappings, 2);
}

static void private_child(void *arg)
{
    char *p = arg;

    CHECK_EQ(p[0], 'p');
    p[0] = 'c';
}

static void case_private(void)
{
    char *s = region_new("priv", 2 * PAGE), *p;

    s[0] = 's';
    p = map_with("priv", (struct region_map){.flags = RM_PRIVATE});
    CHECK_EQ(p[0], 's');
    p[0] = 'p';
    CHECK_EQ(s[0], 's'); /* R7: what is written stays here */
    s[1] = 'x';
    CHECK_EQ(p[1], 0);
    s[PAGE] = 'y';
    CHECK_EQ(p[PAGE], 'y'); /* not yet copied: the region's */
    MUST_EXIT(private_child, p, 0);
    CHECK_EQ(p[0], 'p'); /* A5 */
}

static void case_part(void)
{
    char *all = region_new("part", 4 * PAGE), *part;

    for (unsigned i = 0; i < 4; i++)
        all[i * PAGE] = (char)(10 + i);
    part = map_with("part", (struct region_map){.offset_bytes = PAGE, .length_bytes = 2 * PAGE});
    CHECK_EQ(part[0], 11);
    CHECK_EQ(part[PAGE], 12);
    part = map_with("part", (struct region_map){.offset_bytes = 3 * PAGE});
    CHECK_EQ(part[0], 13);
    CHECK_EQ(stat_of("part").mappings, 3);
    MUST_REFUSE("part", ERR_INVAL, .offset_bytes = 1);
    MUST_REFUSE("part", ERR_INVAL, .offset_bytes = 4 * PAGE);
    MUST_REFUSE("part", ERR_INVAL, .length_bytes = 4 * PAGE + 1);
    MUST_REFUSE("part", ERR_INVAL, .offset_bytes = PAGE, .length_bytes = ~0ul);
    MUST_REFUSE("part", ERR_INVAL, .flags = 64);
    MUST_REFUSE("part", ERR_INVAL, .reserved = 1);
    MUST_REFUSE("part", ERR_INVAL, .timeout_ns = 1000000000);
    MUST_REFUSE("nowhere", ERR_NOTEXIST, .flags = 0);
    CHECK_ERR(createMappingWith("part", (void **)8, &(struct region_map){0}), ERR_FAULT);
    CHECK_ERR(createMappingWith("part", (void **)&part, (struct region_map *)8), ERR_FAULT);
    CHECK_EQ(stat_of("part").mappings, 3); /* A3 */
    region_unmap("part", part);
    CHECK_EQ(stat_of("part").mappings, 2);
}

static void case_fixed(void)
{
    char *room = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *p;

    CHECK(room != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_ERR(createSharedRegion("fixed", 2 * PAGE, RS_DEFAULT), ERR_OK);
    MUST_REFUSE("fixed", ERR_EXIST, .flags = RM_FIXED, .addr = (uintptr_t)room + PAGE); /* R7 */
    CHECK_OK(munmap(room + 4 * PAGE, 2 * PAGE));
    MUST_REFUSE("fixed", ERR_EXIST, .flags = RM_FIXED, .addr = (uintptr_t)room + 5 * PAGE);
    MUST_REFUSE("fixed", ERR_EXIST, .flags = RM_FIXED, .addr = (uintptr_t)room + 3 * PAGE);
    p = map_with("fixed",
                 (struct region_map){.flags = RM_FIXED, .addr = (uintptr_t)room + 4 * PAGE});
    CHECK(p == room + 4 * PAGE, "R7: at %p", (void *)p);
    p[2 * PAGE - 1] = 1;
    CHECK_EQ(probe_read(p - 1), SIGSEGV);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    MUST_REFUSE("fixed", ERR_EXIST, .flags = RM_FIXED, .addr = (uintptr_t)p);
    CHECK_EQ(stat_of("fixed").mappings, 1);
}

static void case_populate(void)
{
    char *p;

    CHECK_ERR(createSharedRegion("now", 5 * PAGE, RS_DEFAULT), ERR_OK);
    CHECK_EQ(stat_of("now").resident_bytes, 0);
    p = map_with("now", (struct region_map){
                            .flags = RM_POPULATE, .offset_bytes = PAGE, .length_bytes = 3 * PAGE});
    CHECK_EQ(stat_of("now").resident_bytes, 3 * PAGE); /* R7 */
    CHECK_EQ(p[0], 0);
}

static void late_creator(void *arg)
{
    gate_pass(arg);
    *(char *)region_new("late", PAGE) = 'l';
    gate_pass(arg);
}

/* R7: waits until the region exists. */
static void case_wait(void)
{
    struct gate g = gate_make();
    pid_t pid = child_start(late_creator, &g);
    char *p;

    MUST_REFUSE("late", ERR_TIMEOUT, .flags = RM_WAIT, .timeout_ns = 1000000);
    MUST_REFUSE("late", ERR_TIMEOUT, .flags = RM_WAIT);
    gate_open(&g, 1);
    p = map_with("late", (struct region_map){.flags = RM_WAIT, .timeout_s = -1});
    WAIT_UNTIL(*(volatile char *)p == 'l', "R7: not the creator's page");
    p = map_with("late", (struct region_map){.flags = RM_WAIT, .timeout_s = 1});
    gate_open(&g, 1);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(stat_of("late").creator_pid, 0);
    CHECK_EQ(*p, 'l'); /* R4: its creator has gone, we have it mapped */
}

static void on_usr1(int sig)
{
    (void)sig;
}

static void wait_for_ever(void *arg)
{
    struct sigaction sa = {.sa_handler = on_usr1};
    sigset_t block, old;
    void *beg = NULL;
    struct region_map how = {.flags = RM_WAIT, .timeout_s = -1};
    err_t err;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &block, &old));
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    gate_open(arg, 1);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    err = createMappingWith("never", &beg, &how);
    CHECK_ERR(err, ERR_INTR);
}

static void case_wait_interrupted(void)
{
    struct gate g = gate_make();
    pid_t pid = child_start(wait_for_ever, &g);
    int status;

    gate_pass(&g);
    while (check_wait(pid, &status, 2) < 0) /* until one signal finds it asleep */
        kill(pid, SIGUSR1);
    CHECK_EQ(status, 0);
    pid = child_start(wait_for_ever, &g);
    gate_pass(&g);
    child_kill(pid);
}

static void user_of(void *arg)
{
    struct gate *g = arg;

    *(char *)region_map("end") = 1;
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
}

/* R6: the three ways, and the time limit. */
static void case_destroy_with(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    struct timespec soon = {0, 1000000};
    struct region_stat old;
    void *beg;
    pid_t pid;

    CHECK_ERR(createSharedRegion("end", PAGE, RS_PERSIST), ERR_OK);
    old = stat_of("end");
    pid = child_start(user_of, g);
    gate_pass(&g[0]);
    CHECK_ERR(destroySharedRegionWith("end", RS_NOWAIT, NULL), ERR_BUSY);
    CHECK_ERR(destroySharedRegionWith("end", 3, NULL), ERR_INVAL);
    CHECK_ERR(createMapping("end", &beg), ERR_OK); /* nothing has changed */
    region_unmap("end", beg);
    CHECK_ERR(destroySharedRegionWith("end", RS_UNLINK, NULL), ERR_OK);
    CHECK_ERR(createMapping("end", &beg), ERR_NOTEXIST);
    CHECK_ERR(createSharedRegion("end", 2 * PAGE, RS_PERSIST), ERR_OK);
    CHECK(stat_of("end").id != old.id, "A8: an id was used again");
    beg = region_map("end");
    CHECK_EQ(*(char *)beg, 0);
    gate_open(&g[1], 1);
    CHILD_EXITS(pid, 0);
    CHECK_ERR(destroySharedRegionWith("end", RS_UNLINK, NULL), ERR_OK); /* while mapped by us */
    CHECK_EQ(probe_write(beg), 0);
    CHECK_OK(munmap(beg, 2 * PAGE)); /* it has no name any more */
    CHECK_ERR(createSharedRegion("end", PAGE, RS_PERSIST), ERR_OK);
    CHECK_ERR(destroySharedRegionWith("end", RS_NOWAIT, NULL), ERR_OK);

    CHECK_ERR(createSharedRegion("end", PAGE, RS_PERSIST), ERR_OK);
    pid = child_start(user_of, g);
    gate_pass(&g[0]);
    CHECK_ERR(destroySharedRegionWith("end", RS_WAIT, &soon), ERR_TIMEOUT);
    CHECK_ERR(createMapping("end", &beg), ERR_NOTEXIST); /* stays closed */
    CHECK_ERR(createSharedRegion("end", PAGE, RS_PERSIST), ERR_EXIST);
    CHECK_ERR(destroySharedRegionWith("end", RS_WAIT, &soon), ERR_NOTEXIST);
    CHECK_EQ(stat_of("end").closing, 1);
    gate_open(&g[1], 1);
    CHILD_EXITS(pid, 0);
    region_must_be_gone("end", "R6");
}

static void lock_holder(void *arg)
{
    struct gate *g = arg;

    region_map("timed");
    CHECK_ERR(lockRegion("timed"), ERR_OK);
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
    CHECK_ERR(unlockRegion("timed"), ERR_OK);
}

static void case_lock_timed(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    struct timespec soon = {0, 1000000}, none = {0, 0}, long_time = {20, 0}, bad = {0, -1};
    pid_t pid;

    region_new("timed", PAGE);
    CHECK_ERR(lockRegionTimed("timed", &none), ERR_OK);
    CHECK_EQ(stat_of("timed").lock_owner_tid, getpid()); /* U3: the kernel knows the holder */
    CHECK_ERR(lockRegionTimed("timed", &soon), ERR_DEADLOCK);
    CHECK_ERR(unlockRegion("timed"), ERR_OK);
    CHECK_ERR(lockRegionTimed("timed", &bad), ERR_INVAL);
    CHECK_ERR(lockRegionTimed("timed", (struct timespec *)8), ERR_FAULT);
    CHECK_ERR(lockRegionTimed("other", &soon), ERR_NOTEXIST);
    pid = child_start(lock_holder, g);
    gate_pass(&g[0]);
    CHECK_ERR(lockRegionTimed("timed", &soon), ERR_TIMEOUT); /* R9 */
    CHECK_EQ(stat_of("timed").lock_waiters, 0);
    CHECK_EQ(stat_of("timed").lock_owner_tid, pid);
    CHECK_ERR(unlockRegion("timed"), ERR_INVAL);
    gate_open(&g[1], 1);
    CHECK_ERR(lockRegionTimed("timed", &long_time), ERR_OK);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(stat_of("timed").lock_owner_tid, getpid());
}

/* A10: all of it is true. */
static void case_stat(void)
{
    struct region_stat st;
    char *p;

    CHECK_ERR(createSharedRegion("st", PAGE + 1, RS_PERSIST | RS_NORESERVE), ERR_OK);
    st = stat_of("st");
    CHECK_EQ(st.size_bytes, 2 * PAGE); /* A1 */
    CHECK_EQ(st.resident_bytes, 0);
    CHECK_EQ(st.mappings, 0);
    CHECK_EQ(st.mode, 0600);
    CHECK_EQ(st.uid, 0);
    CHECK_EQ(st.flags, RS_PERSIST | RS_NORESERVE);
    CHECK_EQ(st.closing, 0);
    CHECK_EQ(st.creator_pid, 0);
    CHECK_EQ(st.lock_owner_tid, 0);
    CHECK_EQ(st.lock_waiters, 0);
    CHECK_EQ(st.reserved, 0);
    p = region_map("st");
    *p = 1;
    CHECK_EQ(stat_of("st").resident_bytes, PAGE);
    CHECK_EQ(stat_of("st").mappings, 1);
    CHECK_ERR(statRegion("st", (struct region_stat *)8), ERR_FAULT);
    CHECK_ERR(statRegion("sta", &st), ERR_NOTEXIST);
    CHECK_ERR(statRegion("s", &st), ERR_NOTEXIST); /* R1: never a prefix */
    CHECK_ERR(chmodRegion("st", 01000), ERR_INVAL);
    CHECK_ERR(chmodRegion("s", 0600), ERR_NOTEXIST);
    CHECK_ERR(chmodRegion("st", 0640), ERR_OK);
    CHECK_EQ(stat_of("st").mode, 0640);
    region_unmap("st", p);
    CHECK_ERR(destroySharedRegion("st"), ERR_OK);
    CHECK_ERR(createSharedRegion("st", 1, RS_DEFAULT), ERR_OK);
    CHECK_EQ(stat_of("st").creator_pid, getpid());
}

int main(void)
{
    RUN(case_read_only);
    RUN(case_private);
    RUN(case_part);
    RUN(case_fixed);
    RUN(case_populate);
    RUN(case_wait);
    RUN(case_wait_interrupted);
    RUN(case_destroy_with);
    RUN(case_lock_timed);
    RUN(case_stat);
    return check_done();
}
