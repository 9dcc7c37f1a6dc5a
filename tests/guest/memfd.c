/* P3: files of memory without a name, and memory for files in advance (fallocate). */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "child.h"
#include "probe.h"
#include "shmfile.h"

static int memfd_new(unsigned flags)
{
    int fd = memfd_create("test", flags);

    CHECK(fd >= 0, "P3: memfd_create: %s", strerror(errno));
    return fd;
}

static void writes_and_maps(void *arg)
{
    int fd = *(int *)arg;
    char *p = map_shared(fd, 2 * PAGE);

    CHECK_EQ(p[PAGE], 'p');
    p[PAGE] = 'c';
    CHECK_EQ(pwrite(fd, "more", 4, 3 * PAGE), 4);
}

static void case_shared_with_a_child(void)
{
    struct stat st;
    int fd = memfd_new(0);

    CHECK_OK(fstat(fd, &st));
    CHECK(S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 0,
          "mode %o, size %ld, nlink %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    CHECK_OK(ftruncate(fd, 2 * PAGE));
    char *p = map_shared(fd, 2 * PAGE);
    p[PAGE] = 'p';
    MUST_EXIT(writes_and_maps, &fd, 0);
    CHECK_EQ(p[PAGE], 'c');
    CHECK_EQ(size_of(fd), 3 * PAGE + 4);
    CHECK_OK(close(fd));
    CHECK_EQ(p[PAGE], 'c'); /* the mapping keeps it */
}

static void case_read_write_seek(void)
{
    char text[16] = "";
    int fd = memfd_new(0);

    CHECK_EQ(write(fd, "hello world", 11), 11);
    CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
    CHECK_EQ(read(fd, text, 16), 5);
    CHECK(memcmp(text, "world", 5) == 0, "'%.5s'", text);
    CHECK_OK(ftruncate(fd, 2));
    CHECK_OK(ftruncate(fd, 11));
    CHECK_EQ(pread(fd, text, 16, 0), 11);
    CHECK(memcmp(text, "he\0\0\0\0\0\0\0\0\0", 11) == 0, "P2: bytes that were cut off came back");
}

static void case_refused(void)
{
    char name[260];

    memset(name, 'x', sizeof(name));
    name[250] = '\0';
    CHECK_ERRNO(memfd_create(name, 0), EINVAL);
    name[249] = '\0';
    CHECK_OK(memfd_create(name, 0));
    CHECK_ERRNO(memfd_create("x", 2 /* MFD_ALLOW_SEALING: there are no seals */), EINVAL);
    CHECK_ERRNO(memfd_create("x", 4 /* MFD_HUGETLB */), EINVAL);
    CHECK_ERRNO(memfd_create("x", 0x8000), EINVAL);
    CHECK_ERRNO(memfd_create((char *)8, 0), EFAULT);
    int fd = memfd_new(MFD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(memfd_new(0), F_GETFD), 0);
    CHECK_ERRNO(fcntl(fd, 1034 /* F_GET_SEALS */), EINVAL);
    CHECK_ERRNO(ftruncate(fd, 1l << 45), EFBIG);
    CHECK_ERRNO(ftruncate(fd, 1l << 39), ENOMEM); /* A7: growth is promised */
    CHECK_ERRNO(pwrite(fd, "x", 1, 1l << 39), ENOSPC);
    CHECK_EQ(size_of(fd), 0);
}

static void fallocate_check(int fd)
{
    char c = 1;

    CHECK_OK(fallocate(fd, 0, PAGE, 100));
    CHECK_EQ(size_of(fd), PAGE + 100);
    CHECK_EQ(pwrite(fd, "z", 1, 50), 1);
    CHECK_OK(fallocate(fd, 0, 0, 10)); /* nothing is lost, nothing gets shorter */
    CHECK_EQ(size_of(fd), PAGE + 100);
    CHECK_EQ(pread(fd, &c, 1, 50), 1);
    CHECK_EQ(c, 'z');
    CHECK_EQ(pread(fd, &c, 1, PAGE + 99), 1);
    CHECK_EQ(c, 0);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, -1, 5), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 1l << 40, 5), EFBIG);
    CHECK_ERRNO(fallocate(fd, 0, 0, 1l << 32), ENOSPC);
    CHECK_ERRNO(fallocate(fd, 3 /* punch a hole */, 0, PAGE), EOPNOTSUPP);
    CHECK_EQ(size_of(fd), PAGE + 100);
}

static void case_fallocate(void)
{
    int fd = open("/tmp/allocated", O_CREAT | O_RDWR, 0600), ends[2];

    fallocate_check(memfd_new(0));
    CHECK_OK(fd);
    CHECK_OK(unlink("/tmp/allocated"));
    CHECK_OK(fallocate(fd, 0, 0, PAGE));
    CHECK_EQ(size_of(fd), PAGE);
    CHECK_OK(pipe(ends));
    CHECK_ERRNO(fallocate(ends[1], 0, 0, 1), ESPIPE);
    CHECK_ERRNO(fallocate(ends[0], 0, 0, 1), EBADF);
    CHECK_ERRNO(fallocate(open("/dev/null", O_WRONLY), 0, 0, 1), ENODEV);
    CHECK_ERRNO(fallocate(77, 0, 0, 1), EBADF);
}

static blkcnt_t blocks_of(int fd)
{
    struct stat st;

    CHECK_OK(fstat(fd, &st));
    return st.st_blocks;
}

/* One page is there, and a gigabyte could be: more than there is memory. */
static void failed_fallocate_check(int fd)
{
    char c = 0;

    CHECK_EQ(pwrite(fd, "z", 1, 5 * PAGE), 1);
    CHECK_OK(ftruncate(fd, 1l << 30));
    blkcnt_t blocks = blocks_of(fd);
    CHECK_ERRNO(fallocate(fd, 0, 0, 1l << 30), ENOSPC);
    CHECK_EQ(blocks_of(fd), blocks);
    CHECK_ERRNO(fallocate(fd, 0, 0, 1l << 31), ENOSPC);
    CHECK_EQ(size_of(fd), 1l << 30);
    CHECK_ERR(createSharedRegion("other", 64 << 10, RS_DEFAULT), ERR_OK);
    CHECK_ERR(destroySharedRegion("other"), ERR_OK);
    CHECK_EQ(pread(fd, &c, 1, 5 * PAGE), 1);
    CHECK_EQ(c, 'z');
    CHECK_OK(fallocate(fd, 0, 0, 10 * PAGE));
    CHECK_EQ(blocks_of(fd), blocks + 9 * (blkcnt_t)PAGE / 512);
    CHECK_OK(close(fd));
}

/* A3: fallocate that fails takes no memory. */
static void case_failed_fallocate(void)
{
    int fd = open("/tmp/sparse", O_CREAT | O_RDWR, 0600);

    CHECK_OK(fd);
    CHECK_OK(unlink("/tmp/sparse"));
    failed_fallocate_check(fd);
    CHECK_ERR(createSharedRegion("sparse", 1ul << 30, RS_PERSIST | RS_NORESERVE), ERR_OK);
    failed_fallocate_check(shm_open("/sparse", O_RDWR, 0));
    CHECK_ERR(destroySharedRegion("sparse"), ERR_OK);
}

static void case_thousand(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        int fd = memfd_new(0);

        CHECK_OK(ftruncate(fd, 4 * PAGE));
        char *p = map_shared(fd, 4 * PAGE);
        p[PAGE] = 1;
        CHECK_OK(close(fd));
        CHECK_OK(munmap(p, 4 * PAGE));
    }
}

int main(void)
{
    RUN(case_shared_with_a_child);
    RUN(case_read_write_seek);
    RUN(case_refused);
    RUN(case_fallocate);
    RUN(case_failed_fallocate);
    RUN(case_thousand);
    return check_done();
}
