/* The whole kernel in a Linux process: what tests and fuzzers call.
 *
 * A machine is booted once in a process.  Its CPUs take turns as the seed says: the same seed, the
 * same run.  User programs are C functions of the host that make system calls and touch memory
 * through the functions below; what they keep in C variables is theirs (like registers), what they
 * share with the kernel or each other is in simulated memory. */
#pragma once

#include <lib/util.h>

/* A program in the root file system: exec of `path` runs main(sp), sp being the first stack
 * pointer; what it returns is its exit status. */
struct host_program {
    const char *path; /* NULL ends a list */
    int (*main)(uintptr_t sp);
};

struct host_config {
    unsigned cpus;
    size_t ram_bytes;
    uint64_t seed;
    const char *cmdline;                 /* NULL: none */
    const struct host_program *programs; /* the first one is init */
    uint64_t points_max; /* scheduling points before the run counts as hung; 0: a default */
    bool verbose;        /* the console goes to stderr as well */
};

/* Runs a machine until it powers off.  Its exit code (abi/exit.h). */
int host_boot(const struct host_config *config);

/* The code with which a hung run ends. */
#define HOST_EXIT_HANG 0x20

/* What the console got, NUL-terminated; its end, when it was too much. */
const char *host_console(void);

/* A program leaves the machine as it is: host_boot() returns HOST_EXIT_PAUSED, and host_resume()
 * goes on after the call, until the next pause or the power-off. */
#define HOST_EXIT_PAUSED 0x21
void host_pause(void);
int host_resume(void);

/* From outside: schedules from now on as a machine with this seed. */
void host_reseed(uint64_t seed);

/* Scheduling points so far. */
uint64_t host_points(void);

/* A test has found what must not be: says so, with the machine's console, and ends the process. */
_Noreturn void host_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- user mode: for programs only ---- */

/* A system call of the current thread. */
long host_syscall(unsigned long nr, const unsigned long args[6]);
#define HOST_SYSCALL(nr, ...) host_syscall(nr, (unsigned long[6]){__VA_ARGS__})

/* What the child of this thread's next fork, vfork or clone runs; when that returns, its process
 * exits with what it returns. */
void host_child(int (*run)(uintptr_t arg), uintptr_t arg);

/* Touch user memory, byte by byte in order.  0, or the signal of the fault: for a program that has
 * said host_catch_faults(); otherwise the signal has its effect. */
int host_load(uintptr_t va, void *to, size_t bytes);
int host_store(uintptr_t va, const void *from, size_t bytes);
/* Fetches an instruction. */
int host_fetch(uintptr_t va);
/* One aligned word: adds, and *old is what was there. */
int host_add_u32(uintptr_t va, uint32_t n, uint32_t *old);

/* The stack pointer that the kernel gave this thread.  Below it there is room. */
uintptr_t host_stack_pointer(void);

/* From now on this process's SIGSEGV and SIGBUS come back from the functions above. */
void host_catch_faults(void);

/* The number to give to rt_sigaction for a handler that is a function of the host. */
uintptr_t host_handler(void (*handler)(int sig));

/* Runs fn in kernel mode, as if it were the handler of a system call: for a driver that is part of
 * a test.  What fn answers. */
long host_in_kernel(long (*fn)(void *arg), void *arg);
