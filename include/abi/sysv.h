/* System V shared memory as x86-64 Linux has it: shmget(2), shmat(2), shmctl(2), and the structures
 * of asm-generic/{ipcbuf,shmbuf}.h.  musl's sys/shm.h has the same layouts under other names. */
#pragma once

#include <stdint.h>

#define IPC_PRIVATE 0

/* shmget's flags above the permission bits. */
#define IPC_CREAT      01000
#define IPC_EXCL       02000
#define SHM_HUGETLB    04000
#define SHM_NORESERVE  010000
#define SHM_HUGE_SHIFT 26 /* log2 of the page size asked for, 0: the usual */
#define SHM_HUGE_MASK  0x3f

/* shmat's flags. */
#define SHM_RDONLY 010000
#define SHM_RND    020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000
#define SHMLBA     4096

/* shmctl's commands; IPC_64 may be added and changes nothing. */
#define IPC_RMID     0
#define IPC_SET      1
#define IPC_STAT     2
#define IPC_INFO     3
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15
#define IPC_64       0x100

/* In linux_ipc_perm.mode, above the permission bits. */
#define SHM_DEST   01000
#define SHM_LOCKED 02000

struct linux_ipc_perm {
    int32_t key;
    uint32_t uid, gid;   /* owner */
    uint32_t cuid, cgid; /* creator */
    uint32_t mode;
    uint16_t seq, pad;
    uint64_t unused[2];
};

struct linux_shmid_ds {
    struct linux_ipc_perm perm;
    uint64_t segsz_bytes;
    int64_t atime_s, dtime_s, ctime_s; /* since 1970 */
    int32_t cpid, lpid;
    uint64_t nattch;
    uint64_t unused[2];
};
_Static_assert(sizeof(struct linux_shmid_ds) == 112, "as shmctl(2) has it");

/* IPC_INFO */
struct linux_shminfo {
    uint64_t shmmax_bytes, shmmin_bytes, shmmni, shmseg, shmall_pages;
    uint64_t unused[4];
};

/* SHM_INFO */
struct linux_shm_info {
    int32_t used_ids, pad;
    uint64_t total_pages, resident_pages, swapped_pages;
    uint64_t swap_attempts, swap_successes;
};
