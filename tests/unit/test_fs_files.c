/* Bytes: regular files, descriptors, pipes, devices; through the system calls. */
#include "fs_support.h"
#include "unit.h"

#include <string.h>

static char big[200000], back[200000];

static int group_setup(void **state)
{
    uint64_t random = 1;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)random_next(&random);
    return fs_group_setup(state);
}

static struct linux_stat fstat_of(long fd)
{
    struct linux_stat st;
    MUST(SYS(fstat, fd, ARG(&st)));
    return st;
}

static void read_write(void **state)
{
    long fd = SYS(open, ARG("/f"), O_CREAT | O_RDWR, 0644);
    MUST(fd);
    assert_int_equal(SYS(write, fd, ARG(big), 10000), 10000);
    assert_int_equal(SYS(pwrite64, fd, ARG("xy"), 2, 4095), 2);
    memcpy(back, big, 10000);
    memcpy(back + 4095, "xy", 2);
    static char got[20000];
    assert_int_equal(SYS(lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(SYS(read, fd, ARG(got), sizeof(got)), 10000);
    assert_memory_equal(got, back, 10000);
    assert_int_equal(SYS(read, fd, ARG(got), 5), 0);
    FAILS(EINVAL, SYS(pread64, fd, ARG(got), 5, -1));
    /* A hole reads as zeros and costs no page. */
    assert_int_equal(SYS(pwrite64, fd, ARG("end"), 3, 1 << 20), 3);
    assert_int_equal(SYS(pread64, fd, ARG(got), 100, 500000), 100);
    assert_int_equal(got[0] | got[99], 0);
    assert_int_equal(fstat_of(fd).st_size, (1 << 20) + 3);
    assert_true(fstat_of(fd).st_blocks <= 6 * 8);
    FAILS(EFBIG, SYS(pwrite64, fd, ARG("x"), 1, FILE_BYTES_MAX));
    FAILS(EFBIG, SYS(ftruncate, fd, FILE_BYTES_MAX + 1));
    /* What was cut off comes back as zeros. */
    MUST(SYS(ftruncate, fd, 4100));
    MUST(SYS(ftruncate, fd, 9000));
    assert_int_equal(SYS(pread64, fd, ARG(got), 9000, 0), 9000);
    assert_memory_equal(got, back, 4100);
    for (int i = 4100; i < 9000; i++)
        assert_int_equal(got[i], 0);
    assert_int_equal(SYS(lseek, fd, -1, SEEK_END), 8999);
    FAILS(EINVAL, SYS(lseek, fd, -9000, SEEK_CUR));
    FAILS(EINVAL, SYS(lseek, fd, 0, 9));
    assert_int_equal(SYS(lseek, fd, 0, SEEK_HOLE), 9000);
    FAILS(ENXIO, SYS(lseek, fd, 9000, SEEK_DATA));
    long two = SYS(open, ARG("/f"), O_WRONLY | O_APPEND);
    assert_int_equal(SYS(write, two, ARG("ab"), 2), 2);
    assert_int_equal(SYS(pwrite64, two, ARG("cd"), 2, 0), 2);
    assert_int_equal(fstat_of(fd).st_size, 9004);
    FAILS(EBADF, SYS(read, two, ARG(got), 1));
    FAILS(EBADF, SYS(write, 99, ARG(got), 1));
    long three = SYS(open, ARG("/f"), O_RDONLY | O_TRUNC);
    assert_int_equal(fstat_of(three).st_size, 0);
    FAILS(EBADF, SYS(write, three, ARG(got), 1));
    FAILS(EINVAL, SYS(ftruncate, three, 1));
    /* Unlinked, it lives until the last close. */
    MUST(SYS(unlink, ARG("/f")));
    assert_int_equal(SYS(write, fd, ARG("z"), 1), 1);
    assert_int_equal(fstat_of(fd).st_nlink, 0);
}

/* Nothing is written or read that is not counted. */
static void ends_in_the_middle(long fd, char *bad)
{
    struct linux_iovec iov[2] = {{ARG(bad - 64), 64}, {ARG(bad), 64}};
    char got[200];
    int64_t mtime_ns = fstat_of(fd).st_mtim.nsec;

    memset(bad - 64, 'o', 64);
    assert_int_equal(SYS(pwrite64, fd, ARG(big), 200, 0), 200);
    assert_int_equal(SYS(pwritev, fd, ARG(iov), 2, 0), 64);
    assert_int_not_equal(fstat_of(fd).st_mtim.nsec, mtime_ns);
    assert_int_equal(SYS(pread64, fd, ARG(got), 200, 0), 200);
    assert_memory_equal(got, bad - 64, 64);
    assert_memory_equal(got + 64, big + 64, 136);
    assert_int_equal(SYS(preadv, fd, ARG(iov), 2, 100), 64);
    assert_memory_equal(bad - 64, big + 100, 64);
    assert_int_equal(SYS(pread64, fd, ARG(bad - 10), 100, 0), 10);
    FAILS(EFAULT, SYS(preadv, fd, ARG(&iov[1]), 1, 0));
    long zero = SYS(open, ARG("/dev/zero"), O_RDONLY);
    assert_int_equal(SYS(readv, zero, ARG(iov), 2), 64);
}

static void bad_memory(void **state)
{
    long fd = SYS(open, ARG("/f"), O_CREAT | O_RDWR, 0644);
    FAILS(EFAULT, SYS(write, fd, ARG(8), 10));
    assert_int_equal(fstat_of(fd).st_size, 0);
    FAILS(EFAULT, SYS(write, fd, ARG(-4096), 10));
    assert_int_equal(SYS(write, fd, ARG(8), 0), 0);
    /* Memory that ends in the middle: what came before counts, the rest is not appended. */
    char *bad = (char *)ALIGN_UP((uintptr_t)back + 8192, 4096);
    fs_set_bad_page(bad);
    assert_int_equal(SYS(pwrite64, fd, ARG(bad - 5000), 20000, 0), 5000);
    assert_int_equal(fstat_of(fd).st_size, 5000);
    FAILS(EFAULT, SYS(pwrite64, fd, ARG(bad), 20000, 4096));
    assert_int_equal(fstat_of(fd).st_size, 5000);
    ends_in_the_middle(fd, bad);
    fs_set_bad_page(NULL);
    struct linux_iovec iov[3] = {{ARG("one "), 4}, {0, 0}, {ARG("two"), 3}};
    assert_int_equal(SYS(writev, fd, ARG(iov), 3), 7);
    char buf[8];
    assert_int_equal(SYS(pread64, fd, ARG(buf), 8, 0), 8);
    assert_memory_equal(buf, "one two", 7);
    FAILS(EINVAL, SYS(writev, fd, ARG(iov), IOV_MAX + 1));
    FAILS(EFAULT, SYS(writev, fd, ARG(8), 2));
    iov[1].len = (uint64_t)INT64_MAX;
    FAILS(EINVAL, SYS(writev, fd, ARG(iov), 3));
    assert_int_equal(SYS(writev, fd, ARG(iov), 0), 0);
    struct linux_iovec many[20];
    for (int i = 0; i < 20; i++)
        many[i] = (struct linux_iovec){ARG(back + i * 300), 300};
    memset(back, 0, sizeof(back));
    assert_int_equal(SYS(pwrite64, fd, ARG(big), 6000, 0), 6000);
    assert_int_equal(SYS(preadv, fd, ARG(many), 20, 0), 6000);
    assert_memory_equal(back, big, 6000);
}

static void descriptors(void **state)
{
    long fd = SYS(open, ARG("/f"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    MUST(fd);
    assert_int_equal(SYS(dup, fd), 1);
    assert_int_equal(SYS(fcntl, 0, F_GETFD), 1);
    assert_int_equal(SYS(fcntl, 1, F_GETFD), 0);
    assert_int_equal(SYS(fcntl, 0, F_DUPFD_CLOEXEC, 700), 700);
    FAILS(EINVAL, SYS(fcntl, 0, F_DUPFD, FDS_MAX));
    FAILS(EBADF, SYS(fcntl, 5, F_GETFL));
    FAILS(EINVAL, SYS(fcntl, 0, 12345));
    assert_int_equal(SYS(dup2, 0, 1023), 1023);
    FAILS(EBADF, SYS(dup2, 0, 1024));
    FAILS(EBADF, SYS(dup2, 0, -1));
    assert_int_equal(SYS(dup2, 1, 1), 1);
    FAILS(EBADF, SYS(dup2, 9, 9));
    FAILS(EINVAL, SYS(dup3, 1, 1, 0));
    assert_int_equal(SYS(dup3, 0, 1, O_CLOEXEC), 1);
    assert_int_equal(SYS(write, 700, ARG("abc"), 3), 3);
    assert_int_equal(SYS(lseek, 1, 0, SEEK_CUR), 3);
    MUST(SYS(fcntl, 1, F_SETFL, O_APPEND | O_WRONLY));
    assert_int_equal(SYS(fcntl, 0, F_GETFL), O_RDWR | O_APPEND);
    MUST(SYS(fcntl, 1023, F_SETFD, FD_CLOEXEC));
    long n = 0, top = 0;
    while ((fd = SYS(dup, 0)) >= 0) {
        n++;
        top = fd;
    }
    FAILS(EMFILE, fd);
    assert_int_equal(n, 1024 - 4);
    assert_int_equal(top, 1022);
    int fds[2];
    FAILS(EMFILE, SYS(pipe, ARG(fds)));
    MUST(SYS(close, 500));
    FAILS(EMFILE, SYS(pipe, ARG(fds)));
    FAILS(EBADF, SYS(close, 500));
    assert_int_equal(SYS(open, ARG("/f"), O_RDONLY), 500);
    for (fd = 0; fd < 1024; fd++)
        MUST(SYS(close, fd));
    MUST(SYS(open, ARG("/f"), O_PATH));
    FAILS(EBADF, SYS(read, 0, ARG(fds), 1));
    assert_int_equal(fstat_of(0).st_size, 3);
    FAILS(EINVAL, SYS(open, ARG("/f"), O_ACCMODE));
    FAILS(EFAULT, SYS(pipe, ARG(8)));
    assert_int_equal(SYS(dup, 0), 1);
}

static void pipes(void **state)
{
    int p[2], bytes;
    MUST(SYS(pipe2, ARG(p), O_NONBLOCK | O_CLOEXEC));
    FAILS(EINVAL, SYS(pipe2, ARG(p), O_APPEND));
    assert_int_equal(SYS(fcntl, p[0], F_GETFD), 1);
    FAILS(EAGAIN, SYS(read, p[0], ARG(back), 10));
    FAILS(EBADF, SYS(write, p[0], ARG(back), 10));
    FAILS(ESPIPE, SYS(lseek, p[0], 0, SEEK_SET));
    FAILS(ESPIPE, SYS(pread64, p[0], ARG(back), 1, 0));
    assert_int_equal(fstat_of(p[0]).st_mode & S_IFMT, S_IFIFO);
    assert_int_equal(SYS(write, p[1], ARG(big), sizeof(big)), 65536);
    FAILS(EAGAIN, SYS(write, p[1], ARG(big), 1));
    assert_int_equal(SYS(read, p[0], ARG(back), 4000), 4000);
    /* At most PIPE_BUF bytes go whole or not at all; more may go in part. */
    FAILS(EAGAIN, SYS(write, p[1], ARG(big), 4096));
    assert_int_equal(SYS(write, p[1], ARG(big + 65536), 5000), 4000);
    assert_int_equal(SYS(read, p[0], ARG(back + 4000), sizeof(back)), 65536);
    assert_memory_equal(back, big, 69536);
    fs_set_bad_page(back + 100);
    FAILS(EFAULT, SYS(write, p[1], ARG(back), 200));
    fs_set_bad_page(NULL);
    MUST(SYS(ioctl, p[0], FIONREAD, ARG(&bytes)));
    assert_int_equal(bytes, 0);
    assert_int_equal(SYS(write, p[1], ARG("keep"), 4), 4);
    FAILS(EFAULT, SYS(read, p[0], ARG(8), 4));
    assert_int_equal(SYS(read, p[0], ARG(back), 2), 2);
    MUST(SYS(close, p[1]));
    assert_int_equal(SYS(read, p[0], ARG(back + 2), 20), 2);
    assert_memory_equal(back, "keep", 4);
    assert_int_equal(SYS(read, p[0], ARG(back), 20), 0);
    MUST(SYS(pipe, ARG(p)));
    FAILS(EINTR, SYS(read, p[0], ARG(back), 10));
    MUST(SYS(close, p[0]));
    unsigned before = fs_sigpipes();
    FAILS(EPIPE, SYS(write, p[1], ARG(back), 10));
    assert_int_equal(fs_sigpipes(), before + 1);
    assert_int_equal(SYS(write, p[1], ARG(back), 0), 0);
    /* No allocation that fails leaves a descriptor. */
    long err;
    for (unsigned n = 1;; n++) {
        fs_fail_nth(n);
        err = SYS(pipe, ARG(p));
        fs_fail_nth(0);
        if (err == 0)
            break;
        assert_int_equal(err, -ENOMEM);
    }
    assert_int_equal(p[0], 1);
    assert_int_equal(p[1], 3);
    fs_fail_nth(1);
    FAILS(ENOMEM, SYS(write, p[1], ARG(back), 10));
}

/* A pipe is its maker's. */
static void pipe_owner(void **state)
{
    int p[2];
    struct cred *c = fs_cred();
    c->euid = 7, c->egid = 70;
    MUST(SYS(pipe, ARG(p)));
    assert_int_equal(fstat_of(p[0]).st_uid, 7);
    assert_int_equal(fstat_of(p[1]).st_gid, 70);
    MUST(SYS(fchmod, p[0], 0640));
    c->euid = 8;
    FAILS(EPERM, SYS(fchmod, p[1], 0600));
}

/* Such a device has no place to be at. */
static void same_everywhere(const char *name)
{
    char path[20] = "/dev/";
    long fd = SYS(open, ARG(strcat(path, name)), O_RDWR);
    bool null = !strcmp(name, "null"), full = !strcmp(name, "full");
    MUST(SYS(lseek, fd, INT64_MAX, SEEK_SET));
    assert_int_equal(SYS(read, fd, ARG(back), 2), null ? 0 : 2);
    assert_int_equal(SYS(pread64, fd, ARG(back), 2, INT64_MAX), null ? 0 : 2);
    assert_int_equal(SYS(write, fd, ARG(back), 2), full ? -ENOSPC : 2);
    assert_int_equal(SYS(pwrite64, fd, ARG(back), 2, INT64_MAX), full ? -ENOSPC : 2);
    for (unsigned whence = SEEK_SET; whence <= SEEK_HOLE; whence++)
        MUST(SYS(lseek, fd, 1, whence));
    FAILS(EINVAL, SYS(lseek, fd, 0, SEEK_HOLE + 1));
    FAILS(EINVAL, SYS(pread64, fd, ARG(back), 2, -1));
    MUST(SYS(close, fd));
}

static void devices(void **state)
{
    long fd = SYS(open, ARG("/dev/zero"), O_RDWR);
    memset(back, 1, 100);
    assert_int_equal(SYS(read, fd, ARG(back), 100), 100);
    assert_int_equal(back[0] | back[99], 0);
    assert_int_equal(SYS(write, fd, ARG(back), 100), 100);
    fd = SYS(open, ARG("/dev/full"), O_RDWR);
    FAILS(ENOSPC, SYS(write, fd, ARG(back), 1));
    fd = SYS(open, ARG("/dev/null"), O_RDWR | O_TRUNC | O_CREAT, 0600);
    assert_int_equal(SYS(read, fd, ARG(back), 100), 0);
    assert_int_equal(SYS(write, fd, ARG(big), sizeof(big)), sizeof(big));
    assert_int_equal(fstat_of(fd).st_rdev, DEV_OF(1, 3));
    FAILS(ENOTTY, SYS(ioctl, fd, TCGETS, ARG(back)));
    fd = SYS(open, ARG("/dev/urandom"), O_RDONLY);
    assert_int_equal(SYS(read, fd, ARG(back), 1000), 1000);
    assert_int_equal(SYS(read, fd, ARG(back + 1000), 1000), 1000);
    assert_memory_not_equal(back, back + 1000, 1000);
    for (int i = 0; i < 5; i++)
        same_everywhere((const char *[]){"zero", "full", "null", "random", "urandom"}[i]);
    fd = SYS(open, ARG("/proc/meminfo"), O_RDONLY);
    long n = SYS(read, fd, ARG(back), 1000);
    assert_true(n > 30);
    assert_memory_equal(back, "MemTotal: ", 10);
    assert_int_equal(SYS(pread64, fd, ARG(back + 1000), 3, 3), 3);
    assert_memory_equal(back + 1000, "Tot", 3);
    FAILS(EACCES, SYS(open, ARG("/proc/meminfo"), O_RDWR));
    FAILS(EPERM, SYS(open, ARG("/proc/new"), O_RDWR | O_CREAT, 0600));
    struct linux_statfs st;
    MUST(SYS(fstatfs, fd, ARG(&st)));
    assert_int_equal(st.f_type, PROC_MAGIC);
    long in = SYS(open, ARG("/f"), O_CREAT | O_RDWR, 0600);
    long out = SYS(open, ARG("/g"), O_CREAT | O_RDWR, 0600);
    assert_int_equal(SYS(write, in, ARG(big), 20000), 20000);
    int64_t offset = 100;
    assert_int_equal(SYS(sendfile, out, in, ARG(&offset), 50000), 19900);
    assert_int_equal(offset, 20000);
    assert_int_equal(SYS(sendfile, out, in, 0, 10), 0);
    assert_int_equal(SYS(pread64, out, ARG(back), 20000, 0), 19900);
    assert_memory_equal(back, big + 100, 19900);
}

/* sendfile(2), ERRORS. */
static void sendfile_refuses(void **state)
{
    int p[2];
    int64_t offset = 0;
    long in = SYS(open, ARG("/f"), O_CREAT | O_RDWR, 0600);
    long out = SYS(open, ARG("/g"), O_CREAT | O_RDWR, 0600);
    MUST(SYS(pipe, ARG(p)));
    assert_int_equal(SYS(write, in, ARG(big), 10), 10);
    assert_int_equal(SYS(write, p[1], ARG(big), 10), 10);
    FAILS(EINVAL, SYS(sendfile, out, p[0], 0, 10));
    FAILS(ESPIPE, SYS(sendfile, out, p[0], ARG(&offset), 10));
    FAILS(EBADF, SYS(sendfile, p[0], in, ARG(&offset), 10));
    FAILS(EBADF, SYS(sendfile, out, p[1], ARG(&offset), 10));
    FAILS(EFAULT, SYS(sendfile, out, in, ARG(8), 10));
    MUST(SYS(fcntl, out, F_SETFL, O_APPEND));
    FAILS(EINVAL, SYS(sendfile, out, in, ARG(&offset), 10));
    assert_int_equal(offset, 0);
    MUST(SYS(fcntl, out, F_SETFL, 0));
    assert_int_equal(SYS(sendfile, out, in, ARG(&offset), 10), 10);
}

/* A count that no memory of a program has is -EFAULT before anything moves. */
static void counts_too_large(void **state)
{
    long fd = SYS(open, ARG("/f"), O_CREAT | O_RDWR, 0600);
    FAILS(EFAULT, SYS(write, fd, ARG(big), SIZE_MAX));
    FAILS(EFAULT, SYS(pwrite64, fd, ARG(big), (uint64_t)1 << 47, 0));
    assert_int_equal(SYS(lseek, fd, 0, SEEK_END), 0);
    FAILS(EFAULT, SYS(read, fd, ARG(back), SIZE_MAX));
}

static void polling(void **state)
{
    int p[2];
    MUST(SYS(pipe, ARG(p)));
    struct linux_pollfd pfd[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 9}};
    assert_int_equal(SYS(poll, ARG(pfd), 3, 0), 1);
    assert_int_equal(pfd[0].revents, 0);
    assert_int_equal(pfd[1].revents, POLLOUT);
    assert_int_equal(pfd[2].revents, 0);
    MUST(SYS(poll, ARG(pfd), 1, 50));
    FAILS(EINTR, SYS(poll, ARG(pfd), 1, -1));
    FAILS(EINVAL, SYS(poll, ARG(pfd), 5000, 0));
    FAILS(EFAULT, SYS(poll, ARG(8), 1, 0));
    MUST(SYS(poll, 0, 0, 10));
    pfd[2].fd = 99;
    assert_int_equal(SYS(poll, ARG(pfd), 3, -1), 2);
    assert_int_equal(pfd[2].revents, POLLNVAL);
    uint64_t r[16] = {1u << p[0]}, w[16] = {1u << p[1]};
    struct linux_timeval tv = {0, 1000};
    assert_int_equal(SYS(select, 2, ARG(r), ARG(w), 0, ARG(&tv)), 1);
    assert_int_equal(r[0], 0);
    assert_int_equal(w[0], 1u << p[1]);
    assert_int_equal(SYS(write, p[1], ARG("x"), 1), 1);
    r[0] = 1u << p[0];
    assert_int_equal(SYS(select, 64, ARG(r), 0, 0, 0), 1);
    r[0] = 1u << 20;
    FAILS(EBADF, SYS(select, 64, ARG(r), 0, 0, 0));
    MUST(SYS(close, p[1]));
    assert_int_equal(SYS(poll, ARG(pfd), 1, 0), 1);
    assert_int_equal(pfd[0].revents, POLLIN | POLLHUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_write, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(bad_memory, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(descriptors, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(pipes, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(pipe_owner, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(devices, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(sendfile_refuses, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(counts_too_large, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(polling, fs_setup, fs_teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
