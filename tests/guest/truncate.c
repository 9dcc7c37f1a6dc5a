/* P2: a file grows and shrinks under its mappings; pages beyond the end are SIGBUS.  The same for a
 * file of /dev/shm, a memfd and a file of the root. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "child.h"
#include "probe.h"
#include "shmfile.h"

static int shm_file(void)
{
    int fd = shm_new("/cut", 0);

    CHECK_OK(shm_unlink("/cut"));
    return fd;
}

static int root_file(void)
{
    int fd = open("/tmp/cut", O_CREAT | O_EXCL | O_RDWR, 0600);

    CHECK_OK(fd);
    CHECK_OK(unlink("/tmp/cut"));
    return fd;
}

static int mem_file(void)
{
    int fd = memfd_create("cut", 0);

    CHECK_OK(fd);
    return fd;
}

static int (*const make_file[])(void) = {shm_file, root_file, mem_file};
#define FILES 3

/* File i with `pages` pages, all of them mapped and full of 7. */
static char *full_file(int i, size_t pages, int *fd)
{
    *fd = make_file[i]();
    CHECK_OK(ftruncate(*fd, (off_t)(pages * PAGE)));
    char *p = map_shared(*fd, pages * PAGE);
    memset(p, 7, pages * PAGE);
    return p;
}

static void check_shrink_and_grow(int i)
{
    int fd;
    char *p = full_file(i, 5, &fd);

    CHECK_OK(ftruncate(fd, 2 * PAGE + 10));
    CHECK_EQ(p[2 * PAGE + 9], 7);
    CHECK_EQ(p[2 * PAGE + 10], 0);
    CHECK_EQ(probe_read(p + 3 * PAGE), SIGBUS);
    CHECK_EQ(probe_write(p + 4 * PAGE), SIGBUS);
    p[3 * PAGE - 1] = 5; /* in the last page, behind the end: allowed, and lost */
    CHECK_OK(ftruncate(fd, 5 * PAGE));
    CHECK_EQ(p[3 * PAGE - 1], 0);
    CHECK_EQ(p[2 * PAGE + 9], 7);
    CHECK_EQ(p[3 * PAGE], 0); /* new pages, not the old ones */
    CHECK_EQ(p[5 * PAGE - 1], 0);
    CHECK_EQ(probe_write(p + 4 * PAGE), 0);
    CHECK_OK(ftruncate(fd, 0));
    CHECK_EQ(probe_read(p), SIGBUS);
    CHECK_OK(ftruncate(fd, 1));
    CHECK_EQ(p[0], 0);
    CHECK_EQ(probe_read(p + PAGE), SIGBUS);
}

static void case_shrink_and_grow(void)
{
    for (int i = 0; i < FILES; i++)
        check_shrink_and_grow(i);
}

/* A mapping may be longer than its file from the beginning. */
static void case_mapped_before_it_grows(void)
{
    for (int i = 0; i < FILES; i++) {
        int fd = make_file[i]();
        char *p = map_shared(fd, 3 * PAGE);

        CHECK_EQ(probe_read(p), SIGBUS);
        CHECK_EQ(pwrite(fd, "w", 1, PAGE), 1);
        CHECK_EQ(p[PAGE], 'w');
        CHECK_EQ(p[0], 0);
        CHECK_EQ(probe_read(p + 2 * PAGE), SIGBUS);
    }
}

/* Private pages go with the file's, copied or not. */
static void case_private_copies_go(void)
{
    for (int i = 0; i < FILES; i++) {
        int fd;
        char *p = full_file(i, 3, &fd);
        char *own = map_file(fd, 3 * PAGE, RW, MAP_PRIVATE);

        own[PAGE] = 1;
        CHECK_EQ(own[2 * PAGE], 7);
        CHECK_EQ(p[PAGE], 7);
        CHECK_OK(ftruncate(fd, PAGE));
        CHECK_EQ(probe_read(own + PAGE), SIGBUS);
        CHECK_EQ(probe_write(own + 2 * PAGE), SIGBUS);
        CHECK_EQ(own[0], 7);
        CHECK_OK(ftruncate(fd, 3 * PAGE));
        CHECK_EQ(own[PAGE], 0); /* the file's again */
        own[2 * PAGE] = 3;
        CHECK_EQ(p[2 * PAGE], 0);
    }
}

static void dies_beyond(void *arg)
{
    char *p = arg;
    struct gate *g = *(struct gate **)p;

    CHECK_EQ(p[2 * PAGE], 7);
    gate_open(&g[0], 1);
    gate_pass(&g[1]);
    CHECK_EQ(p[PAGE], 7);
    p[2 * PAGE] = 8;
}

/* The child has the page in its page table when the parent cuts it off. */
static void case_child_gets_sigbus(void)
{
    for (int i = 0; i < FILES; i++) {
        struct gate g[2] = {gate_make(), gate_make()};
        int fd;
        char *p = full_file(i, 3, &fd);

        *(struct gate **)p = g;
        pid_t pid = child_start(dies_beyond, p);
        gate_pass(&g[0]);
        CHECK_OK(ftruncate(fd, 2 * PAGE));
        gate_open(&g[1], 1);
        CHILD_DIES(pid, SIGBUS);
    }
}

static __thread sigjmp_buf thread_back;

static void thread_handler(int sig)
{
    siglongjmp(thread_back, sig);
}

struct cutting {
    char *p;
    int stop;
    unsigned long seen, missed;
};

/* Reads the last page, which comes and goes: it is whole, or it is not there. */
static void *reads(void *arg)
{
    struct cutting *c = arg;

    while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
        if (sigsetjmp(thread_back, 1) == 0) {
            char value = *(volatile char *)(c->p + PAGE);
            CHECK(value == 0 || value == 9, "P2: a page of somebody else: %d", value);
            c->seen++;
        } else {
            c->missed++;
        }
    }
    return NULL;
}

static void check_threads(int i)
{
    struct sigaction sa = {.sa_handler = thread_handler};
    struct cutting c[2] = {0};
    pthread_t t[2];
    int fd = make_file[i]();

    CHECK_OK(sigaction(SIGBUS, &sa, NULL));
    CHECK_OK(ftruncate(fd, 2 * PAGE));
    c[0].p = c[1].p = map_shared(fd, 2 * PAGE);
    for (unsigned k = 0; k < 2; k++)
        CHECK_EQ(pthread_create(&t[k], NULL, reads, &c[k]), 0);
    for (unsigned k = 0; k < 300; k++) {
        CHECK_OK(ftruncate(fd, PAGE));
        CHECK_OK(ftruncate(fd, 2 * PAGE));
        CHECK_EQ(pwrite(fd, "\t", 1, PAGE), 1);
    }
    for (unsigned k = 0; k < 2; k++)
        __atomic_store_n(&c[k].stop, 1, __ATOMIC_RELAXED);
    for (unsigned k = 0; k < 2; k++)
        CHECK_EQ(pthread_join(t[k], NULL), 0);
    CHECK_EQ(c[0].p[PAGE], 9);
}

static void case_threads_while_it_is_cut(void)
{
    for (int i = 0; i < FILES; i++)
        check_threads(i);
}

static void case_o_trunc(void)
{
    int fd = shm_new("/trunc", 2 * PAGE);
    char *p = map_shared(fd, 2 * PAGE);

    p[PAGE] = 1;
    CHECK_OK(shm_open("/trunc", O_RDWR | O_TRUNC, 0));
    CHECK_EQ(size_of(fd), 0);
    CHECK_EQ(probe_read(p), SIGBUS);
    CHECK_OK(truncate("/dev/shm/trunc", 2 * PAGE));
    CHECK_EQ(p[PAGE], 0);
    CHECK_OK(shm_unlink("/trunc"));
}

/* A region that was made by name is cut as well, and says its new size. */
static void case_native_mapping(void)
{
    struct region_stat st;
    void *beg;

    CHECK_ERR(createSharedRegion("cut", 4 * PAGE, RS_PERSIST), ERR_OK);
    CHECK_ERR(createMapping("cut", &beg), ERR_OK);
    memset(beg, 1, 4 * PAGE);
    CHECK_OK(truncate("/dev/shm/cut", PAGE));
    CHECK_ERR(statRegion("cut", &st), ERR_OK);
    CHECK_EQ(st.size_bytes, PAGE);
    CHECK_EQ(st.resident_bytes, PAGE);
    CHECK_EQ(probe_read((char *)beg + PAGE), SIGBUS);
    CHECK_EQ(*(char *)beg, 1);
    CHECK_ERR(destroyMapping("cut", beg), ERR_OK);
    CHECK_ERR(destroySharedRegion("cut"), ERR_OK);
}

/* A7: growth is promised when it is asked for, and a refusal changes nothing. */
static void case_growth_is_promised(void)
{
    int fd = shm_file();
    char *p;

    CHECK_OK(ftruncate(fd, PAGE));
    p = map_shared(fd, 3 * PAGE);
    p[0] = 1;
    CHECK_ERRNO(ftruncate(fd, 1l << 30), ENOMEM);
    CHECK_EQ(size_of(fd), PAGE);
    CHECK_EQ(probe_read(p + PAGE), SIGBUS);
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    for (unsigned i = 0; i < 50; i++) { /* each time all of it is given back */
        CHECK_OK(ftruncate(fd, 30 << 20));
        CHECK_OK(ftruncate(fd, PAGE));
    }
    CHECK_EQ(p[0], 1);
}

/* What the one who cuts tells those who look. */
struct cut_page {
    volatile int *page;     /* of the file, shared */
    volatile int *copy;     /* the same, private */
    volatile int announced; /* what the page holds now; 0 while it may be cut */
    volatile int stop;
};

static sigjmp_buf beyond_end;

static void on_sigbus(int sig)
{
    (void)sig;
    siglongjmp(beyond_end, 1);
}

/* Copies the page again and again: it must not see what was there before the last cut.  (Zero it
 * may see: from after the cut.) */
static void look_for_old_page(void *arg)
{
    struct cut_page *cut = arg;

    signal(SIGBUS, on_sigbus);
    while (!cut->stop) {
        int before = cut->announced;
        CHECK_OK(madvise((void *)cut->copy, PAGE, MADV_DONTNEED));
        if (sigsetjmp(beyond_end, 1))
            continue;
        cut->copy[1] = 1;
        for (int i = 0; i < 50; i++) {
            before = cut->announced;
            int seen = cut->copy[0];
            if (before && before == cut->announced && seen)
                CHECK_EQ(seen, before);
        }
    }
}

/* A fault that has found its page just before a cut must not enter it after the file has grown
 * again (tests/spin/pagefill.pml). */
static void case_cut_page_does_not_come_back(void)
{
    enum {
        LOOKERS = 3,
        CUTS = 3000
    };
    int fd = mem_file();
    struct cut_page *cut = (struct cut_page *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t lookers[LOOKERS];

    CHECK(cut != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(ftruncate(fd, PAGE));
    cut->page = (volatile int *)map_shared(fd, PAGE);
    cut->copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(cut->copy != MAP_FAILED, "mmap: %s", strerror(errno));
    for (int i = 0; i < LOOKERS; i++)
        lookers[i] = child_start(look_for_old_page, cut);
    for (int i = 1; i < CUTS; i++) {
        cut->announced = 0;
        CHECK_OK(ftruncate(fd, 0));
        CHECK_OK(ftruncate(fd, PAGE));
        *cut->page = i;
        cut->announced = i;
        for (volatile int spin = 0; spin < 2000; spin++)
            ;
    }
    cut->stop = 1;
    for (int i = 0; i < LOOKERS; i++)
        CHILD_EXITS(lookers[i], 0); /* A1, P2 */
}

int main(void)
{
    RUN(case_shrink_and_grow);
    RUN(case_mapped_before_it_grows);
    RUN(case_private_copies_go);
    RUN(case_child_gets_sigbus);
    RUN(case_threads_while_it_is_cut);
    RUN(case_o_trunc);
    RUN(case_native_mapping);
    RUN(case_growth_is_promised);
    RUN(case_cut_page_does_not_come_back);
    return check_done();
}
