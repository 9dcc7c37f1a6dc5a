/* U2: what the kernel does with a dead thread's robust list (get_robust_list(2)), and with the word
 * of set_tid_address(2). */
#define _GNU_SOURCE

#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "child.h"
#include "futex.h"
#include "regions.h"

#define PAGE 4096ul

/* Locks in a region, linked as their holder pleases. */
struct lock {
    struct robust_list node;
    unsigned word;
};

struct locks {
    struct robust_list_head head;
    struct lock lock[8];
};

static struct locks *locks;

static unsigned tid(void)
{
    return (unsigned)syscall(SYS_gettid);
}

/* Links the first n locks, the last to the head. */
static void list_make(unsigned n)
{
    struct robust_list *last = &locks->head.list;

    for (unsigned i = 0; i < n; i++) {
        last->next = &locks->lock[i].node;
        last = last->next;
    }
    last->next = &locks->head.list;
    locks->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
    locks->head.list_op_pending = NULL;
    CHECK_OK(syscall(SYS_set_robust_list, &locks->head, sizeof(locks->head)));
}

static void holder(void *arg)
{
    (void)arg;
    list_make(4);
    locks->lock[0].word = tid();
    locks->lock[1].word = tid() | FUTEX_WAITERS;
    locks->lock[2].word = 1; /* another's */
    locks->lock[3].word = tid();
    locks->lock[4].word = tid(); /* held, but not in the list */
    locks->head.list_op_pending = &locks->lock[5].node;
    locks->lock[5].word = tid();
}

static void locks_check(void)
{
    CHECK_EQ(locks->lock[0].word, FUTEX_OWNER_DIED);
    CHECK_EQ(locks->lock[1].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
    CHECK_EQ(locks->lock[2].word, 1);
    CHECK_EQ(locks->lock[3].word, FUTEX_OWNER_DIED);
    CHECK(!(locks->lock[4].word & FUTEX_OWNER_DIED), "U2: a lock outside the list was marked");
    CHECK_EQ(locks->lock[5].word, FUTEX_OWNER_DIED);
}

static void kill_me(void *arg)
{
    holder(arg);
    kill(getpid(), SIGKILL);
}

static void exec_me(void *arg)
{
    holder(arg);
    execl("/test/exit_status", "exit_status", "0", (char *)NULL);
    execl("/bin/true", "true", (char *)NULL);
}

static void case_marked(void)
{
    locks = region_new("locks", PAGE);
    MUST_EXIT(holder, NULL, 0);
    locks_check();
    memset(locks, 0, sizeof(*locks));
    MUST_DIE(kill_me, NULL, SIGKILL);
    locks_check();
}

/* exec ends the old program: its locks are let go at once, by whatever the new one is. */
static void case_exec(void)
{
    locks = region_new("locks", PAGE);
    waitpid(child_start(exec_me, NULL), NULL, 0);
    locks_check();
}

static void sleeper(void *arg)
{
    unsigned *word = arg;
    unsigned value = *word;

    while (!(value & FUTEX_OWNER_DIED)) {
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
        value = *(volatile unsigned *)word;
    }
}

static void waited_for(void *arg)
{
    const struct gate *g = arg;

    list_make(1);
    locks->lock[0].word = tid() | FUTEX_WAITERS;
    gate_open(g, 1);
    gate_pass(&g[1]);
    kill(getpid(), SIGKILL);
}

/* The death of the holder wakes who waits. */
static void case_waiter_woken(void)
{
    struct gate g[2] = {gate_make(), gate_make()};
    pid_t owner, waiter;

    locks = region_new("locks", PAGE);
    owner = child_start(waited_for, g);
    gate_pass(&g[0]);
    waiter = child_start(sleeper, &locks->lock[0].word);
    check_sleep_ms(2); /* most often it sleeps by now; it must come back either way */
    gate_open(&g[1], 1);
    CHILD_DIES(owner, SIGKILL);
    CHILD_EXITS(waiter, 0);
}

/* Lists that no sane program has: the process ends, and nobody else is hurt. */
static void bad_list(void *arg)
{
    struct robust_list_head *head = &locks->head;

    list_make(2);
    locks->lock[0].word = tid();
    switch ((long)arg) {
    case 0: /* a ring that never comes back to the head */
        locks->lock[1].node.next = &locks->lock[0].node;
        break;
    case 1:
        locks->lock[0].node.next = (struct robust_list *)8;
        break;
    case 2:
        locks->lock[0].node.next = (struct robust_list *)0xffffffff80200000ul;
        break;
    case 3:
        head->futex_offset = 1;
        break;
    case 4:
        head->futex_offset = LONG_MAX;
        break;
    case 5:
        syscall(SYS_set_robust_list, (void *)0x10, sizeof(*head));
        break;
    case 6:
        syscall(SYS_set_robust_list, (void *)0xffffffff80200000ul, sizeof(*head));
        break;
    case 7:
        head->list_op_pending = (struct robust_list *)~0ul;
        break;
    default: /* the list lies in memory that is gone */
        head = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        head->list.next = &head->list;
        syscall(SYS_set_robust_list, head, sizeof(*head));
        munmap(head, PAGE);
    }
}

static void case_bad_lists(void)
{
    locks = region_new("locks", PAGE);
    for (long i = 0; i < 9; i++)
        MUST_EXIT(bad_list, (void *)i, 0);
    CHECK_ERRNO(syscall(SYS_set_robust_list, &locks->head, sizeof(locks->head) + 1), EINVAL);
}

/* fork: the child's list is its own, empty one. */
static void child_of_holder(void *arg)
{
    (void)arg;
}

static void case_fork_inherits_nothing(void)
{
    locks = region_new("locks", PAGE);
    list_make(1);
    locks->lock[0].word = tid();
    MUST_EXIT(child_of_holder, NULL, 0);
    CHECK_EQ(locks->lock[0].word, tid());
    locks->lock[0].word = 0;
}

int main(void)
{
    RUN(case_marked);
    RUN(case_exec);
    RUN(case_waiter_woken);
    RUN(case_bad_lists);
    RUN(case_fork_inherits_nothing);
    return check_done();
}
