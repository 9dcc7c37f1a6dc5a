/* Shrimpy (S1 to S3): a family talks through two addresses and no call at all.  What a process
 * writes to FRY, its children read at SHRIMP; nobody else sees it. */
#include <shoal/zone.h>

#include "program.h"

#define CHILDREN 4

/* One page: what the parent says, and an answer for each child. */
struct talk {
    volatile int word;
    volatile int answers[CHILDREN];
};

static struct talk *const mine = (struct talk *)FRY, *const parents = (struct talk *)SHRIMP;

static void grandchild(int number)
{
    MUST(parents->word == 200 + number); /* what our parent says, not its parent */
    MUST(mine->word == 0);
    parents->answers[0] = 300 + number;
    _exit(0);
}

static void child(int number)
{
    pid_t pid;

    MUST(parents->word == 100 && mine->word == 0);
    mine->word = 200 + number;
    pid = program_fork();
    if (pid == 0)
        grandchild(number);
    program_wait(pid);
    MUST(mine->answers[0] == 300 + number);
    parents->answers[number] = 1000 + number;
    _exit(0);
}

int main(void)
{
    pid_t pids[CHILDREN];

    mine->word = 100;
    for (int i = 0; i < CHILDREN; i++)
        if ((pids[i] = program_fork()) == 0)
            child(i);
    for (int i = 0; i < CHILDREN; i++) {
        program_wait(pids[i]);
        printf("child %d answered %d\n", i, mine->answers[i]);
        MUST(mine->answers[i] == 1000 + i);
    }
    MUST(mine->word == 100);
    return 0;
}
