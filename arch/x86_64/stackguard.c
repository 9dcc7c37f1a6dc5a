/* What the compiler's stack protector needs: a secret below each return address (debug builds). */
#include "stackguard.h"
#include "x86.h"
#include <arch/upcall.h>

#define CPUID_RDRAND (1u << 30) /* leaf 1, ecx */

uintptr_t __stack_chk_guard;

static uint64_t random_word(void)
{
    uint64_t word = 0;
    if (cpuid(1, 0).ecx & CPUID_RDRAND)
        __asm__ volatile("rdrand %0" : "+r"(word) : : "cc");
    return word ^ (arch_cycles() * 0x9e3779b97f4a7c15ull);
}

__attribute__((no_stack_protector)) void stackguard_init(void)
{
    /* The byte next to the buffer is 0: a string's end does not give the rest away. */
    __stack_chk_guard = random_word() & ~(uintptr_t)0xff;
}

_Noreturn void __stack_chk_fail(void)
{
    kernel_stack_broken("smashing");
}
