/* P1: /dev/shm is the table seen as a directory, and musl's shm_open works on it. */
#define _GNU_SOURCE
#include <sys/statfs.h>

#include "child.h"
#include "shmfile.h"

static void case_create_size_map(void)
{
    struct stat st;
    char text[8] = "";
    int fd = shm_open("/first", O_CREAT | O_EXCL | O_RDWR, 0640);

    CHECK_OK(fd);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_EQ(st.st_nlink, 1);
    CHECK_OK(ftruncate(fd, 3 * PAGE + 5));
    CHECK_EQ(size_of(fd), 3 * PAGE + 5);
    char *p = map_shared(fd, 4 * PAGE);
    CHECK_EQ(p[3 * PAGE], 0);
    strcpy(p + 2 * PAGE, "hello");
    CHECK_EQ(pread(fd, text, 6, 2 * PAGE), 6);
    CHECK(strcmp(text, "hello") == 0, "P1: read sees '%.6s'", text);
    CHECK_EQ(pwrite(fd, "HE", 2, 2 * PAGE), 2);
    CHECK(strcmp(p + 2 * PAGE, "HEllo") == 0, "P1: the mapping sees '%.6s'", p + 2 * PAGE);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_blocks, 16); /* A1: two pages were touched */
    CHECK_ERRNO(shm_open("/first", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    CHECK_OK(shm_unlink("/first"));
    CHECK_ERRNO(shm_unlink("/first"), ENOENT);
    CHECK_ERRNO(shm_open("/first", O_RDWR, 0), ENOENT);
}

static void reader(void *arg)
{
    (void)arg;
    int fd = shm_open("/two", O_RDONLY, 0);

    CHECK_OK(fd);
    char *p = map_file(fd, PAGE, PROT_READ, MAP_SHARED);
    CHECK_EQ(p[100], 7);
    _exit(3);
}

static void case_two_processes(void)
{
    int fd = shm_new("/two", PAGE);

    map_shared(fd, PAGE)[100] = 7;
    MUST_EXIT(reader, NULL, 3);
    CHECK_OK(shm_unlink("/two"));
}

static void case_native_region_is_a_file(void)
{
    struct region_stat rs;
    struct stat st;
    char *p;
    void *beg;

    CHECK_ERR(createSharedRegion("native", 3 * PAGE - 1, RS_PERSIST), ERR_OK);
    CHECK_ERR(createMapping("native", &beg), ERR_OK);
    int fd = shm_open("/native", O_RDWR, 0);
    CHECK_OK(fd);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 3 * PAGE);
    CHECK_EQ(st.st_mode, S_IFREG | 0600);
    CHECK_ERR(statRegion("native", &rs), ERR_OK);
    CHECK_EQ(st.st_ino, rs.id);
    p = map_shared(fd, 3 * PAGE);
    p[2 * PAGE] = 42;
    CHECK_EQ(((char *)beg)[2 * PAGE], 42);
    CHECK_EQ(mappings_of("native"), 2);
    CHECK(listed("native"), "P1: a native region is not listed");
    CHECK_ERR(destroySharedRegion("native"), ERR_INVAL); /* R5: the file's mapping counts */
    CHECK_OK(munmap(p, 3 * PAGE));
    CHECK_ERR(destroyMapping("native", beg), ERR_OK);
    CHECK_ERR(destroySharedRegion("native"), ERR_OK);
    CHECK_ERRNO(shm_open("/native", O_RDWR, 0), ENOENT);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(pread(fd, &st, 1, 2 * PAGE), 1); /* P1: an open descriptor is a user */
    CHECK_EQ(*(char *)&st, 42);
}

static void case_file_is_a_native_region(void)
{
    struct region_stat rs;
    void *beg;
    int fd = shm_new("/posix", 2 * PAGE);

    CHECK_ERR(createSharedRegion("posix", PAGE, RS_DEFAULT), ERR_EXIST); /* R3 */
    CHECK_ERR(statRegion("posix", &rs), ERR_OK);
    CHECK_EQ(rs.size_bytes, 2 * PAGE);
    CHECK_EQ(rs.flags, RS_PERSIST);
    CHECK_ERR(createMapping("posix", &beg), ERR_OK);
    CHECK_EQ(pwrite(fd, "x", 1, PAGE), 1);
    CHECK_EQ(((char *)beg)[PAGE], 'x');
    CHECK_EQ(mappings_of("posix"), 1);
    CHECK_OK(shm_unlink("/posix")); /* RS_UNLINK */
    CHECK_ERR(statRegion("posix", &rs), ERR_NOTEXIST);
    CHECK_EQ(((char *)beg)[PAGE], 'x');
    CHECK_OK(munmap(beg, 2 * PAGE));
}

static void case_unlink_frees_the_name_at_once(void)
{
    struct stat st;
    int old = shm_new("/again", PAGE);
    char *p = map_shared(old, PAGE);

    p[0] = 1;
    CHECK_OK(shm_unlink("/again"));
    int fresh = shm_new("/again", 2 * PAGE);
    CHECK_EQ(map_shared(fresh, PAGE)[0], 0);
    CHECK_EQ(p[0], 1);
    CHECK_OK(fstat(old, &st));
    CHECK_EQ(st.st_nlink, 0);
    CHECK_OK(ftruncate(old, 5 * PAGE));
    CHECK_EQ(size_of(fresh), 2 * PAGE);
    CHECK_OK(close(old));
    CHECK_EQ(p[0], 1);
    CHECK_OK(shm_unlink("/again"));
}

static void case_names_are_exact(void)
{
    char name[200] = "/";
    int fd = shm_new("/abc", PAGE);

    CHECK_ERRNO(shm_open("/a", O_RDWR, 0), ENOENT); /* R1 */
    CHECK_ERRNO(shm_open("/ab", O_RDWR, 0), ENOENT);
    CHECK_ERRNO(shm_open("/abcd", O_RDWR, 0), ENOENT);
    CHECK_ERRNO(open("/dev/shm/abc/x", O_RDONLY), ENOTDIR);
    CHECK_OK(shm_unlink("/abc"));
    close(fd);
    memset(name + 1, 'n', 128);
    CHECK_ERRNO(shm_open(name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
    name[128] = '\0';
    CHECK_OK(shm_open(name, O_CREAT | O_RDWR, 0600));
    CHECK(listed(name + 1), "R1: 127 bytes are a name");
    CHECK_OK(shm_unlink(name));
}

static void case_the_directory(void)
{
    struct statfs fs;
    struct stat st;
    char cwd[64];

    CHECK_OK(stat("/dev/shm", &st));
    CHECK_EQ(st.st_mode, S_IFDIR | 01777);
    CHECK_OK(statfs("/dev/shm", &fs));
    CHECK_EQ(fs.f_type, 0x01021994);
    CHECK_OK(chdir("/dev/shm"));
    CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/dev/shm") == 0, "cwd is %s", cwd);
    CHECK_OK(close(shm_new("/file", 0)));
    CHECK_ERRNO(mkdir("dir", 0777), EPERM);
    CHECK_ERRNO(symlink("file", "link"), EPERM);
    CHECK_ERRNO(link("file", "file"), EEXIST);
    CHECK_ERRNO(rename("file", "other"), EPERM);
    CHECK_ERRNO(rename("file", "/tmp/other"), EXDEV);
    CHECK_ERRNO(rmdir("/dev/shm"), EBUSY);
    CHECK_ERRNO(rmdir("file"), ENOTDIR);
    CHECK(listed("file") && !listed("dir") && !listed("link") && !listed("hard") &&
              !listed("other"),
          "P1: the directory");
    CHECK_OK(unlink("file"));
    CHECK(!listed("file"), "P1: an unlinked file is listed");
}

/* What sem_open(3) of C libraries does: a file made under one name gets its own, and loses the
 * first. */
static void case_more_names_than_one(void)
{
    struct stat st;
    char name[32];

    CHECK_OK(close(shm_new("/made", PAGE)));
    CHECK_OK(link("/dev/shm/made", "/dev/shm/asked"));
    CHECK_OK(stat("/dev/shm/asked", &st));
    CHECK_EQ(st.st_nlink, 2);
    CHECK(listed("made") && listed("asked"), "P1: both names are listed");
    CHECK_ERR(createSharedRegion("asked", PAGE, RS_DEFAULT), ERR_EXIST);
    CHECK_OK(unlink("/dev/shm/made"));
    CHECK(!listed("made") && listed("asked"), "P1: one name is left");
    CHECK_OK(stat("/dev/shm/asked", &st));
    CHECK_EQ(st.st_nlink, 1);
    CHECK_OK(close(shm_new("/made", 0))); /* the name is free */
    CHECK_OK(unlink("/dev/shm/made"));
    void *p = NULL;
    CHECK_ERR(createMapping("asked", &p), ERR_OK);
    CHECK_ERR(destroyMapping("asked", p), ERR_OK);
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "/dev/shm/more%d", i);
        CHECK_OK(link("/dev/shm/asked", name));
    }
    CHECK_ERRNO(link("/dev/shm/asked", "/dev/shm/too-many"), EMLINK);
    CHECK_ERR(destroySharedRegion("more3"), ERR_OK); /* R5: the region, with all its names */
    CHECK_ERRNO(stat("/dev/shm/asked", &st), ENOENT);
    CHECK_ERRNO(stat("/dev/shm/more7", &st), ENOENT);
}

static void case_many_are_listed_once(void)
{
    char name[16];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "/many%d", i);
        CHECK_OK(close(shm_new(name, 0)));
    }
    DIR *d = opendir("/dev/shm");
    unsigned found = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        int i = -1;
        if (sscanf(e->d_name, "many%d", &i) == 1) {
            CHECK_OK(unlinkat(dirfd(d), e->d_name, 0)); /* the cookies are stable */
            found++;
        }
    }
    closedir(d);
    CHECK_EQ(found, 300);
}

/* P1: each is replaced as its name is read: there is an end, and the next reading names all. */
static void case_a_listing_ends(void)
{
    unsigned found = 0, again = 0;
    char name[16];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/again%d", i);
        CHECK_OK(close(shm_new(name, 0)));
    }
    DIR *d = opendir("/dev/shm");
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strncmp(e->d_name, "again", 5) != 0)
            continue;
        CHECK(found++ < 200, "P1: %s is the %uth of 100", e->d_name, found);
        CHECK_OK(unlinkat(dirfd(d), e->d_name, 0));
        CHECK_OK(close(shm_new(e->d_name, 0)));
    }
    rewinddir(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strncmp(e->d_name, "again", 5) == 0) {
            CHECK_OK(unlinkat(dirfd(d), e->d_name, 0));
            again++;
        }
    }
    closedir(d);
    CHECK_EQ(again, 100);
}

int main(void)
{
    umask(0);
    RUN(case_create_size_map);
    RUN(case_two_processes);
    RUN(case_native_region_is_a_file);
    RUN(case_file_is_a_native_region);
    RUN(case_unlink_frees_the_name_at_once);
    RUN(case_names_are_exact);
    RUN(case_the_directory);
    RUN(case_more_names_than_one);
    RUN(case_many_are_listed_once);
    RUN(case_a_listing_ends);
    return check_done();
}
