/* A3, A5: shmget, shmat, shmdt, shmctl and fork with every one of their allocations failing in turn
 * leave no trace. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "failing.h"
#include "sysv.h"

#define KEY 0x5e95

static struct shm_info usage(void)
{
    struct shm_info info;

    CHECK_OK(shmctl(0, SHM_INFO, (void *)&info));
    return info;
}

static void case_get(void)
{
    for (unsigned n = 1;; n++) {
        struct shm_info before = usage();
        struct fail_result r = fail_nth(n, SYS_shmget, KEY, 20 * PAGE, IPC_CREAT | IPC_EXCL | 0600);

        if (!r.delivered) {
            CHECK(r.result >= 0 && n > 1, "shmget: %ld after %u", r.result, n);
            sysv_remove((int)r.result);
            return;
        }
        CHECK_EQ(r.result, -ENOMEM);
        CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
        CHECK_EQ(usage().used_ids, before.used_ids);
        CHECK_EQ(usage().shm_tot, before.shm_tot);
    }
}

static void case_attach(void)
{
    int id = sysv_new(20 * PAGE, 0600);

    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_shmat, id, 0, 0);
        struct shmid_ds ds = sysv_stat(id);

        if (!r.delivered) {
            CHECK(r.result > 0 && n > 1, "shmat: %ld after %u", r.result, n);
            CHECK_EQ(ds.shm_nattch, 1);
            sysv_remove(id);
            return;
        }
        CHECK_EQ(r.result, -ENOMEM);
        CHECK_EQ(ds.shm_nattch, 0);
        CHECK_EQ(ds.shm_atime, 0);
        CHECK_EQ(ds.shm_lpid, 0);
    }
}

/* Giving back needs nothing. */
static void case_give_back(void)
{
    int id = sysv_new(PAGE, 0600);
    void *p = sysv_attach(id, 0);
    struct fail_result r = fail_nth(1, SYS_shmdt, (long)p, 0, 0);

    CHECK_EQ(r.result, 0);
    CHECK(!r.delivered, "A3: shmdt allocates");
    r = fail_nth(1, SYS_shmctl, id, IPC_RMID, 0);
    CHECK_EQ(r.result, 0);
    CHECK(!r.delivered, "A3: IPC_RMID allocates");
    sysv_must_be_gone(id);
}

static void case_fork(void)
{
    int id = sysv_new(4 * PAGE, 0600);
    volatile char *p = sysv_attach(id, 0);

    *p = 1;
    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_fork, 0, 0, 0);

        if (r.result == 0)
            _exit(0);
        if (r.result > 0)
            CHILD_EXITS((pid_t)r.result, 0);
        CHECK_EQ(sysv_nattch(id), 1);
        if (!r.delivered)
            break;
    }
    sysv_remove(id);
}

int main(void)
{
    RUN(case_get);
    RUN(case_attach);
    RUN(case_give_back);
    RUN(case_fork);
    return check_done();
}
