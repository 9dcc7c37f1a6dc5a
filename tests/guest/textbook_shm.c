/* V2: the textbook's first program with shared memory.  It knows no Shoal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHM_SIZE 1024

int main(void)
{
    key_t key = 1234;
    int shmid = shmget(key, SHM_SIZE, IPC_CREAT | 0666);
    if (shmid < 0) {
        perror("shmget");
        exit(1);
    }

    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        char *data = shmat(shmid, NULL, 0);
        if (data == (char *)-1) {
            perror("shmat");
            exit(1);
        }
        strncpy(data, "Hello from child!", SHM_SIZE);
        shmdt(data);
        exit(0);
    }

    wait(NULL);
    char *data = shmat(shmid, NULL, 0);
    if (data == (char *)-1) {
        perror("shmat");
        exit(1);
    }
    printf("Message from child: %s\n", data);
    shmdt(data);
    shmctl(shmid, IPC_RMID, NULL);
    return 0;
}
