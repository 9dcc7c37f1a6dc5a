/* xv6 pages and zones: system calls that answer an address or a negative errno. */
#include <signal.h>
#include <sys/syscall.h>

#include <abi/shoal.h>
#include <shoal/syscall.h>
#include <shoal/xv6shm.h>
#include <shoal/zone.h>

#define KERNEL_SIGSET_BYTES 8

/* Can *pointer be written?  The kernel finds out without a signal: it writes the signal mask there.
 */
static int pointer_writable(char **pointer)
{
    return shoal_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)pointer, KERNEL_SIGSET_BYTES) == 0;
}

int xv6_shm_open(int id, char **pointer)
{
    long addr = shoal_syscall(SHOAL_SYS_shm_open, id, 0, 0, 0);

    if (addr < 0)
        return -1;
    if (!pointer_writable(pointer)) {
        shoal_syscall(SHOAL_SYS_shm_close, id, 0, 0, 0);
        return -1;
    }
    *pointer = (char *)addr;
    return 0;
}

int xv6_shm_close(int id)
{
    return shoal_syscall(SHOAL_SYS_shm_close, id, 0, 0, 0) < 0 ? -1 : 0;
}

void *shmem(int id, int flags, int size)
{
    long addr = shoal_syscall(SHOAL_SYS_shmem, id, flags, size, 0);

    return addr < 0 ? (void *)-1 : (void *)addr;
}
