/* Inside /bin/fuzz.  One supervisor (supervisor.c) starts worker processes, kills and restarts
 * them; each thread of a worker makes random calls: hostile ones from a table (table.c, args.c),
 * and steps that mean to succeed, so that there is something deep to be hostile to (steps_*.c).
 * Nothing here trusts an answer: what is looked for is a kernel that stops, hangs or leaks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <abi/shoal.h>

#define PAGE_BYTES 4096ul

/* Names that all workers share, so that they meet. */
#define FUZZ_DIR     "/tmp/fuzz"
#define FUZZ_PROGRAM "/bin/fuzz"
#define FUZZ_NAMES   6 /* of regions, and of files in /dev/shm: fz0 ... */
#define FUZZ_KEYS    4 /* System V keys, from FUZZ_KEY on; ids of xv6 pages and zones: 0 ... */
#define FUZZ_KEY     0x5ea0

#define PROCESSES_MAX 32 /* workers */
#define THREADS       3  /* of a worker */
#define SCRATCH_PAGES 16
#define AREAS         24

/* What one worker counts its calls in: a page of its own, shared with the supervisor. */
struct tally {
    uint64_t calls;
};

/* Memory that is, or was, mapped; all threads of a process use the same, without a lock. */
struct area {
    volatile uintptr_t beg;
    volatile size_t bytes;
};
extern struct area areas[AREAS];

/* State of one thread. */
struct fuzz {
    uint64_t random;        /* xorshift64*, never 0 */
    uint64_t *calls;        /* in the tally; of all threads of the worker and their children */
    unsigned char *scratch; /* SCRATCH_PAGES; the page before may be read only, the one after not */
    unsigned used;          /* bytes of scratch handed out, in a ring */
    unsigned depth;         /* forks between this process and the worker */
    unsigned turn;          /* since the thread began */
    bool root;              /* may kill anybody, so it is careful whom */
};

/* One call, counted. */
long fuzz_call(struct fuzz *f, long nr, const long args[6]);
#define CALL(f, nr, ...) fuzz_call(f, nr, (const long[6]){__VA_ARGS__})

uint64_t random_next(struct fuzz *f);
unsigned long random_below(struct fuzz *f, unsigned long n);
bool one_in(struct fuzz *f, unsigned n);

/* args.c: arguments. */
long arg_hostile(struct fuzz *f);
long arg_make(struct fuzz *f, char kind);
const char *name_of_region(struct fuzz *f);
const char *path_to_change(struct fuzz *f);
struct area *area_pick(struct fuzz *f);
void *scratch_take(struct fuzz *f, size_t bytes);
struct timespec *short_time(struct fuzz *f);
long pid_pick(struct fuzz *f);

/* table.c: one hostile call. */
void table_init(void);
void hostile_call(struct fuzz *f);

/* worker.c */
void area_add(struct fuzz *f, long beg, size_t bytes);  /* nothing for an error */
void touch(struct fuzz *f, uintptr_t addr, bool write); /* survives SIGSEGV and SIGBUS */
void touch_area(struct fuzz *f, const struct area *a);
void child_run(struct fuzz *f); /* what a forked child does; does not return */
_Noreturn void worker_main(char **argv);
_Noreturn void program_main(char **argv);

/* steps_*.c: calls that mean to succeed. */
typedef void step_fn(struct fuzz *f);
void step_region(struct fuzz *f);
void step_region_lock(struct fuzz *f);
void step_region_end(struct fuzz *f);
void step_sysv(struct fuzz *f);
void step_numbered(struct fuzz *f);
void step_shm_file(struct fuzz *f);
void step_memory(struct fuzz *f);
void step_remap(struct fuzz *f);
void step_touch(struct fuzz *f);
void step_hog(struct fuzz *f);
void step_files(struct fuzz *f);
void step_names(struct fuzz *f);
void step_pipes(struct fuzz *f);
void step_proc(struct fuzz *f);
void step_fork(struct fuzz *f);
void step_vfork(struct fuzz *f);
void step_clone(struct fuzz *f);
void step_exec(struct fuzz *f);
void step_wait(struct fuzz *f);
void step_signals(struct fuzz *f);
void step_futex(struct fuzz *f);
void step_failing(struct fuzz *f);

/* supervisor.c */
int supervise(uint64_t seed, uint64_t calls, unsigned processes);
