/* POSIX (P1, U2): producers and consumers share a queue in shm_open memory, with a mutex and
 * condition variables that processes share. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "program.h"

#define NAME      "/posix_pc"
#define SLOTS     8
#define PRODUCERS 2
#define CONSUMERS 3
#define ITEMS     500 /* of each producer */

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    unsigned put, got;
    unsigned long sum;
    unsigned slots[SLOTS];
};

static struct queue *queue_open(int flags)
{
    int fd = shm_open(NAME, O_RDWR | flags, 0600);
    struct queue *q;

    MUST(fd >= 0);
    if (flags & O_CREAT)
        MUST(ftruncate(fd, sizeof(*q)) == 0);
    q = mmap(NULL, sizeof(*q), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(q != MAP_FAILED);
    close(fd);
    return q;
}

static void queue_init(struct queue *q)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;

    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    MUST(pthread_mutex_init(&q->mutex, &mutex) == 0);
    MUST(pthread_cond_init(&q->not_empty, &cond) == 0);
    MUST(pthread_cond_init(&q->not_full, &cond) == 0);
}

static void produce(void)
{
    struct queue *q = queue_open(0);

    for (unsigned i = 1; i <= ITEMS; i++) {
        pthread_mutex_lock(&q->mutex);
        while (q->put - q->got == SLOTS)
            pthread_cond_wait(&q->not_full, &q->mutex);
        q->slots[q->put++ % SLOTS] = i;
        pthread_cond_signal(&q->not_empty);
        pthread_mutex_unlock(&q->mutex);
    }
    _exit(0);
}

/* Takes until all there will ever be is taken. */
static void consume(void)
{
    struct queue *q = queue_open(0);

    pthread_mutex_lock(&q->mutex);
    for (;;) {
        while (q->put == q->got && q->got < PRODUCERS * ITEMS)
            pthread_cond_wait(&q->not_empty, &q->mutex);
        if (q->got == PRODUCERS * ITEMS)
            break;
        q->sum += q->slots[q->got++ % SLOTS];
        pthread_cond_signal(&q->not_full);
    }
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->mutex);
    _exit(0);
}

int main(void)
{
    struct queue *q = queue_open(O_CREAT | O_EXCL);
    pid_t pids[PRODUCERS + CONSUMERS];

    queue_init(q);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        pids[i] = program_fork();
        if (pids[i] == 0 && i < CONSUMERS)
            consume();
        if (pids[i] == 0)
            produce();
    }
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        program_wait(pids[i]);
    printf("%u put, %u got, sum %lu\n", q->put, q->got, q->sum);
    MUST(q->got == PRODUCERS * ITEMS && q->sum == PRODUCERS * (ITEMS * (ITEMS + 1ul) / 2));
    MUST(shm_unlink(NAME) == 0);
    MUST(shm_open(NAME, O_RDWR, 0) < 0);
    return 0;
}
