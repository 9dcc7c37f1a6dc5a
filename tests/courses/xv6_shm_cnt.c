/* X3 in the course's style: two processes count in one page, under the spin lock. */
#include "stat.h"
#include "types.h"
#include "user.h"
#include "uspinlock.h"

struct shm_cnt {
    struct uspinlock lock;
    int cnt;
};

int main(int argc, char *argv[])
{
    int pid;
    int i = 0;
    struct shm_cnt *counter;

    pid = fork();
    sleep(1);
    shm_open(1, (char **)&counter);
    printf(1, "%s has the counter at %x\n", pid ? "Parent" : "Child", counter);
    for (i = 0; i < 10000; i++) {
        uacquire(&(counter->lock));
        counter->cnt++;
        urelease(&(counter->lock));
        if (i % 1000 == 0)
            printf(1, "Counter in %s is %d\n", pid ? "Parent" : "Child", counter->cnt);
    }
    if (pid) {
        wait();
        printf(1, "Counter at the end is %d\n", counter->cnt);
        if (counter->cnt != 20000)
            *(volatile int *)0 = 0; /* there is no other bad end */
    }
    shm_close(1);
    exit();
    return 0;
}
