/* Shared memory as files: /dev/shm, memfd, and anonymous shared memory (P1 to P3, A1, A7). */
#include "door.h"
#include "runner.h"

#include <signal.h>
#include <sys/stat.h>

#define F "/dev/shm/f"
#define G "/dev/shm/g"

static int make(const char *path, size_t bytes)
{
    long fd = u_open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    U_CHECK(fd >= 0);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, bytes), 0);
    return (int)fd;
}

static long u_close(int fd)
{
    return U_CALL(SYS_close, (unsigned long)fd);
}

static long u_truncate(int fd, size_t bytes)
{
    return U_CALL(SYS_ftruncate, (unsigned long)fd, bytes);
}

static struct stat stat_of(int fd)
{
    struct stat st = {0};
    uintptr_t at = u_put(0, &st, sizeof st);
    U_EQ(U_CALL(SYS_fstat, (unsigned long)fd, at), 0);
    u_get(at, &st, sizeof st);
    return st;
}

/* ---- files and regions are one */

static int file_is_region(uintptr_t sp)
{
    int fd = make(F, 2 * U_PAGE + 5);
    uintptr_t at = 0;
    U_EQ(u_region("f").size_bytes, 3 * U_PAGE);
    U_EQ(u_region("f").flags, RS_PERSIST);
    U_EQ(u_map("f", &at), 0);
    U_EQ(u_pwrite(fd, "hello", 5, (long)U_PAGE - 2), 5);
    U_EQ(u_load8(at + U_PAGE), 'l');
    u_store8(at, 'x');
    char byte = 0;
    U_EQ(u_pread(fd, &byte, 1, 0), 1);
    U_EQ(byte, 'x');
    struct stat st = stat_of(fd);
    U_EQ(st.st_size, 2 * U_PAGE + 5);
    U_EQ(st.st_nlink, 1);
    U_EQ(st.st_mode, S_IFREG | 0600);
    U_EQ(u_chmod_region("f", 0640), 0);
    U_EQ(stat_of(fd).st_mode, S_IFREG | 0640);
    U_EQ(U_CALL(SYS_fchmod, (unsigned long)fd, 0604), 0);
    U_EQ(u_region("f").mode, 0604);
    U_EQ(U_CALL(SYS_fchown, (unsigned long)fd, 7, 8), 0);
    U_EQ(u_region("f").uid, 7);
    U_EQ(u_region("f").gid, 8);
    U_EQ(u_create("f", U_PAGE, 0), ERR_EXIST);
    U_EQ(u_open(F, O_CREAT | O_EXCL | O_RDWR, 0600), -EEXIST);
    int again = (int)u_open(F, O_RDWR | O_CREAT, 0600);
    U_EQ(stat_of(again).st_ino, st.st_ino);
    U_EQ(u_close(fd), 0);
    U_EQ(u_close(again), 0);
    fd = (int)u_open(F, O_RDONLY, 0); /* its times are kept while nobody looks */
    U_EQ(stat_of(fd).st_mtime, st.st_mtime);
    U_EQ(stat_of(fd).st_mode, S_IFREG | 0604);
    U_EQ(u_unmap("f", at), 0);
    U_EQ(u_destroy("f"), 0);
    U_EQ(stat_of(fd).st_nlink, 0);
    U_EQ(u_open(F, O_RDONLY, 0), -ENOENT);
    U_EQ(u_create("f", U_PAGE, RS_DEFAULT), 0);
    U_CHECK(u_open(F, O_RDWR, 0) >= 0);
    return 0;
}

/* ---- sizes (P2) */

static int sizes(uintptr_t sp)
{
    host_catch_faults();
    int fd = make(F, 5 * U_PAGE);
    uintptr_t at = u_mmap(0, 5 * U_PAGE, U_RW, MAP_SHARED, fd, 0);
    uintptr_t copy = u_mmap(0, 5 * U_PAGE, U_RW, MAP_PRIVATE, fd, 0);
    u_fill(at, 5, 1);
    u_store8(at + U_PAGE + 100, 2);
    u_store8(copy + 4 * U_PAGE, 3);
    U_EQ(u_load8(copy + 3 * U_PAGE), 1);
    U_EQ(u_truncate(fd, U_PAGE + 50), 0);
    U_EQ(u_load8(at + U_PAGE), 1);
    U_EQ(u_try_read(at + 2 * U_PAGE), SIGBUS);
    U_EQ(u_try_write(at + 4 * U_PAGE), SIGBUS);
    U_EQ(u_try_read(copy + 3 * U_PAGE), SIGBUS);
    U_EQ(u_try_write(copy + 4 * U_PAGE), SIGBUS); /* its private copy has gone, too */
    U_EQ(u_region("f").resident_bytes, 2 * U_PAGE);
    u_walk();
    U_EQ(u_truncate(fd, 5 * U_PAGE), 0);
    U_EQ(u_load8(at + U_PAGE + 100), 0); /* zero behind the old end */
    U_EQ(u_load8(at + 2 * U_PAGE), 0);
    U_EQ(u_truncate(fd, 0), 0);
    U_EQ(u_truncate(fd, 0), 0);
    U_EQ(u_region("f").resident_bytes, 0);
    U_EQ(u_truncate(fd, 1ul << 62), -EFBIG);
    U_EQ(u_truncate(fd, U_GIB), -ENOMEM); /* promised (A7) */
    U_EQ(stat_of(fd).st_size, 0);
    U_EQ(u_pwrite(fd, "x", 1, 20 * U_PAGE), 1);
    U_EQ(stat_of(fd).st_size, 20 * U_PAGE + 1);
    U_EQ(U_CALL(SYS_fallocate, (unsigned long)fd, 0, 0, 30 * U_PAGE), 0);
    U_EQ(stat_of(fd).st_size, 30 * U_PAGE);
    U_EQ(u_open(F, O_RDWR | O_TRUNC, 0) < 0, false);
    U_EQ(stat_of(fd).st_size, 0);
    return 0;
}

static int sparse(uintptr_t sp)
{
    U_EQ(u_create("f", U_PAGE, RS_NORESERVE | RS_PERSIST), 0);
    int fd = (int)u_open(F, O_RDWR, 0);
    U_EQ(u_truncate(fd, U_GIB), 0);
    U_EQ(u_pwrite(fd, "x", 1, (long)U_GIB - 1), 1);
    U_EQ(u_region("f").resident_bytes, U_PAGE);
    U_EQ(u_truncate(fd, 1), 0);
    U_EQ(u_region("f").resident_bytes, 0);
    return 0;
}

static long u_seek(int fd, long offset, int whence)
{
    return U_CALL(SYS_lseek, (unsigned long)fd, offset, whence);
}

static long send_from(int to, int from, int64_t offset)
{
    return U_CALL(SYS_sendfile, (unsigned long)to, (unsigned long)from, u_put(0, &offset, 8), 1);
}

/* R2 allows a region that is larger than any file may be: it shows the largest size there is. */
static int larger_than_files(uintptr_t sp)
{
    static const size_t sizes[] = {1ul << 63, -2 * U_PAGE, -U_PAGE};
    const long most = INT64_MAX - INT64_MAX % (long)U_PAGE;
    int other = make(G, 0);
    char byte = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        U_EQ(u_create("f", sizes[i], RS_NORESERVE), 0);
        U_EQ(u_region("f").size_bytes, sizes[i]);
        int fd = (int)u_open(F, O_RDWR, 0);
        U_EQ(stat_of(fd).st_size, most);
        U_EQ(u_seek(fd, 0, SEEK_END), most);
        U_EQ(u_seek(fd, INT64_MAX, SEEK_END), -EOVERFLOW);
        U_EQ(u_seek(fd, INT64_MAX, SEEK_SET), INT64_MAX);
        U_EQ(U_CALL(SYS_read, (unsigned long)fd, u_put(0, &byte, 1), 1), 0);
        U_EQ(U_CALL(SYS_write, (unsigned long)fd, u_put(0, &byte, 1), 1), -EFBIG);
        U_EQ(u_seek(fd, 0, SEEK_CUR), INT64_MAX);
        U_EQ(send_from(other, fd, INT64_MAX), 0);
        U_EQ(send_from(other, fd, most - 1), 1);
        U_EQ(u_pwrite(fd, "x", 1, 5), 1); /* does not cut it */
        U_EQ(u_region("f").size_bytes, sizes[i]);
        U_EQ(u_close(fd), 0);
        U_EQ(u_destroy("f"), 0);
    }
    return 0;
}

/* A resize is seen by pieces of mappings, by what begins behind the end, and by other processes. */
static uint32_t cut;

static int sees_the_cut(uintptr_t at)
{
    host_catch_faults();
    U_EQ(u_load8(at), 1);
    U_EQ(u_load8(at + 4 * U_PAGE), 1);
    __atomic_store_n(&cut, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(__atomic_load_n(&cut, __ATOMIC_SEQ_CST) == 2);
    U_EQ(u_load8(at), 1);
    U_EQ(u_try_read(at + 4 * U_PAGE), SIGBUS);
    return 0;
}

static int cut_is_seen(uintptr_t sp)
{
    host_catch_faults();
    cut = 0;
    int fd = make(F, 200 * U_PAGE);
    uintptr_t at = u_mmap(0, 5 * U_PAGE, U_RW, MAP_SHARED, fd, 0);
    uintptr_t tail = u_mmap(0, 190 * U_PAGE, U_RW, MAP_SHARED, fd, 10 * U_PAGE);
    u_fill(at, 5, 1);
    u_fill(tail, 190, 2);
    U_EQ(U_CALL(SYS_munmap, at + U_PAGE, U_PAGE), 0);
    long pid = u_fork(sees_the_cut, at);
    U_WAIT_UNTIL(__atomic_load_n(&cut, __ATOMIC_SEQ_CST) == 1);
    U_EQ(u_truncate(fd, 3 * U_PAGE), 0);
    __atomic_store_n(&cut, 2, __ATOMIC_SEQ_CST);
    U_EQ(u_try_read(tail), SIGBUS);
    U_EQ(u_load8(at + 2 * U_PAGE), 1);
    U_EQ(u_try_read(at + 3 * U_PAGE), SIGBUS);
    u_must_exit(pid, 0);
    u_walk();
    return 0;
}

/* ---- names */

static int names(uintptr_t sp)
{
    int fd = make(F, U_PAGE);
    char name[140];
    U_EQ(u_two_paths(SYS_link, F, G), 0);
    U_EQ(stat_of(fd).st_nlink, 2);
    U_EQ(u_region("g").id, u_region("f").id);
    U_EQ(u_two_paths(SYS_link, F, G), -EEXIST);
    U_EQ(u_create("g", U_PAGE, 0), ERR_EXIST);
    for (unsigned i = 2; i < 40; i++) {
        snprintf(name, sizeof name, "/dev/shm/n%u", i * 7 % 40);
        long err = u_two_paths(SYS_link, F, name);
        U_CHECK(err == 0 || err == -EMLINK);
        if (err)
            break;
    }
    u_walk();
    unsigned links = (unsigned)stat_of(fd).st_nlink;
    U_CHECK(links > 2 && links < 40);
    U_EQ(u_two_paths(SYS_link, F, "/dev/shm/last"), -EMLINK);
    U_EQ(u_unlink(F), 0); /* its first name */
    U_EQ(stat_of(fd).st_nlink, links - 1);
    U_EQ(u_unlink(F), -ENOENT);
    U_EQ(u_two_paths(SYS_link, G, F), 0);
    U_EQ(u_unlink(G), 0);
    U_EQ(u_destroy("f"), 0); /* all its names go */
    U_EQ(stat_of(fd).st_nlink, 0);
    U_EQ(u_open("/dev/shm/n7", O_RDONLY, 0), -ENOENT);
    snprintf(name, sizeof name, "/dev/shm/%0130d", 1);
    U_EQ(u_open(name, O_RDONLY, 0), -ENAMETOOLONG);
    U_EQ(u_open(name, O_CREAT | O_RDWR, 0600), -ENAMETOOLONG);
    fd = make(F, U_PAGE);
    U_EQ(u_two_paths(SYS_link, F, name), -ENAMETOOLONG);
    U_EQ(U_CALL(SYS_mkdir, u_string(0, "/dev/shm/dir"), 0700), -EPERM);
    U_EQ(u_two_paths(SYS_symlink, F, "/dev/shm/s"), -EPERM);
    U_CHECK(u_two_paths(SYS_rename, F, G) < 0);
    U_EQ(u_region("f").size_bytes, U_PAGE);
    return 0;
}

static int link_waits(uintptr_t arg)
{
    uintptr_t at = 0;
    return (int)-u_map_with("late", &at, (struct region_map){.flags = RM_WAIT, .timeout_s = -1});
}

/* Whoever waits for a name gets it by a link, too. */
static int link_is_existence(uintptr_t sp)
{
    int fd = make(F, U_PAGE);
    long pid = u_fork(link_waits, 0);
    U_WAIT_UNTIL(u_sleeps(pid));
    U_EQ(u_two_paths(SYS_link, F, "/dev/shm/late"), 0);
    u_must_exit(pid, 0);
    U_EQ(u_unlink(F), 0);
    U_EQ(u_unlink("/dev/shm/late"), 0);
    U_EQ(u_close(fd), 0);
    return 0;
}

struct u_dirent {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

/* How many entries of the directory have this name, `bytes` at a time. */
static unsigned list_names(const char *name, size_t bytes)
{
    static char data[U_PAGE];
    unsigned n = 0;
    long fd = u_open("/dev/shm", O_RDONLY | O_DIRECTORY, 0), got;
    uintptr_t at = u_put(0, data, sizeof data);
    while ((got = U_CALL(SYS_getdents64, (unsigned long)fd, at, bytes)) > 0) {
        u_get(at, data, (size_t)got);
        for (long i = 0; i < got; i += ((struct u_dirent *)(data + i))->reclen)
            n += !strcmp(((struct u_dirent *)(data + i))->name, name);
    }
    U_EQ(got, 0);
    U_EQ(u_close((int)fd), 0);
    return n;
}

static int lists(uintptr_t sp)
{
    static const char *const all[] = {"a", "b", "c", "d", "e", "linked", "twice"};
    for (unsigned i = 0; i < 5; i++)
        U_EQ(u_create(all[i], U_PAGE, RS_DEFAULT), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/b", "/dev/shm/linked"), 0);
    U_EQ(u_two_paths(SYS_link, "/dev/shm/b", "/dev/shm/twice"), 0);
    U_CHECK(U_CALL(SHOAL_SYS_shm_open, 3) > 0); /* of other doors: no file */
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        U_EQ(list_names(all[i], U_PAGE), 1);
        U_EQ(list_names(all[i], 32), 1);
    }
    U_EQ(u_unlink("/dev/shm/b"), 0);
    U_EQ(list_names("b", 32), 0);
    U_EQ(list_names("linked", 32), 1);
    U_EQ(list_names("..", U_PAGE), 1);
    return 0;
}

/* ---- rights of the directory and of files */

/* A link keeps the memory, which its owner is charged for: not for everyone (P1, A7). */
static int friend(uintptr_t arg)
{
    u_become(1000, 7);
    U_EQ(u_two_paths(SYS_link, F, G), 0);
    U_EQ(u_unlink(G), -EACCES); /* sticky: the owner's, for all that */
    return 0;
}

static int stranger(uintptr_t arg)
{
    u_become(1000, 1000);
    U_EQ(u_two_paths(SYS_link, F, G), -EPERM);
    U_EQ(u_open(F, O_RDWR, 0), -EACCES);
    long fd = u_open(F, O_RDONLY, 0);
    U_CHECK(fd >= 0);
    U_EQ(U_CALL(SYS_mmap, 0, U_PAGE, U_RW, MAP_SHARED, (unsigned long)fd, 0), -EACCES);
    uintptr_t at = u_mmap(0, U_PAGE, PROT_READ, MAP_SHARED, (int)fd, 0);
    U_EQ(U_CALL(SYS_mprotect, at, U_PAGE, U_RW), -EACCES);
    at = u_mmap(0, U_PAGE, U_RW, MAP_PRIVATE, (int)fd, 0);
    u_store8(at, 1);
    U_CHECK(u_unlink(F) < 0); /* sticky */
    U_EQ(U_CALL(SYS_fchmod, (unsigned long)fd, 0777), -EPERM);
    fd = u_open(G, O_CREAT | O_RDWR, 0600);
    U_CHECK(fd >= 0);
    U_EQ(u_region("g").uid, 1000);
    U_EQ(u_two_paths(SYS_link, G, "/dev/shm/own"), 0);
    U_EQ(u_unlink("/dev/shm/own"), 0);
    U_EQ(u_unlink(G), 0);
    return 0;
}

static int file_rights(uintptr_t sp)
{
    int fd = make(F, U_PAGE);
    U_EQ(U_CALL(SYS_fchmod, (unsigned long)fd, 0644), 0);
    u_child_does(stranger, 0);
    U_EQ(U_CALL(SYS_fchmod, (unsigned long)fd, 0664), 0);
    U_EQ(U_CALL(SYS_fchown, (unsigned long)fd, -1, 7), 0);
    u_child_does(friend, 0);
    U_EQ(u_unlink(G), 0);
    U_EQ(u_close(fd), 0);
    return 0;
}

/* ---- memory without a name */

static int memfd_child(uintptr_t fd)
{
    U_EQ(u_pwrite((int)fd, "child", 5, 0), 5);
    return 0;
}

static int memfd(uintptr_t sp)
{
    long fd = U_CALL(SYS_memfd_create, u_string(0, "any"), 0);
    U_CHECK(fd >= 0);
    U_EQ(U_CALL(SYS_memfd_create, u_string(0, "any"), 8), -EINVAL);
    U_EQ(U_CALL(SYS_memfd_create, U_BAD, 0), -EFAULT);
    U_EQ(u_truncate((int)fd, 3 * U_PAGE), 0);
    u_child_does(memfd_child, (uintptr_t)fd);
    uintptr_t at = u_mmap(0, 3 * U_PAGE, U_RW, MAP_SHARED, (int)fd, 0);
    U_EQ(u_load8(at), 'c');
    U_CHECK(u_file_has("/proc/regions", "memfd"));
    U_EQ(stat_of((int)fd).st_nlink, 0);
    U_EQ(U_CALL(SYS_fchmod, (unsigned long)fd, 0600), 0);
    U_EQ(u_close((int)fd), 0);
    U_EQ(u_load8(at), 'c');
    U_EQ(U_CALL(SYS_munmap, at, 3 * U_PAGE), 0);
    U_CHECK(!u_file_has("/proc/regions", "memfd"));
    return 0;
}

static int anon_child(uintptr_t at)
{
    u_store8(at, 9);
    u_store8(at + 2 * U_PAGE, 8);
    return 0;
}

static int anonymous(uintptr_t sp)
{
    uintptr_t at = u_mmap(0, 3 * U_PAGE, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    u_child_does(anon_child, at);
    U_EQ(u_load8(at), 9);
    U_EQ(u_load8(at + 2 * U_PAGE), 8);
    U_CHECK(u_file_has("/proc/regions", "anon"));
    U_CHECK(u_file_has("/proc/self/maps", "anon"));
    U_EQ(U_CALL(SYS_mmap, 0, U_GIB, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), -ENOMEM); /* A7 */
    U_EQ(U_CALL(SYS_mmap, 0, ~0ul - 5, U_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), -ENOMEM);
    u_mmap(0, U_GIB, U_RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    U_EQ(U_CALL(SYS_munmap, at, 3 * U_PAGE), 0);
    u_walk();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "file_is_region", .init = file_is_region, .runs = 1},
        {.name = "sizes", .init = sizes, .runs = 2},
        {.name = "sparse", .init = sparse, .runs = 1},
        {.name = "larger_than_files", .init = larger_than_files, .runs = 1},
        {.name = "cut_is_seen", .init = cut_is_seen, .runs = 3},
        {.name = "names", .init = names, .runs = 1},
        {.name = "link_is_existence", .init = link_is_existence, .runs = 2},
        {.name = "lists", .init = lists, .runs = 1},
        {.name = "file_rights", .init = file_rights, .runs = 1},
        {.name = "memfd", .init = memfd, .runs = 2},
        {.name = "anonymous", .init = anonymous, .runs = 2},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
