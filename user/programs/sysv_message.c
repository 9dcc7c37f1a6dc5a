/* System V (V2): a child leaves a message in segment 1234, the parent prints it. */
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "program.h"

#define KEY        1234
#define SIZE_BYTES 1024

static void child(int id)
{
    char *text = shmat(id, NULL, 0);

    MUST(text != (void *)-1);
    strncpy(text, "Hello from child!", SIZE_BYTES);
    MUST(shmdt(text) == 0);
    _exit(0);
}

int main(void)
{
    int id = shmget(KEY, SIZE_BYTES, 0600 | IPC_CREAT);
    struct shmid_ds ds;
    pid_t pid;
    char *text;

    MUST(id >= 0);
    pid = program_fork();
    if (pid == 0)
        child(id);
    program_wait(pid);
    text = shmat(id, NULL, SHM_RDONLY);
    MUST(text != (void *)-1);
    printf("Message from child: %s\n", text);
    MUST(strcmp(text, "Hello from child!") == 0);
    MUST(shmctl(id, IPC_STAT, &ds) == 0);
    MUST(ds.shm_nattch == 1 && ds.shm_lpid == getpid() && ds.shm_cpid == getpid());
    MUST(shmdt(text) == 0);
    MUST(shmctl(id, IPC_RMID, NULL) == 0);
    MUST(shmget(KEY, SIZE_BYTES, 0) == -1);
    return 0;
}
