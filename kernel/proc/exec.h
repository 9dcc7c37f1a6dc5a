/* Inside of exec: the parts of building a program's first memory. */
#pragma once

#include <kernel/mm/addrspace.h>
#include <kernel/phys/kmem.h>
#include <kernel/proc/exec.h>
#include <lib/elf.h>

/* How the program starts. */
struct exec_start {
    uintptr_t entry, sp;
    uintptr_t phdr; /* 0: not in memory */
    unsigned phnum;
};

/* Writes strings, auxiliary vector, environment and arguments (System V ABI x86-64, 3.4.1) below
 * STACK_TOP, and sets start->sp.  -ENOMEM. */
err_t exec_build_stack(struct addrspace *as, const struct exec_strings *strings, const char *path,
                       struct exec_start *start);
