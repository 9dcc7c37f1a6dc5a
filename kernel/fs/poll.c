/* The queue of everyone who polls. */
#include <kernel/fs/poll.h>

static struct spinlock poll_lock = SPINLOCK_INIT("poll", RANK_FILE);
static struct waitq poll_queue = {LIST_INIT(poll_queue.waiters)}; /* poll_lock */
static uint64_t generation;                                       /* poll_lock: counts changes */
static unsigned
    pollers; /* atomic: nobody polls most of the time, and then a change costs nothing */

uint64_t poll_begin(void)
{
    __atomic_add_fetch(&pollers, 1, __ATOMIC_SEQ_CST);
    spin_lock(&poll_lock);
    uint64_t seen = generation;
    spin_unlock(&poll_lock);
    return seen;
}

int poll_wait(uint64_t seen, uint64_t deadline_ns)
{
    int err = 0;

    spin_lock(&poll_lock);
    /* Where something always changes, nobody ever sleeps. */
    if (generation != seen && thread_interrupted(SLEEP_INTERRUPTIBLE))
        err = -EINTR;
    while (generation == seen && err == 0)
        err = waitq_sleep(&poll_queue, &poll_lock, SLEEP_INTERRUPTIBLE, deadline_ns);
    spin_unlock(&poll_lock);
    return err;
}

void poll_end(void)
{
    __atomic_sub_fetch(&pollers, 1, __ATOMIC_RELAXED);
}

void poll_notify(void)
{
    /* The change made before, and this look at pollers, must not pass each other: a poller counts
     * itself first and looks at its files after. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pollers, __ATOMIC_RELAXED) == 0)
        return;
    spin_lock(&poll_lock);
    generation++;
    waitq_wake_all(&poll_queue);
    spin_unlock(&poll_lock);
}
