/* System V segments in a test. */
#pragma once

#include <sys/ipc.h>
#include <sys/shm.h>

#include "child.h"

#define PAGE 4096ul

CHECK_UNUSED static int sysv_new(size_t size_bytes, int mode)
{
    int id = shmget(IPC_PRIVATE, size_bytes, mode);

    CHECK(id >= 0, "shmget(IPC_PRIVATE, %zu): %s", size_bytes, strerror(errno));
    return id;
}

CHECK_UNUSED static void *sysv_attach(int id, int flags)
{
    void *p = shmat(id, NULL, flags);

    CHECK(p != (void *)-1, "shmat(%d): %s", id, strerror(errno));
    return p;
}

CHECK_UNUSED static struct shmid_ds sysv_stat(int id)
{
    struct shmid_ds ds;

    CHECK_OK(shmctl(id, IPC_STAT, &ds));
    return ds;
}

CHECK_UNUSED static unsigned long sysv_nattch(int id)
{
    return sysv_stat(id).shm_nattch;
}

CHECK_UNUSED static void sysv_remove(int id)
{
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

/* The id leads nowhere. */
CHECK_UNUSED static void sysv_must_be_gone(int id)
{
    struct shmid_ds ds;

    CHECK((long)shmat(id, NULL, 0) == -1 && (errno == EINVAL || errno == EIDRM),
          "A8: %d can still be attached", id);
    CHECK(shmctl(id, IPC_STAT, &ds) == -1 && (errno == EINVAL || errno == EIDRM),
          "A8: %d still answers", id);
}
