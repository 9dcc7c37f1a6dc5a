/* Paths, directories, links, renames, rights: through the system calls. */
#include "fs_support.h"
#include "unit.h"

#include <string.h>

static long make(const char *path, unsigned mode)
{
    long fd = SYS(open, ARG(path), O_CREAT | O_EXCL | O_RDWR, mode);
    return fd < 0 ? fd : SYS(close, fd);
}

static struct linux_stat stat_of(const char *path)
{
    struct linux_stat st;
    MUST(SYS(lstat, ARG(path), ARG(&st)));
    return st;
}

static bool exists(const char *path)
{
    struct linux_stat st;
    return SYS(lstat, ARG(path), ARG(&st)) == 0;
}

static void paths(void **state)
{
    char name[300], path[5000];
    MUST(SYS(mkdir, ARG("/a"), 0777));
    MUST(SYS(mkdir, ARG("/a/b/"), 0777));
    MUST(make("/a/b/f", 0666));
    assert_int_equal(stat_of("/a/b/f").st_mode, S_IFREG | 0644);
    assert_int_equal(stat_of("//a/.//b/../b///f").st_ino, stat_of("/a/b/f").st_ino);
    assert_int_equal(stat_of("/..").st_ino, stat_of("/").st_ino);
    assert_int_equal(stat_of("a/../../..").st_ino, stat_of("/").st_ino);
    assert_int_equal(stat_of("/a").st_nlink, 3);
    struct linux_stat st;
    FAILS(ENOENT, SYS(stat, ARG(""), ARG(&st)));
    FAILS(ENOTDIR, SYS(stat, ARG("/a/b/f/"), ARG(&st)));
    FAILS(ENOTDIR, SYS(stat, ARG("/a/b/f/."), ARG(&st)));
    FAILS(ENOTDIR, SYS(stat, ARG("/a/b/f/.."), ARG(&st)));
    FAILS(ENOENT, SYS(stat, ARG("/a/x/../b"), ARG(&st)));
    FAILS(EFAULT, SYS(stat, ARG(8), ARG(&st)));
    FAILS(EFAULT, SYS(stat, ARG("/a"), ARG(8)));
    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    FAILS(ENOENT, SYS(stat, ARG(name), ARG(&st)));
    MUST(make(name, 0600));
    MUST(SYS(unlink, ARG(name)));
    name[255] = 'n', name[256] = '\0';
    FAILS(ENAMETOOLONG, make(name, 0600));
    memset(path, '/', sizeof(path));
    path[4094] = 'a', path[4095] = '\0';
    MUST(SYS(stat, ARG(path), ARG(&st)));
    path[4095] = '/', path[4096] = '\0';
    FAILS(ENAMETOOLONG, SYS(stat, ARG(path), ARG(&st)));
}

static void symlinks(void **state)
{
    char target[5000], buf[16];
    struct linux_stat st;
    MUST(SYS(mkdir, ARG("/d"), 0777));
    MUST(SYS(symlink, ARG("d/new"), ARG("/dangling")));
    FAILS(ENOENT, SYS(stat, ARG("/dangling"), ARG(&st)));
    FAILS(EEXIST, SYS(open, ARG("/dangling"), O_CREAT | O_EXCL | O_RDWR, 0600));
    FAILS(ELOOP, SYS(open, ARG("/dangling"), O_CREAT | O_NOFOLLOW | O_RDWR, 0600));
    long fd = SYS(open, ARG("/dangling"), O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    MUST(SYS(close, fd));
    assert_true(exists("/d/new"));
    /* Missing in the middle is not the place to make a file. */
    MUST(SYS(symlink, ARG("nowhere/new"), ARG("/far")));
    FAILS(ENOENT, SYS(open, ARG("/far"), O_CREAT | O_RDWR, 0600));
    assert_false(exists("/nowhere"));
    assert_int_equal(SYS(readlink, ARG("/dangling"), ARG(buf), 3), 3);
    assert_memory_equal(buf, "d/n", 3);
    FAILS(EINVAL, SYS(readlink, ARG("/d"), ARG(buf), 3));
    FAILS(EINVAL, SYS(readlink, ARG("/dangling"), ARG(buf), 0));
    MUST(SYS(symlink, ARG("loop2"), ARG("/loop1")));
    MUST(SYS(symlink, ARG("loop1"), ARG("/loop2")));
    FAILS(ELOOP, SYS(stat, ARG("/loop1"), ARG(&st)));
    MUST(SYS(symlink, ARG("/d"), ARG("/abs")));
    MUST(SYS(symlink, ARG("../abs/./new"), ARG("/d/up")));
    assert_int_equal(stat_of("/abs/").st_mode & S_IFMT, S_IFDIR);
    MUST(SYS(stat, ARG("/abs/up"), ARG(&st)));
    assert_int_equal(st.st_ino, stat_of("/d/new").st_ino);
    FAILS(ENOTDIR, SYS(stat, ARG("/abs/up/"), ARG(&st)));
    FAILS(ENOTDIR, SYS(rmdir, ARG("/abs")));
    memset(target, '/', sizeof(target));
    target[4095] = '\0';
    MUST(SYS(symlink, ARG(target), ARG("/long")));
    FAILS(ENAMETOOLONG, SYS(stat, ARG("/long/d"), ARG(&st)));
    MUST(SYS(stat, ARG("/long"), ARG(&st)));
    target[4095] = '/', target[4096] = '\0';
    FAILS(ENAMETOOLONG, SYS(symlink, ARG(target), ARG("/longer")));
    FAILS(ENOENT, SYS(symlink, ARG(""), ARG("/empty")));
    FAILS(EEXIST, SYS(symlink, ARG("x"), ARG("/dangling")));
    FAILS(EEXIST, SYS(mkdir, ARG("/abs"), 0777));
}

static void unlinks(void **state)
{
    MUST(SYS(mkdir, ARG("/d"), 0777));
    MUST(make("/d/f", 0600));
    FAILS(ENOTEMPTY, SYS(rmdir, ARG("/d")));
    FAILS(EISDIR, SYS(unlink, ARG("/d")));
    FAILS(ENOTDIR, SYS(rmdir, ARG("/d/f")));
    FAILS(ENOTDIR, SYS(unlink, ARG("/d/f/")));
    FAILS(EINVAL, SYS(rmdir, ARG("/d/.")));
    FAILS(ENOTEMPTY, SYS(rmdir, ARG("/d/..")));
    FAILS(EBUSY, SYS(rmdir, ARG("/")));
    FAILS(EBUSY, SYS(rmdir, ARG("/proc")));
    FAILS(EBUSY, SYS(rename, ARG("/proc"), ARG("/p")));
    FAILS(EINVAL, SYS(unlinkat, AT_FDCWD, ARG("/d/f"), 1));
    MUST(SYS(link, ARG("/d/f"), ARG("/g")));
    assert_int_equal(stat_of("/g").st_nlink, 2);
    FAILS(EEXIST, SYS(link, ARG("/d/f"), ARG("/g")));
    FAILS(EPERM, SYS(link, ARG("/d"), ARG("/h")));
    FAILS(EXDEV, SYS(link, ARG("/proc/uptime"), ARG("/h")));
    FAILS(EPERM, SYS(unlink, ARG("/proc/uptime")));
    MUST(SYS(unlink, ARG("/d/f")));
    assert_int_equal(stat_of("/g").st_nlink, 1);
    MUST(SYS(chdir, ARG("/d")));
    MUST(SYS(rmdir, ARG("/d")));
    char buf[64];
    FAILS(ENOENT, SYS(getcwd, ARG(buf), sizeof(buf)));
    FAILS(ENOENT, make("x", 0600));
    FAILS(ENOENT, SYS(mkdir, ARG("x"), 0600));
    FAILS(ENOENT, SYS(chdir, ARG("..")));
    MUST(SYS(chdir, ARG(".")));
    MUST(SYS(chdir, ARG("/")));
}

static void renames(void **state)
{
    MUST(SYS(mkdir, ARG("/a"), 0777));
    MUST(SYS(mkdir, ARG("/a/b"), 0777));
    MUST(SYS(mkdir, ARG("/c"), 0777));
    MUST(make("/f", 0600));
    MUST(make("/g", 0600));
    uint64_t f = stat_of("/f").st_ino;
    FAILS(EINVAL, SYS(rename, ARG("/a"), ARG("/a/b/x")));
    FAILS(EINVAL, SYS(rename, ARG("/a"), ARG("/a/x")));
    FAILS(ENOTEMPTY, SYS(rename, ARG("/c"), ARG("/a")));
    FAILS(ENOTDIR, SYS(rename, ARG("/c"), ARG("/f")));
    FAILS(EISDIR, SYS(rename, ARG("/f"), ARG("/c")));
    FAILS(ENOENT, SYS(rename, ARG("/x"), ARG("/y")));
    FAILS(EBUSY, SYS(rename, ARG("/a/."), ARG("/y")));
    FAILS(ENOTDIR, SYS(rename, ARG("/f"), ARG("/y/")));
    FAILS(EXDEV, SYS(rename, ARG("/f"), ARG("/proc/f")));
    FAILS(EEXIST, SYS(renameat2, AT_FDCWD, ARG("/f"), AT_FDCWD, ARG("/g"), RENAME_NOREPLACE));
    MUST(SYS(rename, ARG("/f"), ARG("/g")));
    assert_int_equal(stat_of("/g").st_ino, f);
    assert_false(exists("/f"));
    MUST(SYS(rename, ARG("/g"), ARG("/g")));
    FAILS(ENOTDIR, SYS(rename, ARG("/g/"), ARG("/g")));
    FAILS(ENOTDIR, SYS(rename, ARG("/g"), ARG("/g/")));
    MUST(SYS(link, ARG("/g"), ARG("/h")));
    MUST(SYS(rename, ARG("/g"), ARG("/h")));
    assert_true(exists("/g") && exists("/h"));
    MUST(SYS(rename, ARG("/c"), ARG("/a/b")));
    MUST(SYS(chdir, ARG("/a/b")));
    MUST(SYS(rename, ARG("/a"), ARG("/z/")));
    char buf[64];
    assert_int_equal(SYS(getcwd, ARG(buf), sizeof(buf)), 5);
    assert_string_equal(buf, "/z/b");
    FAILS(ERANGE, SYS(getcwd, ARG(buf), 4));
    assert_int_equal(stat_of("/z").st_nlink, 3);
    assert_int_equal(stat_of("..").st_ino, stat_of("/z").st_ino);
}

/* All names of a directory, joined, in the pieces that `room` gives. */
static void list_dir(const char *path, size_t room, char *out)
{
    char buf[1024];
    long fd = SYS(open, ARG(path), O_RDONLY | O_DIRECTORY), n;
    assert_true(fd >= 0);
    out[0] = '\0';
    while ((n = SYS(getdents64, fd, ARG(buf), room)) > 0) {
        for (long at = 0; at < n;) {
            struct linux_dirent64 *d = (struct linux_dirent64 *)(buf + at);
            strcat(out, buf + at + sizeof(*d));
            strcat(out, " ");
            at += d->d_reclen;
        }
    }
    MUST(n);
    MUST(SYS(close, fd));
}

static void directories(void **state)
{
    char names[2048];
    MUST(SYS(mkdir, ARG("/d"), 0777));
    MUST(make("/d/one", 0600));
    MUST(make("/d/two", 0600));
    MUST(make("/d/three", 0600));
    list_dir("/d", 1024, names);
    assert_string_equal(names, ". .. one two three ");
    list_dir("/d", 32, names);
    assert_string_equal(names, ". .. one two three ");
    list_dir("/proc", 1024, names);
    assert_non_null(strstr(names, "meminfo"));
    long fd = SYS(open, ARG("/d"), O_RDONLY);
    char buf[64];
    FAILS(EINVAL, SYS(getdents64, fd, ARG(buf), 8));
    FAILS(EFAULT, SYS(getdents64, fd, ARG(8), 64));
    FAILS(EISDIR, SYS(read, fd, ARG(buf), 8));
    FAILS(EISDIR, SYS(open, ARG("/d"), O_WRONLY));
    FAILS(EISDIR, SYS(open, ARG("/d"), O_CREAT));
    FAILS(ENOTDIR, SYS(open, ARG("/d/one"), O_DIRECTORY));
    FAILS(EISDIR, SYS(open, ARG("/d/new/"), O_CREAT | O_RDWR, 0600));
    /* An entry that goes between two calls is neither shown nor upsets the others. */
    assert_int_equal(SYS(getdents64, fd, ARG(buf), 64), 48);
    MUST(SYS(unlink, ARG("/d/one")));
    assert_int_equal(SYS(getdents64, fd, ARG(buf), 64), 56);
    assert_string_equal(buf + sizeof(struct linux_dirent64), "two");
    assert_int_equal(SYS(openat, fd, ARG("two"), O_RDONLY), fd + 1);
    MUST(SYS(fchdir, fd));
    FAILS(ENOTDIR, SYS(fchdir, fd + 1));
    FAILS(ENOTDIR, SYS(openat, fd + 1, ARG("two"), O_RDONLY));
    FAILS(EBADF, SYS(openat, 77, ARG("two"), O_RDONLY));
    assert_int_equal(SYS(openat, 77, ARG("/d/two"), O_RDONLY), fd + 2);
}

static void rights(void **state)
{
    MUST(SYS(mkdir, ARG("/pub"), 0777));
    MUST(SYS(chmod, ARG("/pub"), 01777));
    MUST(SYS(mkdir, ARG("/priv"), 0700));
    MUST(make("/priv/f", 0666));
    MUST(make("/pub/root", 0600));
    MUST(make("/pub/grp", 0640));
    MUST(SYS(chown, ARG("/pub/grp"), 5, 50));
    MUST(make("/pub/rw", 0666));
    MUST(SYS(chmod, ARG("/pub/rw"), 0666));
    MUST(SYS(symlink, ARG("rw"), ARG("/pub/sym")));
    struct cred *c = fs_cred();
    c->euid = 7, c->egid = 70, c->ngroups = 1, c->groups[0] = 50;
    FAILS(EACCES, SYS(open, ARG("/priv/f"), O_RDONLY));
    FAILS(EACCES, make("/f", 0600));
    FAILS(EACCES, SYS(open, ARG("/pub/root"), O_RDONLY));
    FAILS(EPERM, SYS(unlink, ARG("/pub/root")));
    FAILS(EPERM, SYS(rename, ARG("/pub/root"), ARG("/pub/x")));
    FAILS(EPERM, SYS(chmod, ARG("/pub/root"), 0777));
    /* Another's file gets a name of who may read and write it only. */
    FAILS(EPERM, SYS(link, ARG("/pub/root"), ARG("/pub/x")));
    FAILS(EPERM, SYS(link, ARG("/pub/grp"), ARG("/pub/x")));
    FAILS(EPERM, SYS(link, ARG("/pub/sym"), ARG("/pub/x")));
    MUST(SYS(link, ARG("/pub/rw"), ARG("/pub/x")));
    assert_true(SYS(open, ARG("/pub/grp"), O_RDONLY) >= 0);
    FAILS(EACCES, SYS(open, ARG("/pub/grp"), O_RDONLY | O_TRUNC));
    FAILS(EACCES, SYS(truncate, ARG("/pub/grp"), 0));
    /* The one who makes a file may use the descriptor, whatever its mode. */
    long fd = SYS(open, ARG("/pub/mine"), O_CREAT | O_RDWR, 0);
    assert_true(fd >= 0);
    FAILS(EACCES, SYS(open, ARG("/pub/mine"), O_RDONLY));
    MUST(SYS(link, ARG("/pub/mine"), ARG("/pub/mine2")));
    MUST(SYS(fchmod, fd, 0600));
    FAILS(EPERM, SYS(fchown, fd, 8, -1));
    MUST(SYS(fchown, fd, -1, 50));
    assert_int_equal(stat_of("/pub/mine").st_uid, 7);
    assert_int_equal(stat_of("/pub/mine").st_gid, 50);
    /* access(2) asks for the real user, which is still root. */
    MUST(SYS(access, ARG("/priv/f"), R_OK | W_OK));
    FAILS(EACCES, SYS(faccessat2, AT_FDCWD, ARG("/priv/f"), R_OK, AT_EACCESS));
    FAILS(EACCES, SYS(access, ARG("/pub/root"), X_OK));
    MUST(SYS(unlink, ARG("/pub/mine")));
    FAILS(EPERM, SYS(utimensat, AT_FDCWD, ARG("/pub/grp"),
                     ARG(((struct linux_timespec[2]){{1, 0}, {2, 0}})), 0));
    FAILS(EACCES, SYS(utimensat, AT_FDCWD, ARG("/pub/grp"), 0, 0));
    c->euid = 0;
    MUST(SYS(utimensat, AT_FDCWD, ARG("/pub/grp"),
             ARG(((struct linux_timespec[2]){{1, 5}, {0, UTIME_OMIT}})), 0));
    assert_int_equal(stat_of("/pub/grp").st_atim.nsec, 5);
    assert_true(stat_of("/pub/grp").st_mtim.sec > 900);
}

/* A directory gets another parent by who may write to it only: its ".." changes. */
static void foreign_directories(void **state)
{
    MUST(SYS(mkdir, ARG("/p"), 0777));
    MUST(SYS(mkdir, ARG("/p/q"), 0777));
    MUST(SYS(chmod, ARG("/p"), 0777));
    MUST(SYS(chmod, ARG("/p/q"), 0777));
    MUST(SYS(mkdir, ARG("/p/d"), 0755));
    MUST(make("/p/f", 0600));
    struct cred *c = fs_cred();
    c->euid = 7, c->egid = 70;
    FAILS(EACCES, SYS(rename, ARG("/p/d"), ARG("/p/q/d")));
    MUST(SYS(rename, ARG("/p/d"), ARG("/p/e"))); /* the same parent */
    MUST(SYS(rename, ARG("/p/f"), ARG("/p/q/f")));
    MUST(SYS(mkdir, ARG("/p/q/there"), 0777));
    FAILS(EACCES, SYS(rename, ARG("/p/e"), ARG("/p/q/there")));
    c->euid = 0;
    MUST(SYS(rename, ARG("/p/e"), ARG("/p/q/there")));
}

/* S_ISGID is for members of the file's group. */
static void group_ids(void **state)
{
    MUST(SYS(mkdir, ARG("/g"), 0777));
    MUST(SYS(chmod, ARG("/g"), 02777));
    MUST(SYS(chown, ARG("/g"), 7, 50));
    struct cred *c = fs_cred();
    c->euid = 7, c->egid = 70;
    MUST(make("/g/f", 02755));
    assert_int_equal(stat_of("/g/f").st_gid, 50);
    assert_int_equal(stat_of("/g/f").st_mode, S_IFREG | 0755);
    MUST(SYS(chmod, ARG("/g/f"), 06755));
    assert_int_equal(stat_of("/g/f").st_mode, S_IFREG | 04755);
    MUST(SYS(chmod, ARG("/g"), 02777));
    assert_int_equal(stat_of("/g").st_mode, S_IFDIR | 0777);
    c->ngroups = 1, c->groups[0] = 50;
    MUST(SYS(chmod, ARG("/g/f"), 02755));
    assert_int_equal(stat_of("/g/f").st_mode, S_IFREG | 02755);
    c->ngroups = 0, c->euid = 0;
    MUST(SYS(chmod, ARG("/g"), 02777));
    assert_int_equal(stat_of("/g").st_mode, S_IFDIR | 02777);
    MUST(make("/g/root", 02755));
    assert_int_equal(stat_of("/g/root").st_mode, S_IFREG | 02755);
}

static long set_times(const char *path, struct linux_timespec atime, struct linux_timespec mtime)
{
    return SYS(utimensat, AT_FDCWD, ARG(path), ARG(((struct linux_timespec[2]){atime, mtime})), 0);
}

static void times_before_1970(void **state)
{
    MUST(make("/f", 0600));
    /* Before 1970 the nanoseconds count forward all the same. */
    MUST(set_times("/f", (struct linux_timespec){-1, 500000000}, (struct linux_timespec){-2, 0}));
    struct linux_stat was = stat_of("/f");
    assert_int_equal(was.st_atim.sec, -1);
    assert_int_equal(was.st_atim.nsec, 500000000);
    assert_int_equal(was.st_mtim.sec, -2);
    assert_int_equal(was.st_mtim.nsec, 0);
}

static void omitted_times(void **state)
{
    const struct linux_timespec omit = {0, UTIME_OMIT};
    MUST(make("/f", 0600));
    MUST(set_times("/f", omit, (struct linux_timespec){0, 2}));
    MUST(set_times("/f", (struct linux_timespec){0, 1}, omit));
    assert_int_equal(stat_of("/f").st_atim.nsec, 1);
    assert_int_equal(stat_of("/f").st_mtim.nsec, 2);
    struct linux_stat was = stat_of("/f");
    /* Neither: nothing happens, not even to a path that is not there. */
    MUST(set_times("/f", omit, omit));
    assert_int_equal(stat_of("/f").st_ctim.sec, was.st_ctim.sec);
    assert_int_equal(stat_of("/f").st_ctim.nsec, was.st_ctim.nsec);
    MUST(set_times("/nowhere", omit, omit));
    FAILS(EFAULT, SYS(utimensat, AT_FDCWD, ARG("/f"), ARG(8), 0));
    FAILS(EINVAL, SYS(utimensat, AT_FDCWD, ARG("/f"), 0, 1));
}

/* Fails every allocation of each call, one after the other: the error, and nothing changed. */
static void failing_allocations(void **state)
{
    static const char *const steps[] = {"mkdir",  "open", "symlink", "link",
                                        "rename", "stat", "proc"};
    MUST(SYS(mkdir, ARG("/d"), 0777));
    MUST(make("/d/f", 0600));
    MUST(SYS(symlink, ARG("/d"), ARG("/l")));
    for (size_t step = 0; step < ARRAY_LEN(steps); step++) {
        bool done = false;
        for (unsigned n = 1; !done; n++) {
            struct linux_stat st;
            const char *made = "/d/new";
            long result = 0, fd = -1;
            assert_true(n < 40);
            fs_fail_nth(n);
            switch (step) {
            case 0:
                result = SYS(mkdir, ARG("/l/new"), 0777);
                break;
            case 1:
                result = fd = SYS(open, ARG("/l/new"), O_CREAT | O_RDWR, 0600);
                break;
            case 2:
                result = SYS(symlink, ARG("x"), ARG("/l/new"));
                break;
            case 3:
                result = SYS(link, ARG("/l/f"), ARG("/l/new"));
                break;
            case 4:
                result = SYS(rename, ARG("/l/f"), ARG("/l/new"));
                break;
            case 5:
                result = SYS(stat, ARG("/l/f"), ARG(&st));
                made = NULL;
                break;
            default:
                result = fd = SYS(open, ARG("/proc/meminfo"), O_RDONLY);
                made = NULL;
            }
            bool hit = fs_fail_nth(0);
            done = result >= 0;
            if (!done) {
                assert_true(hit);
                assert_int_equal(result, -ENOMEM);
                assert_false(exists("/d/new"));
                assert_true(exists("/d/f"));
            } else if (made != NULL) {
                assert_true(exists(made));
                if (step == 4)
                    MUST(SYS(rename, ARG(made), ARG("/d/f")));
                else
                    MUST(step == 0 ? SYS(rmdir, ARG(made)) : SYS(unlink, ARG(made)));
            }
            if (fd >= 0)
                MUST(SYS(close, fd));
        }
    }
}

/* P1: a file of /dev/shm is made with all of its mode, as any other. */
static void special_bits(void **state)
{
    static const char *const paths[] = {"/tmp/f", "/dev/shm/f"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        MUST(make(paths[i], 07755));
        assert_int_equal(stat_of(paths[i]).st_mode, S_IFREG | 07755);
        MUST(SYS(chmod, ARG(paths[i]), 01640));
        assert_int_equal(stat_of(paths[i]).st_mode, S_IFREG | 01640);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(symlinks, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(unlinks, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(renames, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(directories, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(rights, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(foreign_directories, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(group_ids, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(times_before_1970, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(omitted_times, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(special_bits, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(failing_allocations, fs_setup, fs_teardown),
    };
    return cmocka_run_group_tests(tests, fs_group_setup, NULL);
}
