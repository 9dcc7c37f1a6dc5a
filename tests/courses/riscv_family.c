/* S1 to S3 in the course's style: a parent tells its children through its fry page. */
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/memlayout.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char *argv[])
{
    volatile int *fry = (int *)FRY, *shrimp = (int *)SHRIMP;
    int i, status, sum = 0;

    if ((uint64)FRY >= TRAPFRAME || (uint64)SHRIMP >= (uint64)FRY || MAXVA - PGSIZE != TRAMPOLINE) {
        fprintf(2, "the pages are in the wrong places\n");
        exit(1);
    }
    fry[0] = 1234;
    for (i = 1; i <= 3; i++) {
        int pid = fork();

        if (pid < 0) {
            printf("fork failed\n");
            exit(1);
        }
        if (pid == 0) {
            if (shrimp[0] != 1234 || fry[0] != 0)
                exit(-1);
            fry[0] = 99; /* nobody's but my children's */
            shrimp[i] = i * 10;
            exit(i);
        }
    }
    for (i = 1; i <= 3; i++) {
        if (wait(&status) < 0)
            exit(1);
        sum += status;
    }
    printf("sum of statuses %d, from the page %d %d %d, %s %p %x\n", sum, fry[1], fry[2], fry[3],
           "at", fry, 255);
    if (sum != 6 || fry[1] + fry[2] + fry[3] != 60 || fry[0] != 1234 || wait(0) != -1)
        exit(1);
    exit(0);
}
