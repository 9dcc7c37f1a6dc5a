/* Contexts of the host: what the portable kernel embeds and looks at through include/arch/thread.h.
 */
#pragma once

#include <lib/util.h>

struct arch_uregs {
    unsigned long syscall_nr, syscall_args[6];
    long result;
    uintptr_t pc, sp;
};

struct arch_thread {
    void *stack_beg;
    void (*entry)(void *arg);
    void *arg;
    uintptr_t tls_base;
    struct arch_uregs uregs;
};
