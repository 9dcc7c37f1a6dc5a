/* System V shared memory: shmget, shmat, shmdt and shmctl in full (V1, A8, A9). */
#include "door.h"
#include "runner.h"

#include <signal.h>

#define KEY    0x5e96
#define SIZE   (3 * U_PAGE - 100)
#define PAGES3 (3 * U_PAGE)

static long get(int key, size_t bytes, int flags)
{
    return U_CALL(SYS_shmget, (unsigned long)key, bytes, (unsigned long)flags);
}

static long attach(long id, uintptr_t at, int flags)
{
    return U_CALL(SYS_shmat, (unsigned long)id, at, (unsigned long)flags);
}

static long detach(long at)
{
    return U_CALL(SYS_shmdt, (unsigned long)at);
}

static long control(long id, int command)
{
    return U_CALL(SYS_shmctl, (unsigned long)id, (unsigned long)command, 0);
}

/* ---- shmget */

static int gets(uintptr_t sp)
{
    U_EQ(get(KEY, SIZE, 0600), -ENOENT);
    U_EQ(get(KEY, 0, IPC_CREAT | 0600), -EINVAL);
    U_EQ(get(KEY, SIZE_MAX, IPC_CREAT | 0600), -EINVAL);
    U_EQ(get(KEY, 64 * U_MIB, IPC_CREAT | 0600), -ENOMEM);
    long id = get(KEY, SIZE, IPC_CREAT | 0640);
    U_CHECK(id >= 0);
    U_EQ(get(KEY, SIZE, 0600), id);
    U_EQ(get(KEY, 0, IPC_CREAT), id);
    U_EQ(get(KEY, SIZE + 1, 0600), -EINVAL);
    U_EQ(get(KEY, SIZE, IPC_CREAT | IPC_EXCL), -EEXIST);
    long other = get(IPC_PRIVATE, SIZE, 0600), third = get(IPC_PRIVATE, SIZE, 0600);
    U_CHECK(other >= 0 && third >= 0 && other != third && other != id);
    struct linux_shmid_ds ds = u_segment((int)id);
    U_EQ(ds.segsz_bytes, SIZE);
    U_EQ(ds.perm.key, KEY);
    U_EQ(ds.perm.mode, 0640);
    U_EQ(ds.cpid, U_CALL(SYS_getpid));
    U_EQ(ds.lpid, 0);
    U_CHECK(ds.ctime_s > 0 && ds.atime_s == 0 && ds.dtime_s == 0);
    long sparse = get(KEY + 1, U_GIB, IPC_CREAT | SHM_NORESERVE | 0600);
    U_CHECK(sparse >= 0);
    U_EQ(get(KEY + 2, SIZE, IPC_CREAT | SHM_HUGETLB), -ENOMEM);
    U_EQ(get(KEY + 2, SIZE, IPC_CREAT | SHM_HUGETLB | 21 << SHM_HUGE_SHIFT), -ENOMEM);
    U_EQ(get(KEY + 2, SIZE, IPC_CREAT | SHM_HUGETLB | 30 << SHM_HUGE_SHIFT), -ENOMEM);
    U_EQ(get(KEY + 2, SIZE, IPC_CREAT | SHM_HUGETLB | 16 << SHM_HUGE_SHIFT), -EINVAL);
    U_CHECK(u_file_has("/proc/sysvipc/shm", "640"));
    u_walk();
    U_EQ(control(id, IPC_RMID), 0);
    U_EQ(get(KEY, SIZE, 0600), -ENOENT);
    U_EQ(control(id, IPC_RMID), -EINVAL);
    return 0; /* the others go with the machine */
}

/* ---- shmat, shmdt */

static int attaches(uintptr_t sp)
{
    host_catch_faults();
    long id = get(KEY, SIZE, IPC_CREAT | 0600), at = attach(id, 0, 0);
    U_CHECK(at > 0);
    u_store8((uintptr_t)at, 1);
    U_EQ(u_load8((uintptr_t)at + PAGES3 - 1), 0);
    U_EQ(u_segment((int)id).nattch, 1);
    U_EQ(u_segment((int)id).lpid, U_CALL(SYS_getpid));
    long again = attach(id, 0, SHM_RDONLY);
    U_EQ(u_load8((uintptr_t)again), 1);
    U_EQ(u_try_write((uintptr_t)again), SIGSEGV);
    U_EQ(U_CALL(SYS_mprotect, (unsigned long)again, U_PAGE, U_RW), -EACCES);
    U_EQ(attach(id, U_FAR, 0), U_FAR);
    U_EQ(attach(id, U_FAR, 0), -EINVAL);
    U_EQ(attach(id, U_FAR + U_PAGE, SHM_REMAP), U_FAR + U_PAGE);
    U_EQ(u_segment((int)id).nattch, 4);
    U_EQ(u_maps_count(U_FAR, U_FAR + U_GIB), 2);
    U_EQ(detach((long)U_FAR), 0);
    U_EQ(u_try_read(U_FAR), SIGSEGV);
    U_EQ(u_load8(U_FAR + U_PAGE), 1);
    U_EQ(detach((long)U_FAR + (long)U_PAGE), 0);
    U_EQ(attach(id, U_FAR + 5, SHM_RND), U_FAR);
    U_EQ(detach((long)U_FAR), 0);
    U_EQ(attach(id, U_FAR + 5, 0), -EINVAL);
    U_EQ(attach(id, 0, SHM_REMAP), -EINVAL);
    U_EQ(attach(id, U_KERNEL, 0), -EINVAL);
    U_EQ(attach(id, SHRIMPY_TOP - U_PAGE, SHM_REMAP), -EINVAL);
    U_EQ(attach(id, 5, SHM_RND), -EINVAL);
    U_EQ(attach(id + 1000, 0, 0), -EINVAL);
    U_EQ(attach(-1, 0, 0), -EINVAL);
    U_EQ(detach(at + 1), -EINVAL);
    U_EQ(detach((long)U_FAR), -EINVAL);
    U_EQ(detach(again), 0);
    U_EQ(detach(at), 0);
    U_CHECK(u_segment((int)id).dtime_s > 0);
    long code = attach(id, 0, SHM_EXEC);
    U_CHECK(code > 0);
    U_EQ(host_fetch((uintptr_t)code), 0);
    U_EQ(detach(code), 0);
    U_EQ(control(id, IPC_RMID), 0);
    return 0;
}

/* An attach in pieces is one attach. */
static int pieces(uintptr_t sp)
{
    host_catch_faults();
    long id = get(KEY, SIZE, IPC_CREAT | 0600), at = attach(id, 0, 0);
    u_fill((uintptr_t)at, 3, 1);
    U_EQ(U_CALL(SYS_munmap, (unsigned long)at, U_PAGE), 0);
    U_EQ(u_segment((int)id).nattch, 1);
    U_EQ(detach(at + (long)U_PAGE), -EINVAL); /* not what shmat gave */
    U_EQ(detach(at), 0);
    U_EQ(u_try_read((uintptr_t)at + 2 * U_PAGE), SIGSEGV);
    U_EQ(attach(id, U_FAR, 0), U_FAR);
    U_EQ(U_CALL(SYS_munmap, U_FAR + U_PAGE, U_PAGE), 0);
    u_mmap(U_FAR + U_PAGE, U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    u_store8(U_FAR + U_PAGE, 3);
    U_EQ(detach((long)U_FAR), 0); /* and what lies between stays */
    U_EQ(u_load8(U_FAR + U_PAGE), 3);
    U_EQ(u_segment((int)id).nattch, 0);
    U_EQ(control(id, IPC_RMID), 0);
    return 0;
}

/* ---- the end of a segment */

static int removed_is_there(uintptr_t id)
{
    long at = attach((long)id, 0, 0); /* by its id, while somebody has it */
    U_CHECK(at > 0);
    U_EQ(u_load8((uintptr_t)at), 1);
    return 0;
}

static int removes(uintptr_t sp)
{
    long id = get(KEY, SIZE, IPC_CREAT | 0600), at = attach(id, 0, 0);
    u_store8((uintptr_t)at, 1);
    U_EQ(control(id, IPC_RMID | IPC_64), 0);
    U_EQ(control(id, IPC_RMID), 0);
    struct linux_shmid_ds ds = u_segment((int)id);
    U_EQ(ds.perm.mode, 0600 | SHM_DEST);
    U_EQ(ds.perm.key, IPC_PRIVATE);
    U_EQ(get(KEY, SIZE, 0600), -ENOENT);
    long other = get(KEY, SIZE, IPC_CREAT | 0600);
    U_CHECK(other >= 0 && other != id);
    u_child_does(removed_is_there, (uintptr_t)id);
    u_walk();
    U_EQ(detach(at), 0);
    U_EQ(attach(id, 0, 0), -EINVAL);
    U_EQ(control(other, IPC_RMID), 0);
    return 0;
}

/* A place is used again under another id (A8), the one that is free for longest first. */
static int ids_are_new(uintptr_t sp)
{
    struct linux_shminfo limits;
    long top = u_shmctl(0, IPC_INFO, &limits, sizeof limits), n = 0, id, first = -1, last = -1;
    U_EQ(top, 0);
    U_CHECK(limits.shmmni > 0 && limits.shmmax_bytes > 0 && limits.shmmin_bytes == 1);
    while ((id = get(IPC_PRIVATE, 1, 0600)) >= 0) {
        first = n++ ? first : id;
        last = id;
    }
    U_EQ(id, -ENOSPC);
    U_EQ((size_t)n, limits.shmmni);
    U_EQ(u_shmctl(0, IPC_INFO, &limits, sizeof limits), n - 1);
    U_EQ(control(last, IPC_RMID), 0);
    U_EQ(control(first, IPC_RMID), 0);
    struct linux_shm_info info;
    U_EQ(u_shmctl(0, SHM_INFO, &info, sizeof info), n - 2);
    U_EQ(info.used_ids, n - 2);
    U_EQ((size_t)info.total_pages, (size_t)n - 2);
    U_EQ(info.resident_pages, 0);
    long second = get(IPC_PRIVATE, 1, 0600), third = get(IPC_PRIVATE, 1, 0600);
    U_CHECK(second != last && third != first);
    U_EQ(second & 0xff, last & 0xff);
    U_EQ(control(first, IPC_RMID), -EIDRM);
    U_EQ(attach(last, 0, 0), -EIDRM);
    u_walk();
    return 0;
}

/* The generations of a place are used up: then it is never used again. */
static int generations_end(uintptr_t sp)
{
    struct linux_shminfo limits;
    long n = 0, id, seen = -1;
    (void)u_shmctl(0, IPC_INFO, &limits, sizeof limits);
    for (size_t i = 1; i < limits.shmmni; i++)
        U_CHECK(get(IPC_PRIVATE, 1, 0600) >= 0);
    while ((id = get(IPC_PRIVATE, 1, 0600)) >= 0) {
        U_CHECK(id > seen);
        seen = id;
        n++;
        U_EQ(control(id, IPC_RMID), 0);
    }
    U_EQ(id, -ENOSPC);
    U_CHECK(n > 1000);
    return 0;
}

/* ---- shmctl */

static int controls(uintptr_t sp)
{
    long id = get(KEY, SIZE, IPC_CREAT | 0600);
    struct linux_shmid_ds ds = {0};
    U_EQ(control(id, 99), -EINVAL);
    U_EQ(control(-1, IPC_STAT), -EINVAL);
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)id, IPC_STAT, U_BAD), -EFAULT);
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)id, IPC_SET, U_BAD), -EFAULT);
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)id, IPC_INFO, U_BAD), -EFAULT);
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)id, SHM_INFO, U_BAD), -EFAULT);
    U_EQ(u_shmctl(0, SHM_STAT, &ds, sizeof ds), id);
    U_EQ(ds.perm.key, KEY);
    U_EQ(u_shmctl(0, SHM_STAT_ANY | IPC_64, &ds, sizeof ds), id);
    U_EQ(u_shmctl(7, SHM_STAT, &ds, sizeof ds), -EINVAL);
    U_EQ(control(id, SHM_LOCK), 0);
    U_EQ(u_segment((int)id).perm.mode, 0600 | SHM_LOCKED);
    U_EQ(control(id, SHM_UNLOCK), 0);
    U_EQ(u_segment((int)id).perm.mode, 0600);
    U_EQ(control(id + 1, SHM_LOCK), -EINVAL);
    ds = u_segment((int)id);
    ds.perm.uid = 1000;
    ds.perm.gid = 2000;
    ds.perm.mode = 07644;
    U_EQ(u_shmctl((int)id, IPC_SET, &ds, sizeof ds), 0);
    ds = u_segment((int)id);
    U_EQ(ds.perm.uid, 1000);
    U_EQ(ds.perm.gid, 2000);
    U_EQ(ds.perm.cuid, 0);
    U_EQ(ds.perm.mode, 0644);
    ds.perm.uid = UINT32_MAX;
    U_EQ(u_shmctl((int)id, IPC_SET, &ds, sizeof ds), -EINVAL);
    ds.perm.uid = 0;
    ds.perm.gid = UINT32_MAX;
    U_EQ(u_shmctl((int)id, IPC_SET, &ds, sizeof ds), -EINVAL);
    U_EQ(u_shmctl(4711, IPC_SET, &ds, sizeof ds), -EINVAL);
    U_EQ(control(id, IPC_RMID), 0);
    return 0;
}

/* ---- rights */

struct who {
    unsigned uid, gid;
    bool reads, writes, controls;
};

static const struct who people[] = {
    {1000, 5000, true, true, true},    /* the owner, after IPC_SET */
    {1001, 2000, true, false, false},  /* its group */
    {1001, 3000, true, false, false},  /* the creator's group */
    {1002, 5000, false, false, false}, /* anybody */
    {1003, 5000, true, true, true},    /* the creator */
};

static long rights_id;

static int as_somebody(uintptr_t index)
{
    const struct who *who = &people[index];
    struct linux_shmid_ds ds = {0};
    u_become(who->uid, who->gid);
    long at = attach(rights_id, 0, SHM_RDONLY);
    U_EQ(at > 0 ? 0 : at, who->reads ? 0 : -EACCES);
    at = attach(rights_id, 0, 0);
    U_EQ(at > 0 ? 0 : at, who->writes ? 0 : -EACCES);
    U_EQ(attach(rights_id, 0, SHM_EXEC), -EACCES);
    U_EQ(get(KEY, SIZE, 0600), who->writes ? rights_id : -EACCES);
    U_EQ(get(KEY, SIZE, 0400), who->reads ? rights_id : -EACCES);
    U_EQ(u_shmctl((int)rights_id, IPC_STAT, &ds, sizeof ds), who->reads ? 0 : -EACCES);
    U_EQ(u_shmctl(0, SHM_STAT, &ds, sizeof ds), who->reads ? rights_id : -EACCES);
    U_EQ(u_shmctl(0, SHM_STAT_ANY, &ds, sizeof ds), rights_id);
    U_EQ(u_shmctl((int)rights_id, IPC_SET, &ds, sizeof ds), who->controls ? 0 : -EPERM);
    U_EQ(control(rights_id, SHM_LOCK), who->controls ? 0 : -EPERM);
    if (!who->controls)
        U_EQ(control(rights_id, IPC_RMID), -EPERM);
    U_EQ(get(KEY + 7, SIZE, IPC_CREAT | SHM_HUGETLB), -EPERM);
    return 0;
}

static int as_creator(uintptr_t arg)
{
    u_become(1003, 3000);
    rights_id = get(KEY, SIZE, IPC_CREAT | 0640);
    return rights_id < 0;
}

static int rights(uintptr_t sp)
{
    u_child_does(as_creator, 0);
    struct linux_shmid_ds ds = u_segment((int)rights_id);
    ds.perm.uid = 1000;
    ds.perm.gid = 2000;
    U_EQ(u_shmctl((int)rights_id, IPC_SET, &ds, sizeof ds), 0);
    for (uintptr_t i = 0; i < sizeof people / sizeof *people; i++) {
        u_child_does(as_somebody, i);
    }
    return 0;
}

/* A child of fork is attached as its parent is, and exec and exit detach. */
static int forked(uintptr_t id)
{
    U_EQ(u_segment((int)id).nattch, 2);
    return 0;
}

static int fork_counts(uintptr_t sp)
{
    long id = get(KEY, SIZE, IPC_CREAT | 0600), at = attach(id, 0, 0);
    u_store8((uintptr_t)at, 1);
    u_child_does(forked, (uintptr_t)id);
    U_EQ(u_segment((int)id).nattch, 1);
    U_EQ(control(id, IPC_RMID), 0);
    return 0; /* the end of the last one attached ends it */
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "gets", .init = gets, .runs = 1},
        {.name = "attaches", .init = attaches, .runs = 2},
        {.name = "pieces", .init = pieces, .runs = 2},
        {.name = "removes", .init = removes, .runs = 2},
        {.name = "ids_are_new", .init = ids_are_new, .runs = 1},
        {.name = "generations_end", .init = generations_end, .runs = 1},
        {.name = "controls", .init = controls, .runs = 1},
        {.name = "rights", .init = rights, .runs = 1},
        {.name = "fork_counts", .init = fork_counts, .runs = 2},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
