/* V1, A9: who may attach, look at and change a segment: sysvipc(7). */
#define _GNU_SOURCE
#include <grp.h>
#include <sys/mman.h>

#include "probe.h"
#include "sysv.h"

#define KEY   0x5e93
#define ALICE 1000
#define BOB   1001
#define CREW  50

static void become(uid_t uid, gid_t gid)
{
    CHECK_OK(setgroups(0, NULL));
    CHECK_OK(setresgid(gid, gid, gid));
    CHECK_OK(setresuid(uid, uid, uid));
}

static int key_new(int mode)
{
    int id = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | mode);

    CHECK(id >= 0, "shmget: %s", strerror(errno));
    return id;
}

static int index_of(int id)
{
    return id & 0x7fff;
}

/* Every door is shut to whom the mode gives nothing. */
static void stranger(void *arg)
{
    int id = *(int *)arg;
    struct shmid_ds ds;

    become(BOB, BOB);
    CHECK_ERRNO(shmget(KEY, 0, 0600), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, 0004), EACCES);
    CHECK_EQ(shmget(KEY, 0, 0), id); /* asks for no right */
    CHECK_ERRNO(shmat(id, NULL, 0), EACCES);
    CHECK_ERRNO(shmat(id, NULL, SHM_RDONLY), EACCES);
    CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EACCES);
    CHECK_ERRNO(shmctl(index_of(id), SHM_STAT, &ds), EACCES);
    CHECK_EQ(shmctl(index_of(id), SHM_STAT_ANY, &ds), id);
    ds.shm_perm.uid = BOB;
    CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EPERM);
    CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
    CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
    CHECK_ERRNO(shmget(KEY + 1, PAGE, IPC_CREAT | SHM_HUGETLB | 0600), EPERM);
}

static void case_stranger(void)
{
    int id = key_new(0600);

    MUST_EXIT(stranger, &id, 0);
    CHECK_EQ(sysv_nattch(id), 0);
    CHECK_EQ(sysv_stat(id).shm_perm.uid, 0);
    sysv_remove(id);
}

static void reader(void *arg)
{
    int id = *(int *)arg;

    become(BOB, BOB);
    CHECK_EQ(shmget(KEY, 0, 0444), id);
    CHECK_ERRNO(shmget(KEY, 0, 0666), EACCES);
    CHECK_ERRNO(shmat(id, NULL, 0), EACCES);
    volatile char *p = sysv_attach(id, SHM_RDONLY);
    CHECK_EQ(*p, 3);
    CHECK_EQ(probe_write(p), SIGSEGV);
    CHECK_ERRNO(mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_ERRNO(mprotect((void *)p, PAGE, PROT_READ | PROT_EXEC), EACCES);
    CHECK_ERRNO(shmat(id, NULL, SHM_RDONLY | SHM_EXEC), EACCES);
    CHECK_EQ(sysv_nattch(id), 3); /* inherited, and its own */
}

static void case_reader(void)
{
    int id = key_new(0644);
    volatile char *p = sysv_attach(id, 0);

    *p = 3;
    MUST_EXIT(reader, &id, 0);
    CHECK_EQ(*p, 3);
    CHECK_EQ(sysv_nattch(id), 1);
    sysv_remove(id);
}

static void in_crew(void *arg)
{
    become(BOB, CREW);
    CHECK_ERRNO(shmat(*(int *)arg, NULL, SHM_RDONLY), EACCES);
}

static void by_group_list(void *arg)
{
    gid_t crew = CREW;

    CHECK_OK(setgroups(1, &crew));
    CHECK_OK(setresgid(BOB, BOB, BOB));
    CHECK_OK(setresuid(BOB, BOB, BOB));
    CHECK_ERRNO(shmat(*(int *)arg, NULL, SHM_RDONLY), EACCES);
}

static void outside_crew(void *arg)
{
    become(BOB, BOB);
    sysv_attach(*(int *)arg, SHM_RDONLY);
}

/* The first class that fits decides, even when a later one allows more. */
static void case_classes(void)
{
    int id = key_new(0604);
    struct shmid_ds ds = sysv_stat(id);

    ds.shm_perm.gid = CREW;
    CHECK_OK(shmctl(id, IPC_SET, &ds));
    MUST_EXIT(in_crew, &id, 0);
    MUST_EXIT(by_group_list, &id, 0);
    MUST_EXIT(outside_crew, &id, 0);
    sysv_remove(id);
}

static void alice_makes(void *arg)
{
    int *shared = arg;

    become(ALICE, ALICE);
    shared[0] = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
    shared[1] = shmget(KEY + 1, PAGE, IPC_CREAT | IPC_EXCL | 0700);
    CHECK(shared[0] >= 0 && shared[1] >= 0, "shmget: %s", strerror(errno));
    void *p = sysv_attach(shared[0], 0);
    CHECK_ERRNO(shmat(shared[0], NULL, SHM_EXEC), EACCES);
    CHECK_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_EXEC), EACCES);
    sysv_attach(shared[1], SHM_EXEC);
    CHECK_OK(mprotect(sysv_attach(shared[1], 0), PAGE, PROT_READ | PROT_EXEC));
    struct shmid_ds ds = sysv_stat(shared[0]);
    CHECK_EQ(ds.shm_perm.uid, ALICE);
    CHECK_EQ(ds.shm_perm.cuid, ALICE);
    CHECK_EQ(ds.shm_perm.cgid, ALICE);
    ds.shm_perm.uid = BOB; /* given away: the creator keeps its rights */
    CHECK_OK(shmctl(shared[0], IPC_SET, &ds));
    CHECK_EQ(sysv_stat(shared[0]).shm_perm.uid, BOB);
    sysv_attach(shared[0], 0);
}

static void bob_owns(void *arg)
{
    int *shared = arg;

    become(BOB, BOB);
    sysv_attach(shared[0], 0);
    CHECK_OK(shmctl(shared[0], SHM_LOCK, NULL));
    CHECK_ERRNO(shmctl(shared[1], IPC_RMID, NULL), EPERM);
}

static void alice_removes(void *arg)
{
    become(ALICE, ALICE);
    sysv_remove(*(int *)arg);
}

static void case_owner_and_creator(void)
{
    int keeper = sysv_new(PAGE, 0600);
    int *shared = sysv_attach(keeper, 0);

    MUST_EXIT(alice_makes, shared, 0);
    MUST_EXIT(bob_owns, shared, 0);
    MUST_EXIT(alice_removes, shared, 0);
    sysv_must_be_gone(shared[0]);
    sysv_attach(shared[1], 0); /* root may all */
    sysv_remove(shared[1]);
    sysv_remove(keeper);
}

int main(void)
{
    RUN(case_stranger);
    RUN(case_reader);
    RUN(case_classes);
    RUN(case_owner_and_creator);
    return check_done();
}
