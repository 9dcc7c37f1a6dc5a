/* U2: semaphores with names, which musl keeps as files of /dev/shm. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>

#include "child.h"
#include "threads.h"

static void *named_taker(void *arg)
{
    for (unsigned i = 0; i < 50; i++)
        CHECK_OK(sem_wait(arg));
    return NULL;
}

static void named_child(void *arg)
{
    sem_t *sem = sem_open("/psync", 0);

    (void)arg;
    CHECK(sem != SEM_FAILED, "sem_open: %s", strerror(errno));
    thread_end(thread_new(named_taker, sem));
}

static void case_named_semaphore(void)
{
    sem_t *sem = sem_open("/psync", O_CREAT | O_EXCL, 0600, 0);
    pid_t pid;
    int value = -1;

    CHECK(sem != SEM_FAILED, "U2: sem_open: %s", strerror(errno));
    CHECK(sem_open("/psync", O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST,
          "U2: sem_open of a name that is there");
    CHECK(sem_open("/psync", 0) == sem, "U2: sem_open again is another semaphore");
    pid = child_start(named_child, NULL);
    for (unsigned i = 0; i < 51; i++)
        CHECK_OK(sem_post(sem));
    CHILD_EXITS(pid, 0);
    CHECK_OK(sem_getvalue(sem, &value));
    CHECK_EQ(value, 1);
    CHECK_OK(sem_close(sem));
    CHECK_OK(sem_close(sem));
    CHECK_OK(sem_unlink("/psync"));
    CHECK(sem_open("/psync", 0) == SEM_FAILED && errno == ENOENT, "U2: unlinked, still there");
}

int main(void)
{
    RUN(case_named_semaphore);
    return check_done();
}
