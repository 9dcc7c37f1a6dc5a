/* Steps with processes, threads and signals. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "fuzz.h"

#define DEPTH_MAX   2 /* forks between a worker and its youngest */
#define CLONE_STACK (2 * PAGE_BYTES)

void step_fork(struct fuzz *f)
{
    if (f->depth < DEPTH_MAX && CALL(f, SYS_fork, 0) == 0)
        child_run(f);
}

static void exec_program(struct fuzz *f)
{
    char **argv = scratch_take(f, 4 * sizeof(char *)), **envp = argv + 3;
    char *seed = scratch_take(f, 24);
    uint64_t n = random_next(f);

    for (unsigned i = 0; i < 18; i++, n >>= 3)
        seed[i] = (char)('0' + n % 8);
    seed[0] = '0';
    seed[18] = '\0';
    argv[0] = FUZZ_PROGRAM;
    argv[1] = "-x";
    argv[2] = seed;
    *envp = NULL;
    CALL(f, SYS_execve, (long)FUZZ_PROGRAM, (long)argv, (long)envp);
}

/* The child borrows memory and stack until it execs or exits. */
void step_vfork(struct fuzz *f)
{
    long result;

    if (f->depth >= DEPTH_MAX)
        return;
    __atomic_fetch_add(f->calls, 1, __ATOMIC_RELAXED);
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_vfork) : "rcx", "r11", "memory");
    if (result != 0)
        return;
    if (one_in(f, 4))
        exec_program(f);
    touch_area(f, area_pick(f));
    for (;;)
        CALL(f, SYS_exit, 3);
}

/* In a process or thread that shares memory, on a stack of its own. */
static __attribute__((noinline, used)) _Noreturn void borrower_run(struct fuzz *f)
{
    struct fuzz mine = *f;

    mine.random ^= 0x5851f42d4c957f2dull;
    mine.random |= 1;
    mine.depth = DEPTH_MAX;
    for (unsigned n = (unsigned)random_below(&mine, 6); n > 0; n--)
        hostile_call(&mine);
    for (;;)
        CALL(&mine, SYS_exit, 4);
}

void step_clone(struct fuzz *f)
{
    static const unsigned long kinds[] = {
        CLONE_VM | SIGCHLD,
        CLONE_VM | CLONE_FILES | SIGCHLD,
        CLONE_VM | CLONE_VFORK | SIGCHLD,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
    };
    unsigned long flags = kinds[random_below(f, 4)];
    uintptr_t stack;
    long result, ids = arg_make(f, 'b');

    if (f->depth >= DEPTH_MAX)
        return;
    stack = (uintptr_t)CALL(f, SYS_mmap, 0, CLONE_STACK, 3, 0x22, -1, 0);
    if ((long)stack < 0)
        return;
    if (one_in(f, 8))
        stack = (uintptr_t)arg_hostile(f) | 16;
    else
        area_add(f, (long)stack, CLONE_STACK);
    if (one_in(f, 4))
        flags |= CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    if (one_in(f, 8))
        flags ^= 1ul << random_below(f, 33);
    flags |= CLONE_VM; /* with a copy of the memory, both would be this function's caller */
    __atomic_fetch_add(f->calls, 1, __ATOMIC_RELAXED);
    register long r10 __asm__("r10") = ids;
    register long r8 __asm__("r8") = 0;
    register struct fuzz *r12 __asm__("r12") = f; /* the child finds it there */
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %%r12, %%rdi\n\t"
                     "call borrower_run\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags & ~(unsigned long)CLONE_SETTLS),
                       "S"((stack + CLONE_STACK) & ~15ul), "d"(ids), "r"(r10), "r"(r8), "r"(r12)
                     : "rcx", "r11", "memory");
}

void step_exec(struct fuzz *f)
{
    if (f->depth > 0)
        exec_program(f);
}

void step_wait(struct fuzz *f)
{
    if (one_in(f, 4))
        CALL(f, SYS_waitid, (long)random_below(f, 3), pid_pick(f), arg_make(f, 'P'),
             WEXITED | WSTOPPED | WNOHANG, 0);
    else
        CALL(f, SYS_wait4, -1, arg_make(f, 'P'), one_in(f, 20) ? 0 : WNOHANG, 0);
}

/* To itself and its like: what kills is rare, or nothing would live long enough to matter. */
void step_signals(struct fuzz *f)
{
    static const int mild[] = {SIGUSR1, SIGALRM, SIGCHLD, SIGURG, SIGWINCH, SIGCONT, 0};
    long sig = one_in(f, 40) ? 1 + (long)random_below(f, 64) : mild[random_below(f, 7)];
    uint64_t *set = scratch_take(f, 16);

    switch (random_below(f, 5)) {
    case 0:
        CALL(f, SYS_kill, pid_pick(f), sig);
        break;
    case 1:
        CALL(f, SYS_tkill, CALL(f, SYS_gettid, 0), sig);
        break;
    case 2: /* SIGKILL stops none of this, and the alarm is set again soon */
        *set = random_next(f) & random_next(f);
        CALL(f, SYS_rt_sigprocmask, (long)random_below(f, 3), (long)set, 0, 8);
        break;
    case 3:
        *set = random_next(f);
        CALL(f, SYS_rt_sigtimedwait, (long)set, 0, (long)short_time(f), 8);
        break;
    default:
        CALL(f, SYS_rt_sigpending, (long)set, 8);
    }
}
