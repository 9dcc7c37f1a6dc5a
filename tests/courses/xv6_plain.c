/* xv6's calls, one after the other; main without a type, errno a variable of the program's own. */
#include "fcntl.h"
#include "fs.h"
#include "memlayout.h"
#include "mmu.h"
#include "param.h"
#include "stat.h"
#include "syscall.h"
#include "traps.h"
#include "types.h"
#include "user.h"

#define MUST(x)                                                                                    \
    if (!(x)) {                                                                                    \
        printf(2, "line %d: not %s\n", __LINE__, #x);                                              \
        *(volatile int *)0 = 0;                                                                    \
    }

char text[32];
uchar c;
ushort s;
uint u;
pde_t pde;

main(int argc, char *argv[])
{
    int fds[2], pid, fd, errno;
    struct stat st;
    char *p, *q;

    errno = argc;
    MUST(errno == 3 && strcmp(argv[2], "two words") == 0);
    MUST(pipe(fds) == 0);
    if ((pid = fork()) == 0) {
        close(fds[0]);
        MUST(write(fds[1], "hello", 5) == 5);
        exit();
    }
    close(fds[1]);
    MUST(read(fds[0], text, sizeof(text)) == 5 && strcmp(text, "hello") == 0);
    MUST(read(fds[0], text, sizeof(text)) == 0);
    MUST(wait() == pid);
    MUST(wait() == -1);
    MUST(mkdir("d") == 0 && chdir("d") == 0);
    MUST(open("f", O_RDONLY) == -1);
    MUST((fd = open("f", O_CREATE | O_RDWR)) >= 0);
    printf(fd, "%d %x %s %c %%", -5, 255, "str", 'z');
    MUST(fstat(fd, &st) == 0 && st.type == T_FILE && st.size == 13 && st.nlink == 1);
    MUST(link("f", "g") == 0 && unlink("f") == 0 && stat("f", &st) == -1 && stat("g", &st) == 0);
    MUST(stat(".", &st) == 0 && st.type == T_DIR);
    MUST((fd = dup(fd)) > 0 && close(fd) == 0 && close(99) == -1);
    p = sbrk(PGSIZE);
    MUST(p != (char *)-1 && sbrk(0) == p + PGSIZE && sbrk(-PGSIZE) == p + PGSIZE);
    p = malloc(100);
    memset(p, 'x', 100);
    strcpy(p, "abc");
    MUST(strlen(p) == 3 && strchr(p, 'c') == p + 2 && p[99] == 'x' && atoi("42") == 42);
    memmove(p + 1, p, 3);
    MUST(p[3] == 'c');
    free(p);
    u = uptime();
    sleep(2);
    MUST(uptime() >= u + 2);
    if ((pid = fork()) == 0) {
        for (;;)
            sleep(100);
    }
    MUST(pid > 0 && kill(pid) == 0 && wait() == pid && kill(pid) == -1 && getpid() > 0);
    p = 0;
    q = (char *)shmem(3, M_CREATE, 1);
    MUST(q != (char *)-1 && shmem(3, M_CREATE, 1) == (void *)-1);
    q[0] = 1;
    exit();
}
