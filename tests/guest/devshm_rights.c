/* A9 in /dev/shm: rights are checked at open, map and mprotect; a second user is refused. */
#define _GNU_SOURCE
#include "child.h"
#include "shmfile.h"

static void become_user(void)
{
    CHECK_OK(setresgid(1000, 1000, 1000));
    CHECK_OK(setresuid(1000, 1000, 1000));
}

static void refused(void *arg)
{
    (void)arg;
    become_user();
    CHECK_ERRNO(shm_open("/mine", O_RDONLY, 0), EACCES);
    CHECK_ERRNO(shm_open("/mine", O_RDWR, 0), EACCES);
    CHECK_ERRNO(shm_open("/mine", O_CREAT | O_RDWR | O_TRUNC, 0666), EACCES);
    CHECK_ERRNO(shm_unlink("/mine"), EACCES);
    CHECK_ERRNO(chmod("/dev/shm/mine", 0666), EPERM);
    CHECK_ERRNO(truncate("/dev/shm/mine", 0), EACCES);
    void *beg;
    CHECK_ERR(createMapping("mine", &beg), ERR_ACCESS);
    CHECK_ERR(destroySharedRegionWith("mine", RS_UNLINK, NULL), ERR_ACCESS);
}

static void case_second_user_is_refused(void)
{
    int fd = shm_new("/mine", PAGE);

    MUST_EXIT(refused, NULL, 0);
    CHECK_EQ(size_of(fd), PAGE);
    CHECK_OK(shm_unlink("/mine"));
}

static void reads_only(void *arg)
{
    (void)arg;
    become_user();
    CHECK_ERRNO(shm_open("/shown", O_RDWR, 0), EACCES);
    int fd = shm_open("/shown", O_RDONLY, 0);
    CHECK_OK(fd);
    CHECK_ERRNO(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
    char *p = map_file(fd, PAGE, PROT_READ, MAP_SHARED);
    CHECK_EQ(p[0], 1);
    CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
    CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
    char *own = map_file(fd, PAGE, RW, MAP_PRIVATE);
    own[0] = 2;
    CHECK_EQ(p[0], 1);
    *(volatile char *)p = 3; /* A6 */
}

static void case_read_only_by_mode(void)
{
    int fd = shm_new("/shown", PAGE);
    char *p = map_shared(fd, PAGE);

    p[0] = 1;
    CHECK_OK(fchmod(fd, 0644));
    MUST_DIE(reads_only, NULL, SIGSEGV);
    CHECK_EQ(p[0], 1);
    CHECK_OK(shm_unlink("/shown"));
}

/* One mode: the file's and the region's. */
static void case_chmod_both_ways(void)
{
    struct region_stat rs;
    struct stat st;
    int fd = shm_new("/modes", PAGE);

    CHECK_OK(fchmod(fd, 0640));
    CHECK_ERR(statRegion("modes", &rs), ERR_OK);
    CHECK_EQ(rs.mode, 0640);
    CHECK_ERR(chmodRegion("modes", 0604), ERR_OK);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, S_IFREG | 0604);
    CHECK_OK(fchown(fd, 1000, 1001));
    CHECK_ERR(statRegion("modes", &rs), ERR_OK);
    CHECK_EQ(rs.uid, 1000);
    CHECK_EQ(rs.gid, 1001);
    CHECK_OK(close(fd));
    CHECK_OK(stat("/dev/shm/modes", &st)); /* nobody has it open: asked of the region */
    CHECK_EQ(st.st_mode, S_IFREG | 0604);
    CHECK_EQ(st.st_uid, 1000);
    CHECK_OK(shm_unlink("/modes"));
}

static void owns_its_file(void *arg)
{
    (void)arg;
    struct stat st;

    become_user();
    int fd = shm_new("/theirs", PAGE);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_uid, 1000);
    CHECK_EQ(st.st_gid, 1000);
    CHECK_OK(shm_unlink("/theirs"));
    CHECK_OK(close(shm_new("/theirs", PAGE)));
}

static void case_owner_and_root_may_unlink(void)
{
    MUST_EXIT(owns_its_file, NULL, 0);
    int fd = shm_open("/theirs", O_RDWR, 0); /* root may do all */
    CHECK_OK(fd);
    CHECK_OK(shm_unlink("/theirs"));
}

static void case_umask(void)
{
    struct stat st;

    umask(027);
    int fd = shm_open("/masked", O_CREAT | O_RDWR, 0666);
    CHECK_OK(fd);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_OK(shm_unlink("/masked"));
}

/* Times stay when nobody has the file open. */
static void case_times_are_kept(void)
{
    struct timespec set[2] = {{1000, 5}, {2000, 6}};
    struct stat st;
    int fd = shm_new("/times", PAGE);

    CHECK_OK(futimens(fd, set));
    CHECK_OK(close(fd));
    CHECK_OK(stat("/dev/shm/times", &st));
    CHECK_EQ(st.st_atim.tv_sec, 1000);
    CHECK_EQ(st.st_mtim.tv_sec, 2000);
    CHECK_EQ(st.st_mtim.tv_nsec, 6);
    CHECK_OK(shm_unlink("/times"));
}

int main(void)
{
    RUN(case_second_user_is_refused);
    RUN(case_read_only_by_mode);
    RUN(case_chmod_both_ways);
    RUN(case_owner_and_root_may_unlink);
    RUN(case_umask);
    RUN(case_times_are_kept);
    return check_done();
}
