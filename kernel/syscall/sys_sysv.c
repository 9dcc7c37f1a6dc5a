/* System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

/* shmget(key, size, flags) */
long sys_shmget(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    return shm_sysv_get(&who, (int)args[0], args[1], (int)args[2]);
}

/* shmat(id, addr, flags): the address */
long sys_shmat(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    return shm_sysv_attach(&who, (int)args[0], args[1], (int)args[2]);
}

/* shmdt(addr) */
long sys_shmdt(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    return shm_sysv_detach(&who, args[0]);
}

/* shmctl(id, command, buf) */
long sys_shmctl(const unsigned long args[6])
{
    struct shm_caller who = shm_caller_current();
    return shm_sysv_control(&who, (int)args[0], (int)args[1], args[2]);
}
