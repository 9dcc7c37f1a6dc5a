/* /proc/PID (A10): the directories, maps in Linux's format, status, comm; processes that vanish. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <abi/zone.h>

#include "failing.h"

#define PAGE 4096ul

static char text[REGION_TABLE_BYTES];

/* The whole file; NULL and errno when it cannot be opened or read. */
static const char *slurp_at(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY);
    size_t used = 0;
    ssize_t n;

    if (fd < 0)
        return NULL;
    while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    return n < 0 ? NULL : text;
}

static const char *slurp(pid_t pid, const char *file)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    return slurp_at(AT_FDCWD, path);
}

/* The value of a line of status. */
static const char *status_of(pid_t pid, const char *name)
{
    static char value[128];
    const char *s = slurp(pid, "status");
    size_t n = strlen(name);

    CHECK(s, "status of %d: %s", (int)pid, strerror(errno));
    for (; *s; s = strchr(s, '\n') + 1) {
        if (strncmp(s, name, n) == 0 && s[n] == ':') {
            s += n + 1;
            s += strspn(s, "\t ");
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(s, "\n"), s);
            return value;
        }
    }
    CHECK(false, "status has no line %s", name);
    return NULL;
}

struct map_line {
    unsigned long beg, end, offset, ino;
    char perms[5], name[512];
};

/* The mapping that holds addr. */
static bool map_find(pid_t pid, const void *addr, struct map_line *m)
{
    const char *s = slurp(pid, "maps");

    CHECK(s, "maps of %d: %s", (int)pid, strerror(errno));
    for (; *s; s = strchr(s, '\n') + 1) {
        unsigned major, minor;
        int at = 0;

        CHECK(sscanf(s, "%lx-%lx %4s %lx %x:%x %lu%n", &m->beg, &m->end, m->perms, &m->offset,
                     &major, &minor, &m->ino, &at) == 7,
              "a line of maps: %.60s", s);
        at += (int)strspn(s + at, " ");
        snprintf(m->name, sizeof(m->name), "%.*s", (int)strcspn(s + at, "\n"), s + at);
        if ((unsigned long)addr >= m->beg && (unsigned long)addr < m->end)
            return true;
    }
    return false;
}

static void map_must_be(const void *addr, size_t bytes, const char *perms, const char *name)
{
    struct map_line m;

    CHECK(map_find(getpid(), addr, &m), "A10: nothing at %p (%s)", addr, name);
    CHECK(strcmp(m.perms, perms) == 0 && strcmp(m.name, name) == 0, "A10: %s %s, must be %s %s",
          m.perms, m.name, perms, name);
    if (bytes) {
        CHECK_EQ(m.beg, (unsigned long)addr);
        CHECK_EQ(m.end - m.beg, bytes);
    }
}

static bool dir_has(const char *path, const char *name)
{
    DIR *d = opendir(path);
    struct dirent *e;
    bool found = false;

    CHECK(d, "%s: %s", path, strerror(errno));
    while ((e = readdir(d)))
        found |= strcmp(e->d_name, name) == 0;
    closedir(d);
    return found;
}

static struct gate ready, go;

static void wait_at_gate(void *arg)
{
    (void)arg;
    gate_open(&ready, 1);
    gate_pass(&go);
}

static pid_t waiting_child(child_fn *fn)
{
    ready = gate_make();
    go = gate_make();
    pid_t pid = child_start(fn, NULL);
    gate_pass(&ready);
    return pid;
}

static void case_self(void)
{
    char link[32], name[16];
    ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

    CHECK_OK(n);
    link[n] = '\0';
    CHECK_EQ(atoi(link), getpid());
    CHECK_EQ(atoi(status_of(getpid(), "Pid")), getpid());
    CHECK_EQ(atoi(status_of(getpid(), "PPid")), getppid());
    CHECK_EQ(atoi(status_of(getpid(), "Threads")), 1);
    CHECK(strcmp(status_of(getpid(), "Name"), "procpid") == 0, "Name %s", text);
    CHECK(strcmp(slurp(getpid(), "comm"), "procpid\n") == 0, "comm %s", text);
    CHECK(status_of(getpid(), "State")[0] == 'R', "State");
    snprintf(name, sizeof(name), "%d", getpid());
    CHECK(dir_has("/proc", name) && dir_has("/proc", "self") && dir_has("/proc", "1") &&
              dir_has("/proc", "regions"),
          "the list of /proc");
    CHECK(dir_has("/proc/self", "maps") && dir_has("/proc/1", "status"), "the list of /proc/PID");
}

static void case_names(void)
{
    static const char *const none[] = {
        "/proc/0",       "/proc/01",    "/proc/-1", "/proc/99999999999", "/proc/1x",    "/proc/+1",
        "/proc/self/no", "/proc/32767", "/proc/ 1", "/proc/1/1",         "/proc/1/self"};
    struct stat st;
    char cwd[64], want[64];

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        CHECK(stat(none[i], &st) == -1 && errno == ENOENT, "%s: %s", none[i], strerror(errno));
    CHECK_ERRNO(stat("/proc/self/maps/x", &st), ENOTDIR);
    CHECK_ERRNO(open("/proc/self/maps", O_RDWR), EACCES);
    CHECK_ERRNO(unlink("/proc/self/maps"), EPERM);
    CHECK_ERRNO(mkdir("/proc/77", 0777), EPERM);
    CHECK_ERRNO(rmdir("/proc/1"), EPERM);
    CHECK_ERRNO(chmod("/proc/self/maps", 0777), EPERM);
    CHECK_OK(chdir("/proc/self"));
    snprintf(want, sizeof(want), "/proc/%d", getpid());
    CHECK(getcwd(cwd, sizeof(cwd)), "getcwd: %s", strerror(errno));
    CHECK(strcmp(cwd, want) == 0, "getcwd: %s", cwd);
    CHECK_OK(chdir(".."));
    CHECK(strcmp(getcwd(cwd, sizeof(cwd)), "/proc") == 0, "..: %s", cwd);
}

static void case_maps(void)
{
    int local = 0;
    char *heap = (char *)syscall(SYS_brk, 0);
    char *anon = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct map_line m;

    CHECK(anon != MAP_FAILED, "mmap: %s", strerror(errno));
    CHECK_EQ(syscall(SYS_brk, heap + 3 * PAGE), (long)(heap + 3 * PAGE));
    heap += PAGE;
    map_must_be(&local, 0, "rw-p", "[stack]");
    map_must_be(heap, 0, "rw-p", "[heap]");
    CHECK(map_find(getpid(), anon, &m) && strcmp(m.perms, "r--p") == 0 && !m.name[0],
          "A10: anonymous memory: %s %s", m.perms, m.name);
    CHECK(map_find(getpid(), (void *)(uintptr_t)case_maps, &m), "the program");
    CHECK(strcmp(m.perms, "r-xp") == 0 && m.ino != 0, "the program: %s %lu", m.perms, m.ino);
    CHECK_OK(mprotect(anon + PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
    map_must_be(anon + PAGE, PAGE, "rwxp", "");
    CHECK_OK(munmap(anon, 2 * PAGE));
    CHECK(!map_find(getpid(), anon, &m), "an unmapped page is shown");
}

static void case_maps_of_regions(void)
{
    struct region_map how = {.flags = RM_PRIVATE};
    struct region_stat st;
    struct map_line m;
    void *a = region_new("procpid", 5 * PAGE), *ro, *copy;

    CHECK_ERR(createMappingWith("procpid", &copy, &how), ERR_OK);
    how.flags = RM_RDONLY;
    how.offset_bytes = 2 * PAGE;
    CHECK_ERR(createMappingWith("procpid", &ro, &how), ERR_OK);
    map_must_be(a, 5 * PAGE, "rw-s", "/dev/shm/procpid");
    map_must_be(copy, 5 * PAGE, "rw-p", "/dev/shm/procpid");
    map_must_be(ro, 3 * PAGE, "r--s", "/dev/shm/procpid");
    CHECK_ERR(statRegion("procpid", &st), ERR_OK);
    CHECK(map_find(getpid(), ro, &m), "the mapping");
    CHECK_EQ(m.ino, st.id);
    CHECK_EQ(m.offset, 2 * PAGE);
    CHECK_OK(munmap((char *)a + PAGE, PAGE));
    map_must_be(a, PAGE, "rw-s", "/dev/shm/procpid");
    CHECK(!map_find(getpid(), (char *)a + PAGE, &m), "A6: the hole is shown");
    map_must_be((char *)a + 2 * PAGE, 3 * PAGE, "rw-s", "/dev/shm/procpid");
}

static void touch_shrimp(void *arg)
{
    (void)arg;
    *(volatile char *)SHRIMP = 1;
    *(volatile char *)FRY = 1;
    map_must_be((void *)SHRIMP, PAGE, "rw-s", "[shrimp]");
    map_must_be((void *)FRY, PAGE, "rw-s", "[fry]");
}

/* Each door's contexts under a name of their own. */
static void case_maps_of_every_door(void)
{
    void *page = (void *)syscall(SHOAL_SYS_shm_open, -7);
    void *zone = (void *)syscall(SHOAL_SYS_shmem, 3, M_CREATE, 2);
    void *anon = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fd = memfd_create("scratch", 0), id = shmget(0x4d2, PAGE, IPC_CREAT | 0600);

    map_must_be(page, PAGE, "rw-s", "[xv6:-7]");
    map_must_be(zone, 2 * PAGE, "rw-s", "[zone:3]");
    map_must_be(anon, 3 * PAGE, "rw-s", "[anon_shared]");
    CHECK_OK(fd);
    CHECK_OK(ftruncate(fd, PAGE));
    map_must_be(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE, "r--s", "/memfd:");
    CHECK_OK(id);
    map_must_be(shmat(id, NULL, 0), PAGE, "rw-s", "[sysv:0x000004d2]");
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    id = shmget(IPC_PRIVATE, PAGE, 0600);
    CHECK_OK(id);
    void *private = shmat(id, NULL, SHM_RDONLY);
    struct map_line m;
    CHECK(map_find(getpid(), private, &m) && strncmp(m.name, "[sysv:", 6) == 0, "A10: %s", m.name);
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    MUST_EXIT(touch_shrimp, NULL, 0);
}

/* A name cannot make a line that is not one. */
static void case_names_cannot_forge(void)
{
    void *a = region_new("x y\nz\\", PAGE);

    map_must_be(a, PAGE, "rw-s", "/dev/shm/x\\040y\\012z\\134");
    CHECK(region_look("x\\040y\\012z\\134").found, "A10: the name in /proc/regions");
}

static void case_process_names_cannot_forge(void)
{
    CHECK_OK(prctl(PR_SET_NAME, "a b\nUid:\t0\\"));
    CHECK(strcmp(status_of(getpid(), "Name"), "a b\\nUid:\t0\\\\") == 0, "Name %s", text);
    CHECK(strcmp(slurp(getpid(), "comm"), "a b\nUid:\t0\\\n") == 0, "comm %s", text);
}

static void case_of_another(void)
{
    void *a = region_new("procpid.other", PAGE);
    struct map_line m;
    pid_t pid = waiting_child(wait_at_gate);

    CHECK(map_find(pid, a, &m), "A5: the child's mapping");
    CHECK(strcmp(m.name, "/dev/shm/procpid.other") == 0, "A10: %s", m.name);
    WAIT_UNTIL(status_of(pid, "State")[0] == 'S', "State %s", status_of(pid, "State"));
    CHECK_EQ(atoi(status_of(pid, "PPid")), getpid());
    CHECK_OK(kill(pid, SIGSTOP));
    WAIT_UNTIL(status_of(pid, "State")[0] == 'T', "State %s", status_of(pid, "State"));
    CHECK_OK(kill(pid, SIGCONT));
    gate_open(&go, 1);
    CHILD_EXITS(pid, 0);
}

static void case_zombie(void)
{
    pid_t pid = waiting_child(wait_at_gate);
    char path[32];
    siginfo_t info;
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    int dir = open(path, O_RDONLY | O_DIRECTORY), maps = openat(dir, "maps", O_RDONLY);
    CHECK_OK(dir);
    CHECK_OK(maps);
    gate_open(&go, 1);
    CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    CHECK(status_of(pid, "State")[0] == 'Z', "State %s", status_of(pid, "State"));
    CHECK(strcmp(slurp(pid, "maps"), "") == 0, "a zombie has no memory");
    CHECK_EQ(atoi(status_of(pid, "Threads")), 0);
    CHILD_EXITS(pid, 0);
    CHECK_ERRNO(stat(path, &st), ENOENT);
    CHECK_ERRNO(openat(dir, "status", O_RDONLY), ENOENT);
    CHECK(read(maps, text, sizeof(text)) > 0, "an open file stays as it was");
    CHECK_OK(close(maps));
    CHECK_OK(close(dir));
}

static void drop_and_wait(void *arg)
{
    CHECK_OK(setresgid(1000, 1000, 1000));
    CHECK_OK(setresuid(1000, 1000, 1000));
    wait_at_gate(arg);
}

static void look_as_1000(void *arg)
{
    pid_t other = *(pid_t *)arg;

    CHECK_OK(setresuid(1000, 1000, 1000));
    CHECK(slurp(getppid(), "maps") == NULL && errno == EACCES, "A9: root's maps are read");
    CHECK(slurp(getppid(), "status") != NULL, "status is for all");
    CHECK(slurp(getpid(), "maps") != NULL, "one's own maps: %s", strerror(errno));
    CHECK(slurp(other, "maps") != NULL, "maps of the same user: %s", strerror(errno));
    CHECK_OK(setreuid(1000, 1000));
}

static void look_as_1001(void *arg)
{
    CHECK_OK(setresuid(1001, 1001, 1001));
    CHECK(slurp(*(pid_t *)arg, "maps") == NULL && errno == EACCES, "A9: another user's maps");
}

static void case_rights(void)
{
    pid_t pid = waiting_child(drop_and_wait);

    CHECK(strncmp(status_of(pid, "Uid"), "1000\t1000\t1000", 14) == 0, "Uid");
    CHECK(strncmp(status_of(pid, "Gid"), "1000\t1000\t1000", 14) == 0, "Gid");
    CHECK(slurp(pid, "maps") != NULL, "root may look: %s", strerror(errno));
    MUST_EXIT(look_as_1000, &pid, 0);
    MUST_EXIT(look_as_1001, &pid, 0);
    gate_open(&go, 1);
    CHILD_EXITS(pid, 0);
}

static void on_usr1(int sig)
{
    (void)sig;
}

static void case_signals_and_faults(void)
{
    sigset_t set;
    char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned long faults;

    signal(SIGUSR1, on_usr1);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(strtoul(status_of(getpid(), "SigBlk"), NULL, 16), 1ul << (SIGUSR1 - 1));
    CHECK_EQ(strtoul(status_of(getpid(), "ShdPnd"), NULL, 16), 1ul << (SIGUSR1 - 1));
    CHECK_EQ(strtoul(status_of(getpid(), "SigCgt"), NULL, 16), 1ul << (SIGUSR1 - 1));
    CHECK_EQ(strtoul(status_of(getpid(), "SigIgn"), NULL, 16), 1ul << (SIGUSR2 - 1));
    faults = strtoul(status_of(getpid(), "Faults"), NULL, 0);
    for (size_t i = 0; i < 64; i++)
        p[i * PAGE] = 1;
    CHECK(strtoul(status_of(getpid(), "Faults"), NULL, 0) >= faults + 64, "Faults");
    CHECK(strtoul(status_of(getpid(), "VmSize"), NULL, 0) >= 64 * 4, "VmSize");
}

static void *sit(void *arg)
{
    (void)arg;
    gate_open(&ready, 1);
    gate_pass(&go);
    return NULL;
}

static void case_threads(void)
{
    pthread_t t[3];

    ready = gate_make();
    go = gate_make();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, sit, NULL), 0);
    for (int i = 0; i < 3; i++)
        gate_pass(&ready);
    CHECK_EQ(atoi(status_of(getpid(), "Threads")), 4);
    gate_open(&go, 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(t[i], NULL), 0);
}

/* Reads everything about everybody for as long as it lives. */
static void look_around(void *arg)
{
    (void)arg;
    gate_open(&ready, 1);
    for (;;) {
        DIR *d = opendir("/proc");
        struct dirent *e;

        while ((e = readdir(d))) {
            pid_t pid = atoi(e->d_name);

            if (pid == 0)
                continue;
            CHECK(slurp(pid, "maps") || errno == ENOENT || errno == ESRCH, "maps of %d: %s",
                  (int)pid, strerror(errno));
            CHECK(slurp(pid, "status") || errno == ENOENT || errno == ESRCH, "status of %d: %s",
                  (int)pid, strerror(errno));
        }
        closedir(d);
    }
}

static void touch_and_exit(void *arg)
{
    *(volatile char *)arg = 1;
}

/* A4: what a parent sees after wait is final, also while somebody looks at the child. */
static void case_looking_keeps_nothing_alive(void)
{
    char *a = region_new("procpid.watched", PAGE);

    ready = gate_make();
    pid_t watcher = child_start(look_around, NULL);
    gate_pass(&ready);
    unsigned long mappings = region_look("procpid.watched").mappings;
    CHECK_EQ(mappings, 2);
    for (int i = 0; i < 150; i++) {
        MUST_EXIT(touch_and_exit, a, 0);
        CHECK_EQ(region_look("procpid.watched").mappings, 2);
    }
    child_kill(watcher);
    CHECK_EQ(region_look("procpid.watched").mappings, 1);
}

static void case_failing_allocations(void)
{
    static const char *const paths[] = {"/proc/self/maps", "/proc/self/status"};

    for (size_t i = 0; i < 2; i++) {
        for (unsigned n = 1;; n++) {
            struct fail_result r = fail_nth(n, 2, (long)paths[i], O_RDONLY, 0);

            if (!r.delivered) {
                CHECK_OK((int)r.result);
                CHECK(n > 3, "A3: %s allocates nothing", paths[i]);
                close((int)r.result);
                break;
            }
            CHECK(r.result == -ENOMEM, "A3: %s, allocation %u: %ld", paths[i], n, r.result);
        }
    }
}

int main(void)
{
    RUN(case_self);
    RUN(case_names);
    RUN(case_maps);
    RUN(case_maps_of_regions);
    RUN(case_maps_of_every_door);
    RUN(case_names_cannot_forge);
    RUN(case_process_names_cannot_forge);
    RUN(case_of_another);
    RUN(case_zombie);
    RUN(case_rights);
    RUN(case_signals_and_faults);
    RUN(case_threads);
    RUN(case_looking_keeps_nothing_alive);
    RUN(case_failing_allocations);
    return check_done();
}
