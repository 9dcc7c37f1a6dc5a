/* A holder dies (R10, U2): of a robust mutex and of the region's own lock.  Who comes next is told,
 * repairs what was half written, and goes on. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "program.h"

#define NAME "accounts"

/* Money moves between the two; the sum never changes, but in the middle of a move. */
struct accounts {
    pthread_mutex_t mutex;
    volatile long a, b; /* a crash shows how far their writer had come */
};

#define TOTAL 100

static struct accounts *accounts_new(void)
{
    pthread_mutexattr_t attr;
    struct accounts *acc;
    void *beg;

    MUST_BE(createSharedRegion(NAME, sizeof(*acc), RS_DEFAULT), ERR_OK);
    MUST_BE(createMapping(NAME, &beg), ERR_OK);
    acc = beg;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    MUST(pthread_mutex_init(&acc->mutex, &attr) == 0);
    acc->a = TOTAL;
    return acc;
}

/* Moves half, and dies by a wild pointer. */
static void crash(struct accounts *acc)
{
    acc->a -= 10;
    *(volatile int *)8 = 1;
    acc->b += 10;
}

static void repair(struct accounts *acc)
{
    printf("found %ld + %ld, which is not %d; repaired\n", acc->a, acc->b, TOTAL);
    MUST(acc->a + acc->b != TOTAL);
    acc->b = TOTAL - acc->a;
}

static void await_crash(pid_t pid)
{
    int status;

    MUST(waitpid(pid, &status, 0) == pid);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void mutex_round(struct accounts *acc)
{
    pid_t pid = program_fork();

    if (pid == 0) {
        MUST(pthread_mutex_lock(&acc->mutex) == 0);
        crash(acc);
    }
    await_crash(pid);
    MUST(pthread_mutex_lock(&acc->mutex) == EOWNERDEAD);
    puts("pthread_mutex_lock: EOWNERDEAD");
    repair(acc);
    MUST(pthread_mutex_consistent(&acc->mutex) == 0);
    MUST(pthread_mutex_unlock(&acc->mutex) == 0);
    MUST(pthread_mutex_lock(&acc->mutex) == 0 && pthread_mutex_unlock(&acc->mutex) == 0);
}

static void region_round(struct accounts *acc)
{
    pid_t pid = program_fork();

    if (pid == 0) {
        MUST_BE(lockRegion(NAME), ERR_OK);
        crash(acc);
    }
    await_crash(pid);
    MUST_BE(lockRegion(NAME), ERR_OWNERDEAD);
    puts("lockRegion: ERR_OWNERDEAD");
    repair(acc);
    MUST_BE(unlockRegion(NAME), ERR_OK);
    MUST_BE(lockRegion(NAME), ERR_OK);
    MUST_BE(unlockRegion(NAME), ERR_OK);
}

int main(void)
{
    struct accounts *acc = accounts_new();

    for (int i = 0; i < 3; i++) {
        mutex_round(acc);
        region_round(acc);
    }
    return 0;
}
