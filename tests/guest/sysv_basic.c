/* V1: shmget, shmat and shmdt as their manual pages say; A1, A4, A5, A6, A8 for segments. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "probe.h"
#include "regions.h"
#include "sysv.h"

#define KEY 0x5e91

static void write_7(void *arg)
{
    *(volatile int *)arg = 7;
}

/* IPC_PRIVATE is always a new one; zero at first, and the same memory for parent and child. */
static void case_private(void)
{
    int a = sysv_new(2 * PAGE, 0600), b = sysv_new(PAGE, 0600);
    volatile int *p = sysv_attach(a, 0);

    CHECK(a != b, "V1: one id for two segments");
    for (size_t i = 0; i < 2 * PAGE / sizeof(*p); i++)
        CHECK_EQ(p[i], 0);
    MUST_EXIT(write_7, (void *)p, 0);
    CHECK_EQ(*p, 7);
    CHECK_EQ(*(int *)sysv_attach(b, 0), 0);
    sysv_remove(a);
    sysv_remove(b);
}

static void case_keys(void)
{
    CHECK_ERRNO(shmget(KEY, PAGE, 0600), ENOENT);
    CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, SIZE_MAX, IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, 1ul << 60, IPC_CREAT | 0600), ENOMEM);
    CHECK_ERRNO(shmget(KEY, PAGE, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
    CHECK_ERRNO(shmget(KEY, PAGE, 0600), ENOENT);
    int id = shmget(KEY, 100, IPC_CREAT | 0600);
    CHECK(id >= 0, "shmget: %s", strerror(errno));
    CHECK_ERRNO(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_EQ(shmget(KEY, 100, IPC_CREAT | 0600), id);
    CHECK_EQ(shmget(KEY, 100, 0), id);
    CHECK_EQ(shmget(KEY, 0, 0), id);
    CHECK_EQ(shmget(KEY, 50, IPC_EXCL), id); /* means nothing without IPC_CREAT */
    CHECK_ERRNO(shmget(KEY, 101, 0), EINVAL);
    CHECK_EQ(sysv_stat(id).shm_segsz, 100);
    CHECK_EQ(sysv_stat(id).shm_perm.key, KEY);
    CHECK_ERRNO(shmget(KEY + 1, 100, 0), ENOENT);
    sysv_remove(id);
    sysv_must_be_gone(id);
    CHECK_ERRNO(shmget(KEY, 100, 0), ENOENT);
    int again = shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(again >= 0 && again != id, "A8: id %d again", again);
    sysv_must_be_gone(id);
    sysv_remove(again);
}

/* A1: whole pages, and not a byte more. */
static void case_extent(void)
{
    int id = sysv_new(PAGE + 1, 0600);
    char *beside = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(beside != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(munmap(beside + PAGE, 3 * PAGE));
    char *p = shmat(id, beside + PAGE, 0);
    CHECK(p == beside + PAGE, "shmat: %s", strerror(errno));
    CHECK_EQ(probe_write(p), 0);
    CHECK_EQ(probe_write(p + 2 * PAGE - 1), 0);
    CHECK_EQ(probe_read(p + 2 * PAGE), SIGSEGV);
    CHECK_OK(shmdt(p));
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_read(p + PAGE), SIGSEGV);
    CHECK_EQ(probe_write(p - 1), 0);
    CHECK_EQ(probe_write(p + 3 * PAGE), 0);
    sysv_remove(id);
}

/* A6 */
static void case_rdonly(void)
{
    int id = sysv_new(PAGE, 0600);
    volatile int *w = sysv_attach(id, 0), *r = sysv_attach(id, SHM_RDONLY);

    *w = 5;
    CHECK_EQ(*r, 5);
    MUST_DIE(write_7, (void *)r, SIGSEGV);
    CHECK_EQ(*w, 5);
    CHECK_ERRNO(mprotect((void *)r, PAGE, PROT_READ | PROT_WRITE), EACCES);
    *w = 6;
    CHECK_EQ(*r, 6);
    sysv_remove(id);
}

static void case_place(void)
{
    int id = sysv_new(2 * PAGE, 0600);
    char *area = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(area != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_ERRNO(shmat(id, area, 0), EINVAL);
    CHECK_ERRNO(shmat(id, area + 7 * PAGE, 0), EINVAL);
    CHECK_ERRNO(shmat(id, NULL, SHM_REMAP), EINVAL);
    CHECK_ERRNO(shmat(id, area + 1, SHM_REMAP), EINVAL);
    CHECK_ERRNO(shmat(id, (void *)~0xffful, 0), EINVAL);
    CHECK_ERRNO(shmat(id, (void *)0x7ffffffff000ul, 0), EINVAL);
    CHECK_ERRNO(shmat(id, (void *)1, SHM_RND), EINVAL);
    CHECK_EQ(area[PAGE], 0);
    CHECK_EQ(sysv_nattch(id), 0);
    CHECK(shmat(id, area + PAGE, SHM_REMAP) == area + PAGE, "SHM_REMAP: %s", strerror(errno));
    area[PAGE] = 1;
    CHECK_EQ(probe_write(area), SIGSEGV);
    CHECK_EQ(probe_write(area + 3 * PAGE), SIGSEGV);
    CHECK_OK(munmap(area + 4 * PAGE, 3 * PAGE));
    CHECK_ERRNO(shmat(id, area + 4 * PAGE + 7, 0), EINVAL);
    CHECK(shmat(id, area + 4 * PAGE + 7, SHM_RND) == area + 4 * PAGE, "SHM_RND: %s",
          strerror(errno));
    CHECK_EQ(area[4 * PAGE], 1);
    CHECK_EQ(sysv_nattch(id), 2);
    sysv_remove(id);
}

static void run_code(void *arg)
{
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    int id = *(int *)arg;
    void *w = sysv_attach(id, 0), *x = sysv_attach(id, SHM_EXEC | SHM_RDONLY);

    memcpy(w, code, sizeof(code));
    CHECK_EQ(((int (*)(void))x)(), 42);
    ((int (*)(void))w)();
}

static void case_exec_right(void)
{
    int id = sysv_new(PAGE, 0700);

    MUST_DIE(run_code, &id, SIGSEGV);
    CHECK_EQ(sysv_nattch(id), 0);
    sysv_remove(id);
}

static void case_detach(void)
{
    int id = sysv_new(3 * PAGE, 0600), other = sysv_new(PAGE, 0600);
    char *a = sysv_attach(id, 0), *b = sysv_attach(id, 0), *o = sysv_attach(other, 0);
    char *region = region_new("not-sysv", PAGE);

    CHECK_ERRNO(shmdt(a + 1), EINVAL);
    CHECK_ERRNO(shmdt(a + PAGE), EINVAL);
    CHECK_ERRNO(shmdt(region), EINVAL);
    CHECK_ERRNO(shmdt(NULL), EINVAL);
    CHECK_EQ(sysv_nattch(id), 2);
    a[2 * PAGE] = 9;
    CHECK_OK(shmdt(a));
    CHECK_EQ(probe_read(a), SIGSEGV);
    CHECK_EQ(probe_read(a + 2 * PAGE), SIGSEGV);
    CHECK_ERRNO(shmdt(a), EINVAL);
    CHECK_EQ(b[2 * PAGE], 9);
    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_OK(munmap(b, PAGE)); /* in part: still attached, by the same address */
    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_EQ(b[2 * PAGE], 9);
    CHECK_OK(shmdt(b));
    CHECK_EQ(probe_read(b + 2 * PAGE), SIGSEGV);
    CHECK_EQ(sysv_nattch(id), 0);
    CHECK_EQ(*o, 0);
    CHECK_OK(shmdt(o));
    *region = 1;
    sysv_remove(id);
    sysv_remove(other);
}

/* A hole in the middle: shmdt takes both pieces, and only them. */
static void case_detach_pieces(void)
{
    int id = sysv_new(5 * PAGE, 0600);
    char *p = sysv_attach(id, 0);

    CHECK_OK(munmap(p + 2 * PAGE, PAGE));
    char *inside = mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(inside == p + 2 * PAGE, "mmap: %s", strerror(errno));
    *inside = 4;
    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_OK(shmdt(p));
    CHECK_EQ(*inside, 4);
    CHECK_EQ(probe_read(p), SIGSEGV);
    CHECK_EQ(probe_read(p + 4 * PAGE), SIGSEGV);
    CHECK_EQ(sysv_nattch(id), 0);
    sysv_remove(id);
}

static void case_300_attaches(void)
{
    int id = sysv_new(PAGE, 0600);
    static volatile int *at[300];

    for (int i = 0; i < 300; i++) {
        at[i] = sysv_attach(id, 0);
        CHECK_EQ(*at[i], i);
        *at[i] = i + 1;
    }
    CHECK_EQ(sysv_nattch(id), 300);
    for (int i = 0; i < 300; i += 2)
        CHECK_OK(shmdt((void *)at[i]));
    CHECK_EQ(sysv_nattch(id), 150);
    for (int i = 1; i < 300; i += 2) {
        CHECK_EQ(*at[i], 300);
        CHECK_OK(shmdt((void *)at[i]));
    }
    CHECK_EQ(sysv_nattch(id), 0);
    sysv_remove(id);
    sysv_must_be_gone(id);
}

/* IPC_RMID: the key is free at once; the id serves until the last detach (shmat(2), Linux). */
static void case_removed_while_attached(void)
{
    int id = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
    volatile int *p = sysv_attach(id, 0);

    *p = 77;
    sysv_remove(id);
    CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
    CHECK_EQ(sysv_stat(id).shm_perm.mode, 0600 | SHM_DEST);
    CHECK_EQ(sysv_stat(id).shm_perm.key, IPC_PRIVATE);
    int newer = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(newer >= 0 && newer != id, "A8: id %d, was %d", newer, id);
    volatile int *q = sysv_attach(id, 0);
    CHECK_EQ(*q, 77);
    CHECK_EQ(*(volatile int *)sysv_attach(newer, 0), 0);
    CHECK_OK(shmctl(id, IPC_RMID, NULL)); /* again: nothing */
    CHECK_OK(shmdt((void *)p));
    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_EQ(*q, 77);
    CHECK_OK(shmdt((void *)q));
    sysv_must_be_gone(id);
    CHECK_EQ(shmget(KEY, 0, 0), newer);
    sysv_remove(newer);
}

static void case_never_attached(void)
{
    int id = sysv_new(PAGE, 0600);

    sysv_remove(id);
    sysv_must_be_gone(id);
    CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

/* A segment outlives the process that made it. */
static void make(void *arg)
{
    (void)arg;
    int id = shmget(KEY, PAGE, IPC_CREAT | 0600);

    strcpy(sysv_attach(id, 0), "left");
}

static void case_outlives_creator(void)
{
    MUST_EXIT(make, NULL, 0);
    int id = shmget(KEY, 0, 0);
    CHECK(id >= 0, "shmget: %s", strerror(errno));
    CHECK_EQ(sysv_nattch(id), 0);
    CHECK(strcmp(sysv_attach(id, 0), "left") == 0, "V1: the contents are gone");
    sysv_remove(id);
}

static void case_1000_cycles(void)
{
    for (int i = 0; i < 1000; i++) {
        int id = shmget(KEY, 4 * PAGE, IPC_CREAT | IPC_EXCL | 0600);
        volatile char *p = sysv_attach(id, 0);

        CHECK_EQ(p[i % 4 * PAGE], 0);
        p[i % 4 * PAGE] = 1;
        if (i % 2)
            sysv_remove(id);
        CHECK_OK(shmdt((void *)p));
        if (i % 2 == 0)
            sysv_remove(id);
        sysv_must_be_gone(id);
    }
}

/* The shutdown audit finds what nobody has removed. */
static void case_left_behind(void)
{
    memset(sysv_attach(sysv_new(3 * PAGE, 0600), 0), 1, 3 * PAGE);
    int removed = sysv_new(PAGE, 0600);
    sysv_attach(removed, 0);
    sysv_remove(removed);
}

int main(void)
{
    RUN(case_private);
    RUN(case_keys);
    RUN(case_extent);
    RUN(case_rdonly);
    RUN(case_place);
    RUN(case_exec_right);
    RUN(case_detach);
    RUN(case_detach_pieces);
    RUN(case_300_attaches);
    RUN(case_removed_while_attached);
    RUN(case_never_attached);
    RUN(case_outlives_creator);
    RUN(case_1000_cycles);
    RUN(case_left_behind);
    return check_done();
}
