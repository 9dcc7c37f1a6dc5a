/* What a run is made of: steps (as generated, kept and printed), calls (a step
 * with its references resolved to addresses, descriptors and ids), and answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE  4096l
#define SEATS 6 /* simulated processes at a time; each step names one */
#define ARGS  6
#define OUTS  12
#define STEPS 400
#define NAMES 3 /* of regions and files; one more is not a name */
#define SLOTS 4 /* descriptors a process */
#define SIZES 9 /* see size_of() */
#define USERS 3 /* 0, 1000, 2000 */

/* Fixed addresses are in here; the kernel chooses others. */
#define ARENA       0x200000000l
#define ARENA_PAGES 32

/* Places in steps: below ARENA_PAGES a page of the arena; then page REF_PAGES *
 * n + i behind the beginning of what the process's n-th mapping still has; then
 * Shrimpy's pages. */
#define REF_PAGES   8
#define REF_MAPPING 100
#define REF_FRY     1000
#define REF_SHRIMP  1001

/* X(name, arguments as resolved) */
#define OPS(X)                                                                                     \
    X(CREATE)   /* name, bytes, flags */                                                           \
    X(MAP)      /* name */                                                                         \
    X(MAPWITH)  /* name, flags, offset, bytes, address, timed */                                   \
    X(UNMAP)    /* name, address */                                                                \
    X(DESTROY)  /* name, how, timed */                                                             \
    X(LOCK)     /* name, timed */                                                                  \
    X(TRYLOCK)  /* name */                                                                         \
    X(UNLOCK)   /* name */                                                                         \
    X(STAT)     /* name */                                                                         \
    X(CHMOD)    /* name, mode */                                                                   \
    X(XOPEN)    /* id */                                                                           \
    X(XCLOSE)   /* id */                                                                           \
    X(SHMEM)    /* id, flags, pages */                                                             \
    X(SHMGET)   /* key, bytes, flags */                                                            \
    X(SHMAT)    /* id, address, flags */                                                           \
    X(SHMDT)    /* address */                                                                      \
    X(SHMRM)    /* id */                                                                           \
    X(SHMSTAT)  /* id */                                                                           \
    X(SHMSET)   /* id, uid, mode */                                                                \
    X(SHMLOCK)  /* id, command */                                                                  \
    X(SHMINFO)  /* */                                                                              \
    X(OPEN)     /* slot, name, flags, mode */                                                      \
    X(MEMFD)    /* slot */                                                                         \
    X(CLOSE)    /* fd, slot */                                                                     \
    X(TRUNCATE) /* fd, bytes, slot */                                                              \
    X(ALLOCATE) /* fd, offset, slot, bytes */                                                      \
    X(READ)     /* fd, offset, slot */                                                             \
    X(WRITE)    /* fd, offset, slot, value */                                                      \
    X(FSTAT)    /* fd, slot */                                                                     \
    X(FCHMOD)   /* fd, mode, slot */                                                               \
    X(LIST)     /* the names in /dev/shm */                                                        \
    X(UNLINK)   /* name */                                                                         \
    X(LINK)     /* name, new name */                                                               \
    X(RENAME)   /* name, new name */                                                               \
    X(MMAP)     /* address, bytes, prot, flags, fd, offset | slot */                               \
    X(MUNMAP)   /* address, bytes */                                                               \
    X(MPROTECT) /* address, bytes, prot */                                                         \
    X(MREMAP)   /* address, bytes, new bytes, flags, new address */                                \
    X(DISCARD)  /* address, bytes */                                                               \
    X(FREE)     /* address, bytes */                                                               \
    X(MSYNC)    /* address, bytes */                                                               \
    X(MLOCK)    /* address, bytes */                                                               \
    X(MINCORE)  /* address, bytes */                                                               \
    X(LOAD)     /* address */                                                                      \
    X(STORE)    /* address, value */                                                               \
    X(LOOK)     /* address: the whole page */                                                      \
    X(COMPARE)  /* every page the process has: many LOOKs */                                       \
    X(FORK)     /* seat of the child */                                                            \
    X(EXEC)     /* */                                                                              \
    X(EXIT)     /* */                                                                              \
    X(KILL)     /* of the process of the step, from outside */                                     \
    X(INTR)     /* a signal with a handler ends its sleep */                                       \
    X(SETEUID)  /* uid */

enum op {
#define X(name) name,
    OPS(X)
#undef X
    OP_COUNT
};

struct step {
    uint8_t seat, op;
    int a[ARGS];
    int how; /* HOW_* */
};

#define HOW_ALONE    0
#define HOW_TOGETHER 1         /* with the next one */
#define HOW_FAILS(n) (1 + (n)) /* the n-th allocation fails */

struct call {
    uint8_t seat, op;
    unsigned fails; /* the number of the allocation; 0: none */
    long a[ARGS];
};

struct answer {
    long ret; /* as the kernel has it: 0 or more, or -errno; of a touch, the
                 signal */
    long out[OUTS];
    bool failed;        /* an allocation, as the call demanded */
    uint8_t page[PAGE]; /* of LOOK */
};

const char *op_name(unsigned op);
const char *region_name(long name);
void step_print(char *to, size_t bytes, const struct step *s); /* as C */

/* For choices by small numbers. */
long size_of(int index);
long user_of(int index);
