/* The stack pointer may be anything at a system call, an exception or an interrupt: the kernel
 * never uses it as its own. */
#include "child.h"

static const uintptr_t stacks[] = {0,
                                   1,
                                   8,
                                   0x1003,
                                   0x7ffffffff000,
                                   0x7fffffffffff,
                                   0x800000000000,
                                   0x8000000000000000,
                                   0xffff7fffffffffff,
                                   0xffff800000000000,
                                   0xffffffff80000000,
                                   0xffffffff80200008,
                                   0xfffffffffffff000,
                                   UINTPTR_MAX};

static uintptr_t at(void *arg)
{
    return stacks[(long)arg];
}

/* getpid, then exit(0) when it answered a pid: no memory is used in between. */
static void at_syscall(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "mov $39, %%eax\n\t"
                     "syscall\n\t"
                     "xor %%edi, %%edi\n\t"
                     "test %%rax, %%rax\n\t"
                     "setle %%dil\n\t"
                     "mov $60, %%eax\n\t"
                     "syscall"
                     :
                     : "r"(at(arg))
                     : "memory");
}

static void at_undefined(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t ud2" : : "r"(at(arg)) : "memory");
}

static void at_breakpoint(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t int3" : : "r"(at(arg)) : "memory");
}

static void at_page_fault(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t movb $1, 8" : : "r"(at(arg)) : "memory");
}

static void at_push(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t push %%rax\n\t ud2" : : "r"(at(arg)) : "memory");
}

/* Timer interrupts while the stack pointer is bad. */
static void at_interrupts(void *arg)
{
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "mov $3000000, %%ecx\n"
                     "1: dec %%ecx\n\t"
                     "jnz 1b\n\t"
                     "mov $60, %%eax\n\t"
                     "xor %%edi, %%edi\n\t"
                     "syscall"
                     :
                     : "r"(at(arg))
                     : "memory");
}

static void on_signal(int sig)
{
    (void)sig;
}

/* A handler cannot run on such a stack: the signal frame does not fit, which is SIGSEGV. */
static void at_handled_fault(void *arg)
{
    signal(SIGILL, on_signal);
    at_undefined(arg);
}

static void at_handled_call(void *arg)
{
    signal(SIGUSR1, on_signal);
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "mov $62, %%eax\n\t"
                     "syscall\n\t"
                     "mov $60, %%eax\n\t"
                     "xor %%edi, %%edi\n\t"
                     "syscall"
                     :
                     : "r"(at(arg)), "D"((long)getpid()), "S"((long)SIGUSR1)
                     : "memory");
}

static void case_system_call(void)
{
    for (unsigned long i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        MUST_EXIT(at_syscall, (void *)i, 0);
}

static void case_exceptions(void)
{
    for (unsigned long i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        MUST_DIE(at_undefined, (void *)i, SIGILL);
        MUST_DIE(at_breakpoint, (void *)i, SIGTRAP);
        MUST_DIE(at_page_fault, (void *)i, SIGSEGV);
    }
}

static void case_push(void)
{
    for (unsigned long i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        int status = child_any_end(child_start(at_push, (void *)i), 5000);

        CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS),
              "push at %#lx: status 0x%x", stacks[i], (unsigned)status);
    }
}

static void case_interrupts(void)
{
    for (unsigned long i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i += 2)
        MUST_EXIT(at_interrupts, (void *)i, 0);
}

static void case_signal_frames(void)
{
    for (unsigned long i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        MUST_DIE(at_handled_fault, (void *)i, SIGSEGV);
        MUST_DIE(at_handled_call, (void *)i, SIGSEGV);
    }
}

int main(void)
{
    RUN(case_system_call);
    RUN(case_exceptions);
    RUN(case_push);
    RUN(case_interrupts);
    RUN(case_signal_frames);
    return check_done();
}
