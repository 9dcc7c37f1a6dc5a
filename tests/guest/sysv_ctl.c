/* V1: shmctl, and who is counted: nattch, times and pids are true at once, whatever attached and
 * detached (A4, A5). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>

#include "sysv.h"

#define KEY    0x5e92
#define IPC_64 0x100

static const char *self;

static bool between(time_t t, time_t from)
{
    return t >= from && t <= time(NULL);
}

static void detach_all(void *p)
{
    CHECK_OK(shmdt(p));
}

static void nothing(void *arg)
{
    (void)arg;
}

static void case_times_and_pids(void)
{
    time_t begin = time(NULL);
    int id = sysv_new(PAGE, 0640);
    struct shmid_ds ds = sysv_stat(id);

    CHECK_EQ(ds.shm_cpid, getpid());
    CHECK_EQ(ds.shm_lpid, 0);
    CHECK_EQ(ds.shm_atime, 0);
    CHECK_EQ(ds.shm_dtime, 0);
    CHECK(between(ds.shm_ctime, begin), "V1: ctime %ld", (long)ds.shm_ctime);
    CHECK_EQ(ds.shm_perm.mode, 0640);
    CHECK_EQ(ds.shm_perm.uid, 0);
    CHECK_EQ(ds.shm_perm.cuid, 0);
    void *p = sysv_attach(id, 0);
    ds = sysv_stat(id);
    CHECK_EQ(ds.shm_lpid, getpid());
    CHECK_EQ(ds.shm_dtime, 0);
    CHECK(between(ds.shm_atime, begin), "V1: atime %ld", (long)ds.shm_atime);
    pid_t child = child_start(detach_all, p);
    CHILD_EXITS(child, 0);
    ds = sysv_stat(id);
    CHECK_EQ(ds.shm_lpid, child);
    CHECK(between(ds.shm_dtime, begin), "V1: dtime %ld", (long)ds.shm_dtime);
    CHECK_EQ(ds.shm_cpid, getpid());
    child = child_start(nothing, NULL); /* exit is a detach */
    CHILD_EXITS(child, 0);
    ds = sysv_stat(id);
    CHECK_EQ(ds.shm_lpid, child);
    CHECK_EQ(ds.shm_nattch, 1);
    CHECK_OK(shmdt(p));
    CHECK_EQ(sysv_stat(id).shm_lpid, getpid());
    sysv_remove(id);
}

/* The other half of case_exec. */
static int after_exec(char **argv)
{
    int id = atoi(argv[2]), ready = atoi(argv[3]), go = atoi(argv[4]);
    char c;

    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_EQ(sysv_stat(id).shm_lpid, getpid());
    CHECK_EQ(write(ready, "r", 1), 1);
    CHECK_EQ(read(go, &c, 1), 1);
    return 0;
}

static void exec_self(void *arg)
{
    const int *args = arg;
    char id[12], ready[12], go[12];

    snprintf(id, sizeof(id), "%d", args[0]);
    snprintf(ready, sizeof(ready), "%d", args[1]);
    snprintf(go, sizeof(go), "%d", args[2]);
    execl(self, self, "exec", id, ready, go, NULL);
    CHECK(false, "exec: %s", strerror(errno));
}

/* exec lets go. */
static void case_exec(void)
{
    struct gate ready = gate_make(), go = gate_make();
    int id = sysv_new(PAGE, 0600);
    void *p = sysv_attach(id, 0);
    int args[] = {id, ready.fd[1], go.fd[0]};
    pid_t child = child_start(exec_self, args);

    gate_pass(&ready);
    CHECK_EQ(sysv_nattch(id), 1);
    gate_open(&go, 1);
    CHILD_EXITS(child, 0);
    CHECK_OK(shmdt(p));
    CHECK_EQ(sysv_nattch(id), 0);
    sysv_remove(id);
}

struct holder {
    int id;
    struct gate ready, never;
};

static void hold(void *arg)
{
    struct holder *h = arg;

    for (int i = 0; i < 5; i++)
        *(volatile int *)sysv_attach(h->id, 0) = i;
    gate_open(&h->ready, 1);
    gate_pass(&h->never);
}

/* A4: kill -9; and the removed segment goes with the last that had it, who was killed. */
static void case_kill(void)
{
    struct holder h = {sysv_new(PAGE, 0600), gate_make(), gate_make()};
    void *p = sysv_attach(h.id, 0);
    pid_t child = child_start(hold, &h);

    gate_pass(&h.ready);
    CHECK_EQ(sysv_nattch(h.id), 7);
    child_kill(child);
    CHECK_EQ(sysv_nattch(h.id), 1);
    CHECK_EQ(sysv_stat(h.id).shm_lpid, child);
    CHECK_OK(shmdt(p));
    child = child_start(hold, &h);
    gate_pass(&h.ready);
    sysv_remove(h.id);
    CHECK_EQ(sysv_nattch(h.id), 5);
    child_kill(child);
    sysv_must_be_gone(h.id);
}

static void case_set(void)
{
    int id = sysv_new(PAGE, 0600);
    struct shmid_ds ds = sysv_stat(id);

    ds.shm_perm.mode = 07444;
    ds.shm_perm.uid = 11;
    ds.shm_perm.gid = 12;
    ds.shm_perm.cuid = 13;
    ds.shm_segsz = 1;
    ds.shm_nattch = 9;
    CHECK_OK(shmctl(id, IPC_SET, &ds));
    ds = sysv_stat(id);
    CHECK_EQ(ds.shm_perm.mode, 0444);
    CHECK_EQ(ds.shm_perm.uid, 11);
    CHECK_EQ(ds.shm_perm.gid, 12);
    CHECK_EQ(ds.shm_perm.cuid, 0);
    CHECK_EQ(ds.shm_segsz, PAGE);
    CHECK_EQ(ds.shm_nattch, 0);
    ds.shm_perm.uid = (uid_t)-1;
    CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id, IPC_SET, (void *)8), EFAULT);
    CHECK_EQ(sysv_stat(id).shm_perm.uid, 11);
    sysv_remove(id);
}

static void case_refused(void)
{
    int id = sysv_new(PAGE, 0600);
    struct shmid_ds ds;

    CHECK_ERRNO(shmctl(-1, IPC_STAT, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id + 1, IPC_STAT, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id, 99, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id, -1, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id, IPC_STAT, (void *)8), EFAULT);
    CHECK_ERRNO(shmctl(0, IPC_INFO, (void *)8), EFAULT);
    CHECK_ERRNO(shmctl(0, SHM_INFO, (void *)8), EFAULT);
    CHECK_ERRNO(shmctl(4096, SHM_STAT, &ds), EINVAL);
    CHECK_EQ(syscall(SYS_shmctl, id, IPC_STAT | IPC_64, &ds), 0);
    CHECK_EQ(ds.shm_segsz, PAGE);
    sysv_remove(id);
    CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EINVAL);
}

static void case_lock(void)
{
    int id = sysv_new(PAGE, 0600);

    CHECK_OK(shmctl(id, SHM_LOCK, NULL));
    CHECK_EQ(sysv_stat(id).shm_perm.mode, 0600 | SHM_LOCKED);
    CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
    CHECK_EQ(sysv_stat(id).shm_perm.mode, 0600);
    sysv_remove(id);
}

static struct shm_info usage(int *top)
{
    struct shm_info info;

    *top = shmctl(0, SHM_INFO, (void *)&info);
    CHECK(*top >= 0, "SHM_INFO: %s", strerror(errno));
    return info;
}

static void case_info(void)
{
    struct shminfo limits;
    int top, found = 0;

    CHECK_OK(shmctl(0, IPC_INFO, (void *)&limits));
    CHECK_EQ(limits.shmmin, 1);
    CHECK_EQ(limits.shmmni, 4096);
    struct shm_info before = usage(&top);
    int id = sysv_new(10 * PAGE, 0600);
    char *p = sysv_attach(id, 0);
    p[0] = p[5 * PAGE] = 1;
    struct shm_info now = usage(&top);
    CHECK_EQ(now.used_ids, before.used_ids + 1);
    CHECK_EQ(now.shm_tot, before.shm_tot + 10);
    CHECK_EQ(now.shm_rss, before.shm_rss + 2);
    CHECK_EQ(now.shm_swp, 0);
    for (int index = 0; index <= top; index++) {
        struct shmid_ds ds, any;
        int got = shmctl(index, SHM_STAT, &ds);

        if (got != id)
            continue;
        CHECK_EQ(ds.shm_segsz, 10 * PAGE);
        CHECK_EQ(shmctl(index, SHM_STAT_ANY, &any), id);
        CHECK(memcmp(&ds, &any, sizeof(ds)) == 0, "SHM_STAT_ANY differs");
        found++;
    }
    CHECK_EQ(found, 1);
    sysv_remove(id);
    CHECK_OK(shmdt(p));
    now = usage(&top);
    CHECK_EQ(now.used_ids, before.used_ids);
    CHECK_EQ(now.shm_tot, before.shm_tot);
    CHECK_EQ(now.shm_rss, before.shm_rss);
}

/* /proc/sysvipc/shm, as ipcs reads it. */
static void case_proc(void)
{
    int id = shmget(KEY, 3 * PAGE - 1, IPC_CREAT | 0640);
    volatile char *p = sysv_attach(id, 0);
    char line[400];
    int lines = 0;

    *p = 1;
    FILE *f = fopen("/proc/sysvipc/shm", "r");
    CHECK(f != NULL, "/proc/sysvipc/shm: %s", strerror(errno));
    CHECK(fgets(line, sizeof(line), f) && strstr(line, "shmid perms"), "no header");
    while (fgets(line, sizeof(line), f)) {
        int key, shmid, cpid, lpid;
        unsigned perms, uid, gid, cuid, cgid;
        unsigned long size, nattch, rss, swap;
        long atime, dtime, ctime;

        CHECK_EQ(sscanf(line, "%d %d %o %lu %d %d %lu %u %u %u %u %ld %ld %ld %lu %lu", &key,
                        &shmid, &perms, &size, &cpid, &lpid, &nattch, &uid, &gid, &cuid, &cgid,
                        &atime, &dtime, &ctime, &rss, &swap),
                 16);
        if (shmid != id)
            continue;
        lines++;
        CHECK_EQ(key, KEY);
        CHECK_EQ(perms, 0640);
        CHECK_EQ(size, 3 * PAGE - 1);
        CHECK_EQ(cpid, getpid());
        CHECK_EQ(lpid, getpid());
        CHECK_EQ(nattch, 1);
        CHECK_EQ(rss, PAGE);
        CHECK_EQ(swap, 0);
        CHECK_EQ(atime, sysv_stat(id).shm_atime);
    }
    CHECK_EQ(lines, 1);
    fclose(f);
    CHECK_OK(chdir("/proc/sysvipc"));
    CHECK_OK(access("shm", R_OK));
    CHECK(getcwd(line, sizeof(line)) && strcmp(line, "/proc/sysvipc") == 0, "getcwd: %s", line);
    CHECK_OK(chdir(".."));
    CHECK_OK(access("meminfo", R_OK));
    sysv_remove(id);
}

/* SHMMNI is a real limit; A8 also when every place of the table is used again. */
static void case_all_ids(void)
{
    static int ids[4096], again[4096];
    struct shmid_ds ds;
    int n = 0;

    while ((ids[n] = shmget(IPC_PRIVATE, PAGE, SHM_NORESERVE | 0600)) >= 0)
        if (++n == 4096)
            break;
    CHECK_EQ(n, 4096);
    CHECK_ERRNO(shmget(IPC_PRIVATE, PAGE, SHM_NORESERVE | 0600), ENOSPC);
    CHECK_ERRNO(shmget(KEY, PAGE, IPC_CREAT | SHM_NORESERVE | 0600), ENOSPC);
    CHECK_ERRNO(shmget(KEY, PAGE, 0), ENOENT);
    for (int i = 0; i < n; i++)
        sysv_remove(ids[i]);
    for (int i = 0; i < n; i++)
        again[i] = sysv_new(PAGE, SHM_NORESERVE | 0600);
    for (int i = 0; i < n; i++) {
        CHECK(shmctl(ids[i], IPC_STAT, &ds) == -1, "A8: %d means a newer segment", ids[i]);
        CHECK_ERRNO(shmctl(ids[i], IPC_RMID, NULL), EIDRM);
        sysv_remove(again[i]);
    }
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 4 && strcmp(argv[1], "exec") == 0)
        return after_exec(argv);
    RUN(case_times_and_pids);
    RUN(case_exec);
    RUN(case_kill);
    RUN(case_set);
    RUN(case_refused);
    RUN(case_lock);
    RUN(case_info);
    RUN(case_proc);
    RUN(case_all_ids);
    return check_done();
}
