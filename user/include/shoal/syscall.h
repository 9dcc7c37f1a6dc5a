/* A system call as the machine sees it: no errno, no cancellation point, nothing retried. */
#pragma once

/* Returns what the kernel left in rax: 0 or more, or a negative errno. */
static inline long shoal_syscall(long nr, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
