/* A region with its lock in the course's style; errno is a variable of the program's own. */
#include <lib/errcode.h>
#include <lib/malloc.h>
#include <lib/stddef.h>
#include <lib/stdio.h>
#include <lib/string.h>
#include <lib/test.h>
#include <lib/usyscall.h>

int main()
{
    char *name = "a channel of ours";
    int errno = 0, pid, sum = 0;
    char *addr = NULL;

    if ((errno = lockSharedRegion(name)) != ERR_NOTEXIST) {
        error("locked what is not there: %d", errno);
    }
    if ((errno = createSharedRegion(name, 2, RS_DEFAULT)) != ERR_OK) {
        error("cannot create %s: %d", name, errno);
    }
    if (createSharedRegion(name, 2, RS_PERSIST) != ERR_EXIST) {
        error("created it twice");
    }
    if (createSharedRegion("none", 0, RS_DEFAULT) != ERR_INVAL) {
        error("created nothing");
    }
    if ((errno = map(name, (void **)&addr)) != ERR_OK) {
        error("cannot map: %d", errno);
    }
    if ((errno = lockSharedRegion(name)) != ERR_OK) {
        error("cannot lock: %d", errno);
    }
    if ((pid = fork()) == 0) {
        if (lockSharedRegion(name) != ERR_OK) {
            error("the child cannot lock");
        }
        for (int i = 0; i < 100; i++) {
            sum += addr[i];
        }
        exit(sum);
    }
    memset(addr, 1, 100);
    addr[4096] = 5;
    if (unlockSharedRegion(name) != ERR_OK || wait(pid, &sum) != pid) {
        error("unlock or wait");
    }
    assert(sum == 100);
    /* The child went without unlocking: the next who locks is told, and holds it. */
    assert(lockSharedRegion(name) == ERR_OWNERDEAD);
    if (destroySharedRegion(name) != ERR_INVAL) {
        error("destroyed what we have mapped");
    }
    if (unmap(name, addr) != ERR_OK || unmap(name, addr) != ERR_NOTEXIST) {
        error("unmap");
    }
    if ((pid = spawn("/bin/no-such-program with words")) < 0 || wait(pid, &sum) != pid ||
        sum != -1) {
        error("spawn: %d", sum);
    }
    pass("osv_lock, %d bytes at %p", 8192, addr);
    exit(0);
    return 0;
}
