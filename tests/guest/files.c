/* Files and folders of the ramfs, in /tmp. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "child.h"

static int file_open(const char *path, int flags)
{
    int fd = open(path, flags, 0644);

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    return fd;
}

static void case_write_read_seek(void)
{
    char text[32] = "";
    int fd = file_open("/tmp/f1", O_CREAT | O_RDWR | O_TRUNC);

    CHECK_EQ(write(fd, "hello world", 11), 11);
    CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
    CHECK_EQ(read(fd, text, sizeof(text)), 5);
    CHECK(memcmp(text, "world", 5) == 0, "read '%.5s'", text);
    CHECK_EQ(read(fd, text, 1), 0);
    CHECK_EQ(lseek(fd, -2, SEEK_END), 9);
    CHECK_EQ(lseek(fd, 1, SEEK_CUR), 10);
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_OK(close(fd));
    CHECK_ERRNO(read(fd, text, 1), EBADF);
    CHECK_OK(unlink("/tmp/f1"));
}

static void case_holes_are_zero(void)
{
    char text[100];
    int fd = file_open("/tmp/f2", O_CREAT | O_RDWR | O_TRUNC);
    struct stat st;

    CHECK_EQ(lseek(fd, 20000, SEEK_SET), 20000);
    CHECK_EQ(write(fd, "end", 3), 3);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 20003);
    CHECK_EQ(lseek(fd, 19950, SEEK_SET), 19950);
    CHECK_EQ(read(fd, text, sizeof(text)), 53);
    for (unsigned i = 0; i < 50; i++)
        CHECK_EQ(text[i], 0);
    CHECK(memcmp(text + 50, "end", 3) == 0, "the end");
    close(fd);
    CHECK_OK(unlink("/tmp/f2"));
}

static void case_open_flags(void)
{
    char text[8];
    int fd = file_open("/tmp/f3", O_CREAT | O_EXCL | O_WRONLY);

    CHECK_EQ(write(fd, "12345", 5), 5);
    CHECK_ERRNO(read(fd, text, 1), EBADF);
    close(fd);
    CHECK_ERRNO(open("/tmp/f3", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
    fd = file_open("/tmp/f3", O_WRONLY | O_APPEND);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(write(fd, "67", 2), 2);
    close(fd);
    fd = file_open("/tmp/f3", O_RDONLY);
    CHECK_EQ(read(fd, text, 8), 7);
    CHECK(memcmp(text, "1234567", 7) == 0, "read '%.7s'", text);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    close(fd);
    close(file_open("/tmp/f3", O_WRONLY | O_TRUNC));
    fd = file_open("/tmp/f3", O_RDONLY);
    CHECK_EQ(read(fd, text, 8), 0);
    close(fd);
    CHECK_ERRNO(open("/tmp/f3/x", O_RDONLY), ENOTDIR);
    CHECK_OK(unlink("/tmp/f3"));
    CHECK_ERRNO(open("/tmp/f3", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/tmp", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
    CHECK_ERRNO(open((char *)-4096l, O_RDONLY), EFAULT);
}

/* Memory that ends in the middle: what came before counts, and nothing else is touched. */
static void case_memory_ends(void)
{
    char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec parts[] = {{m, 64}, {m + 4096, 64}};
    int fd = file_open("/tmp/ends", O_CREAT | O_RDWR | O_TRUNC);
    char got[8192];

    CHECK(m != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_OK(munmap(m + 4096, 4096));
    memset(m, 'n', 4096);
    CHECK_OK(ftruncate(fd, 8192));
    CHECK_EQ(pwrite(fd, m + 100, 8000, 0), 3996);
    CHECK_EQ(pwritev(fd, parts, 2, 5000), 64);
    CHECK_EQ(pread(fd, got, 8192, 0), 8192);
    for (int i = 0; i < 8192; i++)
        CHECK_EQ(got[i], i < 3996 || (i >= 5000 && i < 5064) ? 'n' : 0);
    CHECK_EQ(preadv(fd, parts, 2, 4000), 64);
    CHECK_EQ(m[63], 0);
    CHECK_EQ(m[64], 'n');
    CHECK_ERRNO(pwritev(fd, parts + 1, 1, 0), EFAULT);
    CHECK_EQ(pwrite(fd, m + 4000, 200, 8192), 96); /* the rest is not appended */
    CHECK_EQ(lseek(fd, 0, SEEK_END), 8192 + 96);
    close(fd);
    CHECK_OK(unlink("/tmp/ends"));
}

static void case_stat(void)
{
    struct stat a, b;
    int fd = file_open("/tmp/f4", O_CREAT | O_RDWR | O_TRUNC);

    CHECK_EQ(write(fd, "xyz", 3), 3);
    CHECK_OK(fstat(fd, &a));
    CHECK_OK(stat("/tmp/f4", &b));
    CHECK(S_ISREG(a.st_mode), "mode 0%o", a.st_mode);
    CHECK_EQ(a.st_size, 3);
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(b.st_nlink, 1);
    CHECK_OK(stat("/tmp", &b));
    CHECK(S_ISDIR(b.st_mode), "mode 0%o", b.st_mode);
    CHECK_ERRNO(stat("/tmp/f4/", &b), ENOTDIR);
    CHECK_ERRNO(stat("/tmp/nothing", &b), ENOENT);
    close(fd);
    CHECK_OK(unlink("/tmp/f4"));
}

static void case_unlinked_file_lives_while_open(void)
{
    char text[8];
    int fd = file_open("/tmp/f5", O_CREAT | O_RDWR | O_TRUNC);

    CHECK_EQ(write(fd, "still", 5), 5);
    CHECK_OK(unlink("/tmp/f5"));
    CHECK_ERRNO(unlink("/tmp/f5"), ENOENT);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, text, 8), 5);
    close(fd);
}

static void case_folders(void)
{
    char cwd[64];

    CHECK_OK(mkdir("/tmp/d1", 0755));
    CHECK_ERRNO(mkdir("/tmp/d1", 0755), EEXIST);
    CHECK_ERRNO(mkdir("/tmp/none/d", 0755), ENOENT);
    CHECK_OK(mkdir("/tmp/d1/inner", 0755));
    CHECK_ERRNO(rmdir("/tmp/d1"), ENOTEMPTY);
    CHECK_OK(chdir("/tmp/d1"));
    CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/tmp/d1") == 0, "getcwd says %s", cwd);
    close(file_open("here", O_CREAT | O_RDWR));
    close(file_open("/tmp/d1/../d1/./here", O_RDONLY));
    CHECK_ERRNO(unlink("inner"), EISDIR);
    CHECK_ERRNO(rmdir("here"), ENOTDIR);
    CHECK_ERRNO(chdir("here"), ENOTDIR);
    CHECK_OK(unlink("here"));
    CHECK_OK(rmdir("inner"));
    CHECK_OK(chdir("/"));
    CHECK_OK(rmdir("/tmp/d1"));
    CHECK_ERRNO(rmdir("/tmp/d1"), ENOENT);
}

/* A folder of 100 files, open; and its end. */
static DIR *files_100_begin(void)
{
    char path[64];
    DIR *dir;

    CHECK_OK(mkdir("/tmp/d2", 0755));
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/tmp/d2/a-file-with-number-%u", i);
        close(file_open(path, O_CREAT | O_RDWR));
    }
    dir = opendir("/tmp/d2");
    CHECK(dir != NULL, "opendir: %s", strerror(errno));
    return dir;
}

static void files_100_end(DIR *dir)
{
    char path[64];

    CHECK_OK(closedir(dir));
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/tmp/d2/a-file-with-number-%u", i);
        CHECK_OK(unlink(path));
    }
    CHECK_OK(rmdir("/tmp/d2"));
}

/* What is read from here to the end: as many dot names, and each file's name once. */
static void names_100_check(DIR *dir, unsigned dots)
{
    bool seen[100] = {false};
    unsigned n = 0;
    struct dirent *e;

    while ((e = readdir(dir)) != NULL) {
        unsigned i;

        if (e->d_name[0] == '.') {
            dots--;
            continue;
        }
        CHECK(sscanf(e->d_name, "a-file-with-number-%u", &i) == 1 && i < 100, "%s", e->d_name);
        CHECK(!seen[i], "%s twice", e->d_name);
        seen[i] = true;
        n++;
    }
    CHECK_EQ(n, 100);
    CHECK_EQ(dots, 0);
}

static void case_readdir_names_everything_once(void)
{
    DIR *dir = files_100_begin();

    names_100_check(dir, 2);
    files_100_end(dir);
}

/* All files are replaced when readdir has filled its first buffer, which holds about 40 of the
 * names: each is named once all the same. */
static void case_readdir_names_what_is_replaced(void)
{
    char path[64];
    DIR *dir = files_100_begin();

    CHECK(readdir(dir) != NULL, "readdir: %s", strerror(errno));
    for (unsigned i = 0; i < 100; i++) {
        close(file_open("/tmp/d2/.new", O_CREAT | O_RDWR));
        snprintf(path, sizeof(path), "/tmp/d2/a-file-with-number-%u", i);
        CHECK_OK(rename("/tmp/d2/.new", path));
    }
    names_100_check(dir, 1);
    files_100_end(dir);
}

/* Each file goes and comes back as its name is read: there is an end, and the next reading names
 * all. */
static void case_readdir_ends_though_names_change(void)
{
    unsigned n = 0;
    struct dirent *e;
    char path[64];
    DIR *dir = files_100_begin();

    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        CHECK(n++ < 200, "%s is the %uth of 100", e->d_name, n);
        snprintf(path, sizeof(path), "/tmp/d2/%s", e->d_name);
        CHECK_OK(rename(path, "/tmp/d2/.new"));
        CHECK_OK(rename("/tmp/d2/.new", path));
    }
    rewinddir(dir);
    names_100_check(dir, 2);
    files_100_end(dir);
}

static void child_moves_offset(void *arg)
{
    char c;

    CHECK_EQ(read(*(int *)arg, &c, 1), 1);
    CHECK_EQ(c, 'a');
}

static void case_offset_is_shared_with_children(void)
{
    char c;
    int fd = file_open("/tmp/f6", O_CREAT | O_RDWR | O_TRUNC);

    CHECK_EQ(write(fd, "ab", 2), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    MUST_EXIT(child_moves_offset, &fd, 0);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, 'b');
    CHECK_OK(unlink("/tmp/f6"));
}

static void case_names(void)
{
    char name[300] = "/tmp/";

    memset(name + 5, 'n', 255);
    close(file_open(name, O_CREAT | O_RDWR));
    CHECK_OK(unlink(name));
    name[5 + 255] = 'n';
    CHECK_ERRNO(open(name, O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
}

static void case_descriptors_run_out(void)
{
    int last = -1, n = 0, fd;

    while ((fd = open("/tmp", O_RDONLY)) >= 0 && n < 100000) {
        last = fd;
        n++;
    }
    CHECK(n >= 16 && fd < 0 && errno == EMFILE, "after %d opens: %s", n, strerror(errno));
    CHECK_OK(close(last));
    CHECK_EQ(open("/tmp", O_RDONLY), last); /* always the lowest free one */
}

static void writer(void *arg)
{
    int fd = file_open("/tmp/f7", O_WRONLY | O_APPEND);

    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(write(fd, arg, 10), 10);
}

/* O_APPEND: writes of two processes never land on the same place. */
static void case_append_from_two(void)
{
    char text[10];
    unsigned n = 0;
    pid_t a, b;
    int fd = file_open("/tmp/f7", O_CREAT | O_RDWR | O_TRUNC);

    a = child_start(writer, "aaaaaaaaaa");
    b = child_start(writer, "bbbbbbbbbb");
    CHILD_EXITS(a, 0);
    CHILD_EXITS(b, 0);
    while (read(fd, text, 10) == 10) {
        for (unsigned i = 1; i < 10; i++)
            CHECK_EQ(text[i], text[0]);
        n++;
    }
    CHECK_EQ(n, 200);
    CHECK_OK(unlink("/tmp/f7"));
}

int main(void)
{
    RUN(case_write_read_seek);
    RUN(case_holes_are_zero);
    RUN(case_open_flags);
    RUN(case_memory_ends);
    RUN(case_stat);
    RUN(case_unlinked_file_lives_while_open);
    RUN(case_folders);
    RUN(case_readdir_names_everything_once);
    RUN(case_readdir_names_what_is_replaced);
    RUN(case_readdir_ends_though_names_change);
    RUN(case_offset_is_shared_with_children);
    RUN(case_names);
    RUN(case_descriptors_run_out);
    RUN(case_append_from_two);
    return check_done();
}
