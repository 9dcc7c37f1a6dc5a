/* A3: files of /dev/shm, memfds, files and directories with each allocation of each call failing in
 * turn. */
#include "failrow.h"

#include <sys/stat.h>

#define SHM  "/dev/shm/fail"
#define SHM2 "/dev/shm/fail2"
#define TMP  "/tmp/fail"
#define TMP2 "/tmp/fail2"
#define DIR  "/tmp/dir"

static int fd;
static char buf[3 * PAGE];
static struct stat st;

static void undo_close(void)
{
    CHECK_OK(close(fd));
}

static void make(const char *path, size_t bytes)
{
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK_OK(ftruncate(fd, (off_t)bytes));
}

static void remove_shm(void)
{
    undo_close();
    CHECK_OK(unlink(SHM));
}

static void remove_tmp(void)
{
    undo_close();
    CHECK_OK(unlink(TMP));
}

/* ---- /dev/shm and memfd */

static void shm_create(struct fail_step *call)
{
    CALL(open, (long)SHM, O_CREAT | O_EXCL | O_RDWR, 0600);
}

static void shm_created(void)
{
    done_close();
    CHECK_OK(unlink(SHM));
}

static void make_shm(void)
{
    make(SHM, 20 * PAGE);
}

static void shm_reopen(struct fail_step *call)
{
    make_shm();
    CALL(open, (long)SHM, O_RDWR);
}

static void shm_truncating(struct fail_step *call)
{
    make_shm();
    CALL(open, (long)SHM, O_RDWR | O_TRUNC);
}

static void shm_grow(struct fail_step *call)
{
    make_shm();
    CALL(ftruncate, fd, 300 * PAGE);
}

static void shm_grow_by_path(struct fail_step *call)
{
    make_shm();
    CALL(truncate, (long)SHM, 300 * PAGE);
}

static void shm_shrink(struct fail_step *call)
{
    make_shm();
    CHECK_EQ(pwrite(fd, buf, PAGE, 10 * PAGE), PAGE);
    CALL(ftruncate, fd, 5 * PAGE);
}

static void shm_fallocate(struct fail_step *call)
{
    make_shm();
    CALL(fallocate, fd, 0, 0, 300 * PAGE);
}

static void shm_write(struct fail_step *call)
{
    make_shm();
    CALL(pwrite64, fd, (long)buf, 10, 100 * PAGE);
}

static void shm_read(struct fail_step *call)
{
    make_shm();
    CALL(pread64, fd, (long)buf, 10, 7 * PAGE);
}

static void shm_link(struct fail_step *call)
{
    make_shm();
    CALL(link, (long)SHM, (long)SHM2);
}

static void shm_linked(void)
{
    CHECK_OK(unlink(SHM2));
}

static void shm_unlink_open(struct fail_step *call)
{
    make_shm();
    CALL(unlink, (long)SHM);
}

static void remake_shm(void)
{
    if (access(SHM, F_OK) == 0)
        CHECK_OK(unlink(SHM));
    undo_close();
}

static void shm_list(struct fail_step *call)
{
    make_shm();
    close(fd);
    fd = open("/dev/shm", O_RDONLY | O_DIRECTORY);
    CHECK_OK(fd);
    CALL(getdents64, fd, (long)buf, sizeof(buf));
}

static void memfd(struct fail_step *call)
{
    CALL(memfd_create, (long)"fail", 0);
}

/* ---- Files of the root */

static void create(struct fail_step *call)
{
    CALL(open, (long)TMP, O_CREAT | O_EXCL | O_RDWR, 0600);
}

static void created(void)
{
    done_close();
    CHECK_OK(unlink(TMP));
}

static void make_tmp(void)
{
    make(TMP, 0);
    CHECK_EQ(write(fd, buf, 10), 10);
}

static void reopen(struct fail_step *call)
{
    make_tmp();
    CALL(open, (long)TMP, O_RDWR);
}

static void write_more(struct fail_step *call)
{
    make_tmp();
    CALL(pwrite64, fd, (long)buf, 10, 100 * PAGE);
}

static void write_far(struct fail_step *call)
{
    make_tmp();
    CALL(pwrite64, fd, (long)buf, 10, 5000 * PAGE);
}

static void rename_it(struct fail_step *call)
{
    make_tmp();
    CALL(rename, (long)TMP, (long)TMP2);
}

static void renamed(void)
{
    CHECK_OK(rename(TMP2, TMP));
}

static void link_it(struct fail_step *call)
{
    make_tmp();
    CALL(link, (long)TMP, (long)TMP2);
}

static void unlink_second(void)
{
    CHECK_OK(unlink(TMP2));
}

static void symlink_it(struct fail_step *call)
{
    CALL(symlink, (long)TMP, (long)TMP2);
}

static void make_symlink(void)
{
    CHECK_OK(symlink(TMP, TMP2));
}

static void read_link(struct fail_step *call)
{
    make_symlink();
    CALL(readlink, (long)TMP2, (long)buf, sizeof(buf));
}

static void open_by_link(struct fail_step *call)
{
    make_tmp();
    make_symlink();
    CALL(open, (long)TMP2, O_RDONLY);
}

static void remove_both(void)
{
    unlink_second();
    remove_tmp();
}

static void unlink_it(struct fail_step *call)
{
    make_tmp();
    CALL(unlink, (long)TMP);
}

static void remove_if_there(void)
{
    undo_close();
    (void)unlink(TMP);
}

static void make_directory(struct fail_step *call)
{
    CALL(mkdir, (long)DIR, 0700);
}

static void remove_directory(void)
{
    CHECK_OK(rmdir(DIR));
}

static void rmdir_it(struct fail_step *call)
{
    CHECK_OK(mkdir(DIR, 0700));
    CALL(rmdir, (long)DIR);
}

static void remove_directory_if_there(void)
{
    (void)rmdir(DIR);
}

static void change_directory(struct fail_step *call)
{
    CALL(chdir, (long)"/tmp");
}

static void change_back(void)
{
    CHECK_OK(chdir("/"));
}

static void current_directory(struct fail_step *call)
{
    CALL(getcwd, (long)buf, sizeof(buf));
}

static void stat_it(struct fail_step *call)
{
    make_tmp();
    CALL(stat, (long)TMP, (long)&st);
}

/* Calls of a file by its name, which change nothing. */
#define BY_NAME(name, ...)                                                                         \
    static void do_##name(struct fail_step *call)                                                  \
    {                                                                                              \
        make_tmp();                                                                                \
        CALL(name, __VA_ARGS__);                                                                   \
    }
BY_NAME(chmod, (long)TMP, 0600)
BY_NAME(access, (long)TMP, R_OK)
BY_NAME(lstat, (long)TMP, (long)&st)
BY_NAME(chown, (long)TMP, 0, 0)
BY_NAME(lchown, (long)TMP, 0, 0)
BY_NAME(truncate, (long)TMP, 10)
BY_NAME(newfstatat, AT_FDCWD, (long)TMP, (long)&st)
BY_NAME(fchownat, AT_FDCWD, (long)TMP, 0, 0, 0)
BY_NAME(fchmodat, AT_FDCWD, (long)TMP, 0600)
BY_NAME(faccessat, AT_FDCWD, (long)TMP, R_OK)
BY_NAME(utimensat, AT_FDCWD, (long)TMP, 0, 0)
#define ROW_BY_NAME(name) ROW(#name, do_##name, NULL, remove_tmp)

static void statfs_it(struct fail_step *call)
{
    CALL(statfs, (long)"/dev/shm", (long)buf);
}

static void list_root(struct fail_step *call)
{
    fd = open("/", O_RDONLY | O_DIRECTORY);
    CHECK_OK(fd);
    CALL(getdents64, fd, (long)buf, sizeof(buf));
}

static void send_it(struct fail_step *call)
{
    make_tmp(); /* in the cache: bringing it in is no trace of a failure */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    make_pipe();
    CALL(sendfile, pipe_fds[1], fd, 0, 10);
}

static void close_pipe_and_file(void)
{
    close_pipe();
    remove_tmp();
}

static void open_proc(struct fail_step *call)
{
    CALL(open, (long)"/proc/self/maps", O_RDONLY);
}

static void open_regions(struct fail_step *call)
{
    CALL(open, (long)"/proc/regions", O_RDONLY);
}

/* In two nodes of the cache; one page is there. */
static void allocate_file(struct fail_step *call)
{
    make_tmp();
    CHECK_EQ(pwrite(fd, buf, 10, 62 * PAGE), 10);
    CHECK_OK(ftruncate(fd, 100 * PAGE));
    CALL(fallocate, fd, 0, 60 * PAGE, 8 * PAGE);
}

static const struct fail_row regions[] = {
    ROW("/dev/shm: open, O_CREAT", shm_create, shm_created, NULL),
    ROW("/dev/shm: open", shm_reopen, done_close, remove_shm),
    ROW("/dev/shm: open, O_TRUNC", shm_truncating, done_close, remove_shm),
    ROW("/dev/shm: ftruncate, larger", shm_grow, NULL, remove_shm),
    ROW("/dev/shm: truncate, larger", shm_grow_by_path, NULL, remove_shm),
    ROW("/dev/shm: ftruncate, smaller", shm_shrink, NULL, remove_shm, NONE),
    ROW("/dev/shm: fallocate", shm_fallocate, NULL, remove_shm, .errors = {ENOSPC, ENOMEM}),
    ROW("/dev/shm: write", shm_write, NULL, remove_shm, .errors = {ENOSPC}),
    ROW("/dev/shm: read", shm_read, NULL, remove_shm),
    ROW("/dev/shm: link", shm_link, shm_linked, remove_shm),
    ROW("/dev/shm: unlink", shm_unlink_open, NULL, remake_shm),
    ROW("/dev/shm: getdents64", shm_list, NULL, remove_shm, NONE),
    ROW("memfd_create", memfd, done_close, NULL),
};

static const struct fail_row files[] = {
    ROW("open, O_CREAT", create, created, NULL),
    ROW("open", reopen, done_close, remove_tmp),
    ROW("write", write_more, NULL, remove_tmp, .errors = {ENOSPC}),
    ROW("write, far away", write_far, NULL, remove_tmp, .errors = {ENOSPC}),
    ROW("rename", rename_it, renamed, remove_tmp),
    ROW("link", link_it, unlink_second, remove_tmp),
    ROW("symlink", symlink_it, unlink_second, NULL),
    ROW("readlink", read_link, NULL, unlink_second),
    ROW("open by a link", open_by_link, done_close, remove_both),
    ROW("unlink", unlink_it, NULL, remove_if_there),
    ROW("mkdir", make_directory, remove_directory, NULL),
    ROW("rmdir", rmdir_it, NULL, remove_directory_if_there),
    ROW("chdir", change_directory, change_back, NULL),
    ROW("getcwd", current_directory, NULL, NULL),
    ROW("stat", stat_it, NULL, remove_tmp),
    ROW_BY_NAME(chmod),
    ROW_BY_NAME(access),
    ROW_BY_NAME(lstat),
    ROW_BY_NAME(chown),
    ROW_BY_NAME(lchown),
    ROW_BY_NAME(truncate),
    ROW_BY_NAME(newfstatat),
    ROW_BY_NAME(fchownat),
    ROW_BY_NAME(fchmodat),
    ROW_BY_NAME(faccessat),
    ROW_BY_NAME(utimensat),
    ROW("statfs", statfs_it, NULL, NULL),
    ROW("getdents64", list_root, NULL, undo_close, NONE),
    ROW("fallocate", allocate_file, NULL, remove_tmp, .errors = {ENOSPC}),
    ROW("sendfile", send_it, NULL, close_pipe_and_file),
    ROW("open of /proc/self/maps", open_proc, done_close, NULL),
    ROW("open of /proc/regions", open_regions, done_close, NULL),
};

int main(void)
{
    ROWS(regions);
    ROWS(files);
    return check_done();
}
