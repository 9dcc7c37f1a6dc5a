/* Making the n-th allocation, sleep or time limit of one system call fail (abi/shoal.h, failNth).
 */
#pragma once

#include <sys/syscall.h>

#include <abi/shoal.h>

#include "child.h"
#include "regions.h"

/* Far more than any call allocates: a loop that gets here is wrong. */
#define FAIL_MAX 400

/* Makes call `nr` with its n-th use of `kind` (FAIL_*) failing.  Nothing touches memory in between,
 * so that no page fault takes the failure away: all three calls are in one piece.  *left: what
 * failNth still had to go, 0 when the failure happened.  With `child_exits`, 0 is a child's answer,
 * which exits at once: it may run on a stack of its own that has nothing to return to. */
CHECK_UNUSED static __attribute__((noinline)) long
fail_call_of(unsigned kind, unsigned n, long nr, const long args[6], bool child_exits, long *left)
{
    const long in[10] = {nr,      args[0], args[1], args[2], args[3],
                         args[4], args[5], n,       kind,    child_exits};
    register long result __asm__("r12");
    register long rest __asm__("r13");

    __asm__ volatile("mov %[fail], %%eax\n\t"
                     "mov 56(%[in]), %%rdi\n\t"
                     "mov 64(%[in]), %%rsi\n\t"
                     "syscall\n\t"
                     "mov 0(%[in]), %%rax\n\t"
                     "mov 8(%[in]), %%rdi\n\t"
                     "mov 16(%[in]), %%rsi\n\t"
                     "mov 24(%[in]), %%rdx\n\t"
                     "mov 32(%[in]), %%r10\n\t"
                     "mov 40(%[in]), %%r8\n\t"
                     "mov 48(%[in]), %%r9\n\t"
                     "syscall\n\t"
                     "cmpq $0, 72(%[in])\n\t"
                     "je 1f\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[exit], %%eax\n\t" /* the child, wherever its stack is */
                     "xor %%edi, %%edi\n\t"
                     "syscall\n"
                     "1:\n\t"
                     "mov %%rax, %[result]\n\t"
                     "mov %[fail], %%eax\n\t"
                     "xor %%edi, %%edi\n\t"
                     "mov 64(%[in]), %%rsi\n\t"
                     "syscall\n\t"
                     "mov %%rax, %[rest]"
                     : [result] "=&r"(result), [rest] "=&r"(rest)
                     : [in] "r"(in), [fail] "i"(SHOAL_SYS_failNth), [exit] "i"(SYS_exit), "m"(in)
                     : "rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
    *left = rest;
    return result;
}

CHECK_UNUSED static long fail_call(unsigned n, long nr, long a, long b, long c, long d, long e,
                                   long f, long *left)
{
    return fail_call_of(FAIL_ALLOC, n, nr, (const long[6]){a, b, c, d, e, f}, false, left);
}

/* What one failing call is judged by. */
struct fail_result {
    long result;
    bool delivered;
};

CHECK_UNUSED static struct fail_result fail_nth(unsigned n, long nr, long a, long b, long c)
{
    long left = 0;
    long result = fail_call(n, nr, a, b, c, 0, 0, 0, &left);

    CHECK(left >= 0, "failNth answers %ld", left);
    CHECK(n < FAIL_MAX, "call %#lx still allocates after %u allocations", nr, n);
    return (struct fail_result){result, left == 0};
}
