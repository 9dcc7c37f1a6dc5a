/* Calls that do not exist answer ENOSYS, and nothing else happens. */
#include <shoal/syscall.h>

#include "child.h"

static void case_unknown_numbers(void)
{
    const long numbers[] = {600,     4096,       0x4fff,    0x5100,   0x10000,
                            -1,      -4095,      1l << 31,  1l << 32, (1l << 32) + 39,
                            1 << 30, 0x40000027, INT64_MIN, INT64_MAX};

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        long result = shoal_syscall(numbers[i], 1, 2, 3, 4);

        /* Linux looks at the low 32 bits only, so that 2^32 + 39 is getpid there; here, too, it may
         * be. */
        CHECK(result == -ENOSYS || ((int)numbers[i] == 39 && result == getpid()) ||
                  ((int)numbers[i] == 0 && result == -EBADF),
              "call %ld answers %ld", numbers[i], result);
    }
}

/* rax takes the result; rcx and r11 are lost; all else stays. */
static void case_registers_are_kept(void)
{
    long numbers[] = {39 /* getpid */, 600, 24 /* sched_yield */};

    for (unsigned i = 0; i < 3; i++) {
        unsigned long ok;

        __asm__ volatile("mov $0xd1, %%rdi\n\t mov $0x51, %%rsi\n\t mov $0xd2, %%rdx\n\t"
                         "mov $0x88, %%r8\n\t mov $0x99, %%r9\n\t mov $0x10, %%r10\n\t"
                         "mov $0x12, %%r12\n\t mov $0x13, %%r13\n\t mov $0x14, %%r14\n\t"
                         "mov $0x15, %%r15\n\t mov $0xb, %%rbx\n\t"
                         "syscall\n\t"
                         "xor $0xd1, %%rdi\n\t xor $0x51, %%rsi\n\t xor $0xd2, %%rdx\n\t"
                         "xor $0x88, %%r8\n\t xor $0x99, %%r9\n\t xor $0x10, %%r10\n\t"
                         "xor $0x12, %%r12\n\t xor $0x13, %%r13\n\t xor $0x14, %%r14\n\t"
                         "xor $0x15, %%r15\n\t xor $0xb, %%rbx\n\t"
                         "mov %%rdi, %%rax\n\t or %%rsi, %%rax\n\t or %%rdx, %%rax\n\t"
                         "or %%r8, %%rax\n\t or %%r9, %%rax\n\t or %%r10, %%rax\n\t"
                         "or %%r12, %%rax\n\t or %%r13, %%rax\n\t or %%r14, %%rax\n\t"
                         "or %%r15, %%rax\n\t or %%rbx, %%rax"
                         : "=a"(ok)
                         : "a"(numbers[i])
                         : "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13",
                           "r14", "r15", "rbx", "memory", "cc");
        CHECK_EQ(ok, 0);
    }
}

int main(void)
{
    RUN(case_unknown_numbers);
    RUN(case_registers_are_kept);
    return check_done();
}
