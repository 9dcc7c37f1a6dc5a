/* A3: files of /dev/shm, memfds, pipes and files with each allocation of each call failing in turn.
 */
#include "failrow.h"

#define SHM  "/dev/shm/fail"
#define SHM2 "/dev/shm/fail2"
#define TMP  "/tmp/fail"
#define TMP2 "/tmp/fail2"

static int fd, pipe_fds[2];

static void close_fd(int which)
{
    U_EQ(U_CALL(SYS_close, (unsigned long)which), 0);
}

static void done_close(long result)
{
    close_fd((int)result);
}

static void make(const char *path, size_t bytes)
{
    fd = (int)u_open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, bytes), 0);
}

static struct fail_call do_open(const char *path, int flags)
{
    return CALL(SYS_open, box_string(path), flags, 0600);
}

/* ---- /dev/shm and memfd */

static void make_shm(void)
{
    make(SHM, 20 * U_PAGE);
}

static void remove_shm(void)
{
    close_fd(fd);
    U_EQ(u_unlink(SHM), 0);
}

static struct fail_call shm_create(void)
{
    return do_open(SHM, O_CREAT | O_EXCL | O_RDWR);
}

static void shm_created(long result)
{
    done_close(result);
    U_EQ(u_unlink(SHM), 0);
}

static struct fail_call shm_reopen(void)
{
    make_shm();
    return do_open(SHM, O_RDWR);
}

/* Nobody has it open: a vnode must be made. */
static struct fail_call shm_open_anew(void)
{
    make_shm();
    close_fd(fd);
    return do_open(SHM, O_RDWR);
}

static void remove_closed(void)
{
    U_EQ(u_unlink(SHM), 0);
}

static struct fail_call shm_truncating(void)
{
    make_shm();
    return do_open(SHM, O_RDWR | O_TRUNC);
}

static struct fail_call shm_grow(void)
{
    make_shm();
    return CALL(SYS_ftruncate, fd, 300 * U_PAGE);
}

static struct fail_call shm_shrink(void)
{
    make_shm();
    U_EQ(u_pwrite(fd, "x", 1, 10 * U_PAGE), 1);
    return CALL(SYS_ftruncate, fd, 5 * U_PAGE);
}

static struct fail_call shm_fallocate(void)
{
    make_shm();
    return CALL(SYS_fallocate, fd, 0, 0, 300 * U_PAGE);
}

static struct fail_call shm_write(void)
{
    make_shm();
    return CALL(SYS_pwrite64, fd, box_string("0123456789"), 10, 100 * U_PAGE);
}

static struct fail_call shm_read(void)
{
    make_shm();
    return CALL(SYS_pread64, fd, box_room(10), 10, 7 * U_PAGE);
}

static struct fail_call shm_link(void)
{
    make_shm();
    return CALL(SYS_link, box_string(SHM), box_string(SHM2));
}

static void shm_linked(long result)
{
    U_EQ(u_unlink(SHM2), 0);
}

static struct fail_call shm_remove(void)
{
    make_shm();
    return CALL(SYS_unlink, box_string(SHM));
}

static void remove_what_is_left(void)
{
    close_fd(fd);
    (void)u_unlink(SHM);
}

static struct fail_call shm_stat(void)
{
    make_shm();
    return CALL(SYS_stat, box_string(SHM), box_room(144));
}

static struct fail_call shm_list(void)
{
    make_shm();
    close_fd(fd);
    fd = (int)u_open("/dev/shm", O_RDONLY | O_DIRECTORY, 0);
    return CALL(SYS_getdents64, fd, box_room(U_PAGE), U_PAGE);
}

static struct fail_call memfd(void)
{
    return CALL(SYS_memfd_create, box_string("fail"), 0);
}

#define NONE .flags = ROW_NEEDS_NONE

static const struct fail_row shm_rows[] = {
    ROW("/dev/shm: open, O_CREAT", shm_create, shm_created, NULL),
    ROW("/dev/shm: open", shm_reopen, done_close, remove_shm),
    ROW("/dev/shm: open, of nobody's", shm_open_anew, done_close, remove_closed),
    ROW("/dev/shm: open, O_TRUNC", shm_truncating, done_close, remove_shm),
    ROW("/dev/shm: ftruncate, larger", shm_grow, NULL, remove_shm),
    ROW("/dev/shm: ftruncate, smaller", shm_shrink, NULL, remove_shm, NONE),
    ROW("/dev/shm: fallocate", shm_fallocate, NULL, remove_shm, .errors = {ENOSPC, ENOMEM}),
    ROW("/dev/shm: write", shm_write, NULL, remove_shm, .errors = {ENOSPC}),
    ROW("/dev/shm: read", shm_read, NULL, remove_shm),
    ROW("/dev/shm: link", shm_link, shm_linked, remove_shm),
    ROW("/dev/shm: unlink", shm_remove, NULL, remove_what_is_left),
    ROW("/dev/shm: stat", shm_stat, NULL, remove_shm),
    ROW("/dev/shm: getdents64", shm_list, NULL, remove_shm, NONE),
    ROW("memfd_create", memfd, done_close, NULL),
};

/* ---- files of the root */

static void make_tmp(void)
{
    make(TMP, 0);
    U_EQ(u_pwrite(fd, "0123456789", 10, 0), 10);
}

static void remove_tmp(void)
{
    close_fd(fd);
    U_EQ(u_unlink(TMP), 0);
}

static struct fail_call create(void)
{
    return do_open(TMP, O_CREAT | O_EXCL | O_RDWR);
}

static void created(long result)
{
    done_close(result);
    U_EQ(u_unlink(TMP), 0);
}

static struct fail_call write_far(void)
{
    make_tmp();
    return CALL(SYS_pwrite64, fd, box_string("0123456789"), 10, 5000 * U_PAGE);
}

static struct fail_call rename_it(void)
{
    make_tmp();
    return CALL(SYS_rename, box_string(TMP), box_string(TMP2));
}

static void renamed(long result)
{
    U_EQ(u_two_paths(SYS_rename, TMP2, TMP), 0);
}

static struct fail_call link_it(void)
{
    make_tmp();
    return CALL(SYS_link, box_string(TMP), box_string(TMP2));
}

static void unlink_second(long result)
{
    U_EQ(u_unlink(TMP2), 0);
}

static struct fail_call symlink_it(void)
{
    return CALL(SYS_symlink, box_string(TMP), box_string(TMP2));
}

static struct fail_call make_directory(void)
{
    return CALL(SYS_mkdir, box_string(TMP2), 0700);
}

static void remove_directory(long result)
{
    U_EQ(U_CALL(SYS_rmdir, u_string(0, TMP2)), 0);
}

static struct fail_call open_maps(void)
{
    return do_open("/proc/self/maps", O_RDONLY);
}

static struct fail_call open_regions(void)
{
    return do_open("/proc/regions", O_RDONLY);
}

/* ---- pipes and descriptors */

static struct fail_call pipe_new(void)
{
    return CALL(SYS_pipe, box_room(8));
}

static void close_pipe(void)
{
    close_fd(pipe_fds[0]);
    close_fd(pipe_fds[1]);
}

static void make_pipe(void)
{
    uintptr_t at = box_room(8);
    U_EQ(U_CALL(SYS_pipe, at), 0);
    u_get(at, pipe_fds, sizeof pipe_fds);
}

static struct fail_call pipe_write(void)
{
    make_pipe();
    return CALL(SYS_write, pipe_fds[1], box_string("0123456789"), 10);
}

static struct fail_call duplicate_far(void)
{
    make_pipe();
    return CALL(SYS_fcntl, pipe_fds[0], F_DUPFD, 500);
}

static const struct fail_row file_rows[] = {
    ROW("open, O_CREAT", create, created, NULL),
    ROW("write, far away", write_far, NULL, remove_tmp, .errors = {ENOSPC}),
    ROW("rename", rename_it, renamed, remove_tmp),
    ROW("link", link_it, unlink_second, remove_tmp),
    ROW("symlink", symlink_it, unlink_second, NULL),
    ROW("mkdir", make_directory, remove_directory, NULL),
    ROW("open of /proc/self/maps", open_maps, done_close, NULL),
    ROW("open of /proc/regions", open_regions, done_close, NULL),
    ROW("pipe", pipe_new, NULL, NULL, .flags = ROW_FRESH),
    ROW("write to a pipe", pipe_write, NULL, close_pipe),
    ROW("fcntl, F_DUPFD", duplicate_far, NULL, NULL, .flags = ROW_FRESH),
};

static int fail_shm(uintptr_t sp)
{
    ROWS(shm_rows);
    return 0;
}

static int fail_files(uintptr_t sp)
{
    ROWS(file_rows);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "shm", .init = fail_shm, .runs = 1},
        {.name = "files", .init = fail_files, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
