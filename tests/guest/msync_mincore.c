/* P3: msync, mincore, madvise, mlock and their kin. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "child.h"
#include "probe.h"
#include "shmfile.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *area(size_t pages, int flags)
{
    char *p = mmap(NULL, pages * PAGE, RW, flags, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

/* What mincore says of `pages` pages, as bits. */
static unsigned there(char *p, unsigned pages)
{
    unsigned char vec[32];
    unsigned bits = 0;

    CHECK_OK(mincore(p, pages * PAGE, vec));
    for (unsigned i = 0; i < pages; i++)
        bits |= (unsigned)(vec[i] & 1) << i;
    return bits;
}

static void case_mincore(void)
{
    static unsigned char vec[1000];
    char *p = area(6, ANON);
    int fd = memfd_create("m", 0);

    CHECK_EQ(there(p, 6), 0);
    p[PAGE] = p[4 * PAGE] = 1;
    CHECK_EQ(there(p, 6), 0x12);
    CHECK_OK(ftruncate(fd, 4 * PAGE));
    char *one = map_shared(fd, 4 * PAGE), *two = map_shared(fd, 4 * PAGE);
    one[2 * PAGE] = 1;
    CHECK_EQ(there(two, 4), 4); /* in memory, though not in this page table */
    CHECK_ERRNO(mincore(p + 1, PAGE, vec), EINVAL);
    CHECK_ERRNO(mincore(p, PAGE, (unsigned char *)8), EFAULT);
    CHECK_OK(munmap(p + 2 * PAGE, PAGE));
    CHECK_ERRNO(mincore(p, 6 * PAGE, vec), ENOMEM);
    CHECK_ERRNO(mincore(p, SIZE_MAX, vec), ENOMEM);
    CHECK_OK(mincore(p, 0, vec));
    p = area(1000, ANON | MAP_POPULATE);
    CHECK_OK(mincore(p, 1000 * PAGE - 5, vec));
    for (unsigned i = 0; i < 1000; i++)
        CHECK_EQ(vec[i], 1);
}

#define MANY (4ul << 20) /* pages: seconds of asking */

static void ask_about_many(void *arg)
{
    char *p = mmap(NULL, MANY * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(mincore(p, MANY * PAGE, arg));
}

/* Who is killed does not finish first. */
static void case_mincore_is_killed(void)
{
    volatile unsigned char *answer = mmap(NULL, MANY, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(answer != MAP_FAILED, "mmap: %s", strerror(errno));
    answer[0] = answer[MANY - 1] = 0xff;
    pid_t pid = child_start(ask_about_many, (void *)answer);
    WAIT_UNTIL(answer[0] == 0, "the first answer does not come");
    CHECK_OK(kill(pid, SIGKILL));
    CHILD_DIES(pid, SIGKILL);
    CHECK_EQ(answer[MANY - 1], 0xff);
    CHECK_OK(munmap((void *)answer, MANY));
}

static void case_populate(void)
{
    int fd = shm_new("/populated", 4 * PAGE);

    CHECK_EQ(there(area(5, ANON | MAP_POPULATE), 5), 0x1f);
    char *p = mmap(NULL, 6 * PAGE, RW, MAP_SHARED | MAP_POPULATE, fd, 0);
    CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno)); /* beyond the end: no failure */
    CHECK_EQ(there(p, 4), 0xf);
    p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    CHECK_EQ(there(p, 4), 0xf);
    CHECK_EQ(p[0], 0);
    CHECK_OK(shm_unlink("/populated"));
}

static void case_msync(void)
{
    char *p = area(4, ANON);
    int fd = open("/tmp/synced", O_CREAT | O_RDWR, 0600);
    char c = 0;

    CHECK_OK(unlink("/tmp/synced"));
    CHECK_OK(ftruncate(fd, PAGE));
    char *q = map_shared(fd, PAGE);
    q[10] = 4;
    CHECK_OK(msync(q, PAGE, MS_SYNC));
    CHECK_EQ(pread(fd, &c, 1, 10), 1);
    CHECK_EQ(c, 4);
    CHECK_OK(msync(p, 4 * PAGE, MS_ASYNC));
    CHECK_OK(msync(p, 4 * PAGE, MS_SYNC | MS_INVALIDATE));
    CHECK_OK(msync(p, 0, 0));
    CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERRNO(msync(p, PAGE, 8), EINVAL);
    CHECK_OK(munmap(p + PAGE, PAGE));
    CHECK_ERRNO(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
}

static void case_madvise(void)
{
    const int hints[] = {MADV_NORMAL, MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED,
                         MADV_COLD,   MADV_DONTDUMP, MADV_DODUMP,     MADV_PAGEOUT};
    char *p = area(5, ANON | MAP_POPULATE);

    memset(p, 3, 5 * PAGE);
    for (unsigned i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        CHECK_OK(madvise(p, 5 * PAGE, hints[i]));
    CHECK_EQ(p[4 * PAGE], 3);
    CHECK_OK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
    CHECK_EQ(there(p, 5), 0x19);
    CHECK_EQ(p[PAGE] + p[3 * PAGE - 1], 0);
    CHECK_EQ(p[0] + p[3 * PAGE], 6);
    CHECK_OK(madvise(p + 3 * PAGE, PAGE, MADV_FREE));
    CHECK(p[3 * PAGE] == 0 || p[3 * PAGE] == 3, "MADV_FREE");
    CHECK_ERRNO(madvise(p, PAGE, 77), EINVAL);
    CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
    CHECK_OK(madvise(p, 0, MADV_DONTNEED));
    CHECK_OK(munmap(p + 2 * PAGE, PAGE));
    CHECK_ERRNO(madvise(p, 5 * PAGE, MADV_WILLNEED), ENOMEM);
    CHECK_ERRNO(madvise(p, 5 * PAGE, MADV_DONTNEED), ENOMEM);
}

/* A private copy that is dropped shows the file again. */
static void case_dontneed_of_a_file(void)
{
    int fd = memfd_create("d", 0);

    CHECK_EQ(pwrite(fd, "file", 4, 0), 4);
    char *p = map_file(fd, PAGE, RW, MAP_PRIVATE), *q = map_shared(fd, PAGE);
    p[0] = 'F';
    q[1] = 'I';
    CHECK_OK(madvise(p, PAGE, MADV_DONTNEED));
    CHECK_OK(madvise(q, PAGE, MADV_DONTNEED));
    CHECK(memcmp(p, "fIle", 4) == 0 && memcmp(q, "fIle", 4) == 0, "'%.4s', '%.4s'", p, q);
    CHECK_ERRNO(madvise(p, PAGE, MADV_FREE), EINVAL);
}

static void case_mlock(void)
{
    char *p = area(6, ANON);

    CHECK_OK(mlock(p + 2 * PAGE + 100, PAGE));
    CHECK_EQ(there(p, 6), 0xc);
    CHECK_OK(mlock2(p + 4 * PAGE, PAGE, 1 /* MLOCK_ONFAULT */));
    CHECK_EQ(there(p, 6), 0xc);
    CHECK_OK(munlock(p, 6 * PAGE));
    CHECK_ERRNO(mlock2(p, PAGE, 2), EINVAL);
    CHECK_OK(mprotect(p, PAGE, PROT_NONE));
    CHECK_ERRNO(mlock(p, PAGE), ENOMEM);
    CHECK_OK(munmap(p + PAGE, PAGE));
    CHECK_ERRNO(mlock(p, 3 * PAGE), ENOMEM);
    CHECK_ERRNO(munlock(p, 3 * PAGE), ENOMEM);
    CHECK_ERRNO(mlock(p, SIZE_MAX), EINVAL);
    CHECK_OK(mlock(p, 0));
    int fd = memfd_create("l", 0);
    CHECK_OK(ftruncate(fd, PAGE));
    CHECK_ERRNO(mlock(map_shared(fd, 2 * PAGE), 2 * PAGE), ENOMEM); /* beyond the end */
    CHECK_OK(mlockall(MCL_CURRENT | MCL_FUTURE));
    CHECK_ERRNO(mlockall(0), EINVAL);
    CHECK_ERRNO(mlockall(16), EINVAL);
    CHECK_OK(munlockall());
}

int main(void)
{
    RUN(case_mincore);
    RUN(case_mincore_is_killed);
    RUN(case_populate);
    RUN(case_msync);
    RUN(case_madvise);
    RUN(case_dontneed_of_a_file);
    RUN(case_mlock);
    return check_done();
}
