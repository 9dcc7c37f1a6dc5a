/* xv6's shared pages: shm_open and shm_close by number (X1 to X3). */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>

#include "doors.h"
#include "probe.h"

#define IDS_MAX 64

static char *open_page(int id)
{
    long addr = xv6_open(id);

    CHECK(addr > 0, "X1: shm_open(%d) = %ld", id, addr);
    CHECK_EQ(addr % PAGE, 0);
    return (char *)addr;
}

static void page_must_be_zero(const char *page, const char *rule)
{
    for (unsigned long i = 0; i < PAGE; i++)
        CHECK(page[i] == 0, "%s: byte %lu is %d", rule, i, page[i]);
}

static void case_any_id(void)
{
    static const int ids[] = {0, 1, -1, 7, INT_MAX, INT_MIN, 1 << 16, 10, 100};
    char *pages[9];

    for (unsigned i = 0; i < 9; i++) {
        pages[i] = open_page(ids[i]);
        page_must_be_zero(pages[i], "X1");
        memset(pages[i], (int)i + 1, PAGE);
    }
    for (unsigned i = 0; i < 9; i++) {
        CHECK_EQ(pages[i][0], i + 1);
        CHECK_EQ(pages[i][PAGE - 1], i + 1);
        CHECK_EQ(xv6_close(ids[i]), 0);
    }
    door_must_be_empty("xv6", "X2");
}

/* X2: the same address and one more count; at none the page is gone. */
static void case_counts(void)
{
    char *page = open_page(5);

    page[9] = 9;
    CHECK(open_page(5) == page && open_page(5) == page, "X2: an address of its own each time");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(xv6_close(5), 0);
        CHECK_EQ(page[9], 9);
    }
    CHECK_EQ(xv6_close(5), 0);
    CHECK_EQ(probe_read(page), SIGSEGV);
    CHECK(xv6_close(5) < 0, "X2: closed once too often");
    door_must_be_empty("xv6", "X2");
    page_must_be_zero(open_page(5), "X1: after the last close");
}

static void case_close_of_what_is_not_open(void)
{
    CHECK(xv6_close(1) < 0, "X2: there is no page 1");
    (void)open_page(2);
    CHECK(xv6_close(1) < 0 && xv6_close(-2) < 0 && xv6_close(22) < 0, "X2: not open");
    CHECK_EQ(xv6_close(2), 0);
}

static void close_it(void *arg)
{
    (void)munmap(arg, PAGE);
    CHECK(xv6_close(3) < 0, "X2: another process has it open, this one has not");
}

static void case_close_of_what_others_opened(void)
{
    char *page = open_page(3);

    page[0] = 1;
    MUST_EXIT(close_it, page, 0);
    CHECK_EQ(page[0], 1);
    CHECK_EQ(xv6_close(3), 0);
}

/* A hole in the middle of a table must not hide what is behind it. */
static void case_close_the_middle(void)
{
    char *one = open_page(1), *two = open_page(2), *three = open_page(3), *four;

    strcpy(one, "one");
    strcpy(two, "two");
    strcpy(three, "three");
    CHECK_EQ(xv6_close(2), 0);
    four = open_page(4);
    page_must_be_zero(four, "X1");
    strcpy(four, "four");
    CHECK(open_page(3) == three && open_page(1) == one, "X2: another address");
    CHECK(strcmp(one, "one") == 0 && strcmp(three, "three") == 0, "X2: %s, %s", one, three);
    page_must_be_zero(open_page(2), "X2: page 2 was freed");
    CHECK_EQ(xv6_close(4), 0);
    CHECK_EQ(strcmp(three, "three"), 0);
}

/* X2: when mremap made the mapping longer and munmap took the page, what is left is not the page.
 */
static void case_page_cut_off(void)
{
    char *page = open_page(6), *longer = mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE);

    CHECK(longer != MAP_FAILED, "mremap: %s", strerror(errno));
    longer[0] = 6;
    CHECK(open_page(6) == longer, "X2: another address");
    CHECK_OK(munmap(longer, PAGE));
    page = open_page(6);
    CHECK_EQ(probe_read(page), 0);
    CHECK_EQ(page[0], 6);
    CHECK_EQ(xv6_close(6), 0); /* the opens before went with the page */
    CHECK_EQ(probe_read(page), SIGSEGV);
    CHECK_EQ(probe_read(longer + PAGE), SIGSEGV);
    CHECK(xv6_close(6) < 0, "X2: closed once too often");
    door_must_be_empty("xv6", "X2");
}

static void other_opener(void *arg)
{
    const struct gate *gates = arg;
    volatile char *page = open_page(11);

    page[0] = 42;
    gate_open(&gates[0], 1);
    gate_pass(&gates[1]);
}

/* Two openers, one exits, the other still reads. */
static void case_one_opener_exits(void)
{
    struct gate gates[2] = {gate_make(), gate_make()};
    pid_t pid = child_start(other_opener, gates);
    volatile char *page;

    gate_pass(&gates[0]);
    page = open_page(11);
    CHECK_EQ(page[0], 42);
    CHECK_EQ(region_look("11").mappings, 2);
    gate_open(&gates[1], 1);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(page[0], 42);
    page[0] = 43;
    CHECK_EQ(region_look("11").mappings, 1);
    CHECK_EQ(xv6_close(11), 0);
    door_must_be_empty("xv6", "X2: the last process frees");
}

static void no_more_ids(CHECK_UNUSED void *arg)
{
    CHECK(xv6_open(1000) < 0, "X1: the 65th");
    CHECK(*(char *)open_page(17) == 17, "X1: one of the 64 can be opened");
}

static void case_64_ids(void)
{
    for (int id = 0; id < IDS_MAX; id++)
        *open_page(id) = (char)id;
    for (int i = 0; i < 3; i++) {
        CHECK(xv6_open(IDS_MAX + i) < 0, "X1: the 65th");
        CHECK(xv6_close(IDS_MAX + i) < 0, "X1: the 65th was opened");
    }
    MUST_EXIT(no_more_ids, NULL, 0);
    CHECK_EQ(xv6_close(30), 0);
    (void)open_page(1000);
    CHECK(xv6_open(30) < 0, "X1: the 65th");
    for (int id = 0; id < IDS_MAX; id++)
        if (id != 30)
            CHECK_EQ(*open_page(id), id);
}

struct last_one {
    struct gate go, opened, end;
    int id;
};

static void open_last(void *arg)
{
    struct last_one *last = arg;

    gate_pass(&last->go);
    if (xv6_open(last->id) > 0)
        CHECK_EQ(write(last->opened.fd[1], "y", 1), 1);
    else
        CHECK_EQ(write(last->opened.fd[1], "n", 1), 1);
    gate_pass(&last->end);
}

/* X1: two that make the 64th at once: one does. */
static void case_the_last_id_is_raced_for(void)
{
    for (int id = 1; id < IDS_MAX; id++)
        (void)open_page(id);
    for (int round = 0; round < 20; round++) {
        struct last_one last = {gate_make(), gate_make(), gate_make(), 0};
        pid_t pids[2];
        char answers[2];

        for (int i = 0; i < 2; i++) {
            last.id = 100 + i;
            pids[i] = child_start(open_last, &last);
        }
        gate_open(&last.go, 2);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(read(last.opened.fd[0], &answers[i], 1), 1);
        CHECK((answers[0] == 'y') + (answers[1] == 'y') == 1, "X1: round %d: %c %c", round,
              answers[0], answers[1]);
        gate_open(&last.end, 2);
        for (int i = 0; i < 2; i++) {
            CHILD_EXITS(pids[i], 0);
            close(last.go.fd[i]);
            close(last.opened.fd[i]);
            close(last.end.fd[i]);
        }
    }
}

static void close_twice(void *arg)
{
    volatile char *page = arg;

    CHECK_EQ(page[0], 1);
    CHECK(open_page(6) == page, "A5: another address");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(page[0], 1);
        CHECK_EQ(xv6_close(6), 0);
    }
    CHECK(xv6_close(6) < 0, "A5: two opens were inherited");
    CHECK_EQ(probe_read(page), SIGSEGV);
}

/* A5: a child has the page as often open as its parent. */
static void case_fork(void)
{
    char *page = open_page(6);

    (void)open_page(6);
    page[0] = 1;
    MUST_EXIT(close_twice, page, 0);
    CHECK_EQ(region_look("6").mappings, 1);
    CHECK_EQ(xv6_close(6), 0);
    CHECK_EQ(page[0], 1);
    CHECK_EQ(xv6_close(6), 0);
    CHECK_EQ(probe_read(page), SIGSEGV);
}

/* The program after exec: nothing is open (A4). */
static int after_exec(void)
{
    CHECK(xv6_close(8) < 0, "A4: open after exec");
    door_must_be_empty("xv6", "A4: exec lets go");
    page_must_be_zero(open_page(8), "A4");
    return 0;
}

static void exec_self(CHECK_UNUSED void *arg)
{
    *open_page(8) = 1;
    door_exec();
}

static void case_exec(void)
{
    MUST_EXIT(exec_self, NULL, 0);
    door_must_be_empty("xv6", "A4: exit lets go");
}

/* munmap by hand closes it, however often it was open. */
static void case_munmap(void)
{
    char *page = open_page(9), *again;
    char *beside =
        mmap(page + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(beside != MAP_FAILED, "mmap: %s", strerror(errno));
    beside[0] = 3;
    (void)open_page(9);
    page[0] = 1;
    CHECK_OK(munmap(page, PAGE));
    CHECK_EQ(probe_read(page), SIGSEGV);
    CHECK_EQ(beside[0], 3);
    door_must_be_empty("xv6", "A4");
    CHECK(xv6_close(9) < 0, "A4: munmap was all the closes");
    again = open_page(9);
    page_must_be_zero(again, "A4");
    CHECK_EQ(xv6_close(9), 0);
    CHECK_EQ(probe_read(again), SIGSEGV);
}

static long open_twelve(void)
{
    return xv6_open(12);
}

/* Two threads that open at once: one mapping, two counts. */
static void case_threads(void)
{
    for (int round = 0; round < 50; round++) {
        long pages[2];

        door_two_at_once(open_twelve, pages);
        CHECK(pages[0] > 0 && pages[0] == pages[1], "X2: %#lx and %#lx", pages[0], pages[1]);
        CHECK_EQ(region_look("12").mappings, 1);
        CHECK_EQ(xv6_close(12), 0);
        CHECK_EQ(probe_read((char *)pages[0]), 0);
        CHECK_EQ(xv6_close(12), 0);
        CHECK_EQ(probe_read((char *)pages[0]), SIGSEGV);
        CHECK(xv6_close(12) < 0, "X2: closed once too often");
    }
}

static void *open_and_close(void *arg)
{
    struct rng rng = {(uintptr_t)arg};

    for (int i = 0; i < 100; i++) {
        int id = (int)rng_below(&rng, 2);
        volatile char *page = open_page(id);

        page[rng_below(&rng, PAGE)] = 1;
        if (rng_below(&rng, 8) == 0) {
            pid_t pid = fork();

            if (pid == 0)
                _exit(page[0] == 2);
            CHILD_EXITS(pid, 0);
        }
        CHECK_EQ(xv6_close(id), 0);
    }
    return NULL;
}

/* Opens, closes and forks in several threads: nobody's page goes while he has it open. */
static void case_threads_open_close_fork(void)
{
    pthread_t threads[3];

    for (uintptr_t i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, open_and_close, (void *)(i + 1)), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK(xv6_close(0) < 0 && xv6_close(1) < 0, "X2: a count is left");
    door_must_be_empty("xv6", "X2");
}

static void increment(void *arg)
{
    struct {
        volatile int lock, count;
    } *cnt = (void *)open_page(1);

    for (int i = 0; i < 10000; i++) {
        while (__atomic_exchange_n(&cnt->lock, 1, __ATOMIC_ACQUIRE))
            sched_yield();
        cnt->count++;
        __atomic_store_n(&cnt->lock, 0, __ATOMIC_RELEASE);
    }
    if (arg)
        *(int *)arg = cnt->count;
    CHECK_EQ(xv6_close(1), 0);
}

/* X3: the course's program. */
static void case_shm_cnt(void)
{
    volatile int *page = (void *)open_page(1);
    pid_t pid = child_start(increment, NULL);

    increment(NULL);
    CHILD_EXITS(pid, 0);
    CHECK_EQ(page[1], 20000);
}

static void storm(struct rng *rng)
{
    int id = (int)rng_below(rng, 8);
    volatile char *page = open_page(id);

    page[0]++;
    if (rng_below(rng, 2))
        CHECK_EQ(xv6_close(id), 0);
    if (rng_below(rng, 20) == 0 && fork() == 0)
        _exit(0);
}

static void case_kill(void)
{
    door_storm("xv6", storm);
}

static void refused(CHECK_UNUSED void *arg)
{
    become_stranger();
    CHECK_EQ(xv6_open(14), -EACCES);
    CHECK(xv6_close(14) < 0, "A9: it was opened");
    (void)open_page(15);
}

/* A9: a page belongs to the user who made it. */
static void case_other_user(void)
{
    struct gate ready = gate_make();
    pid_t pid = fork();

    if (pid == 0) {
        (void)open_page(14);
        gate_open(&ready, 1);
        pause();
    }
    gate_pass(&ready);
    MUST_EXIT(refused, NULL, 0);
    CHECK_EQ(region_look("14").mappings, 1);
    child_kill(pid);
    door_must_be_empty("xv6", "X2");
}

static void case_cycles(void)
{
    for (int i = 0; i < 1000; i++) {
        char *page = open_page(i);

        CHECK_EQ(page[i], 0);
        page[i] = 1;
        CHECK_EQ(xv6_close(i), 0);
    }
    door_must_be_empty("xv6", "X2");
}

static void hold_open(void *arg)
{
    struct gate *gates = arg;

    *open_page(21) = 21;
    gate_open(&gates[0], 1);
    gate_pass(&gates[1]);
}

static void must_not_be_open(unsigned n)
{
    CHECK(xv6_close(21) < 0, "A3: allocation %u: it is open", n);
}

/* A3: each allocation of an open failing in turn; `is_new`: of a page that is not there yet. */
static void open_failing(bool is_new)
{
    long page = door_failing("shm_open", SHOAL_SYS_shm_open, (const long[3]){21}, must_not_be_open);

    CHECK_EQ(*(char *)page, is_new ? 0 : 21);
    for (unsigned n = 1; n < 5; n++) {
        struct fail_result r;

        (void)open_page(21);
        r = fail_nth(n, SHOAL_SYS_shm_close, 21, 0, 0);
        CHECK(r.result == 0, "A3: shm_close, allocation %u: %ld", n, r.result);
    }
    CHECK_EQ(xv6_close(21), 0);
    CHECK(xv6_close(21) < 0, "A3: a count is left");
}

static void case_failing_allocations(void)
{
    struct gate gates[2] = {gate_make(), gate_make()};
    pid_t pid;

    open_failing(true);
    pid = child_start(hold_open, gates);
    gate_pass(&gates[0]);
    open_failing(false);
    gate_open(&gates[1], 1);
    CHILD_EXITS(pid, 0);
    door_must_be_empty("xv6", "A3");
}

int main(int argc, char **argv)
{
    door_main(argc, argv, after_exec);
    RUN(case_any_id);
    RUN(case_counts);
    RUN(case_close_of_what_is_not_open);
    RUN(case_close_of_what_others_opened);
    RUN(case_close_the_middle);
    RUN(case_page_cut_off);
    RUN(case_one_opener_exits);
    RUN(case_64_ids);
    RUN(case_the_last_id_is_raced_for);
    RUN(case_fork);
    RUN(case_exec);
    RUN(case_munmap);
    RUN(case_threads);
    RUN(case_threads_open_close_fork);
    RUN(case_shm_cnt);
    RUN(case_kill);
    RUN(case_other_user);
    RUN(case_cycles);
    RUN(case_failing_allocations);
    return check_done();
}
