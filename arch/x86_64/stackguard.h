/* The stack protector's secret. */
#pragma once

#include <arch/cpu.h>

/* Before any function that returns is called with the old one. */
void stackguard_init(void);

/* Named by the compiler. */
extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);
