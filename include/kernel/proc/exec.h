/* execve(2): replaces the current process's program. */
#pragma once

#include <lib/err.h>
#include <lib/util.h>

/* Arguments and environment, copied into the kernel: `bytes` of strings end to end, each with its
 * NUL. */
struct exec_strings {
    char *buf;
    size_t buf_bytes; /* of the allocation */
    size_t bytes;
    unsigned argc, envc; /* the first argc strings are arguments, then envc of environment */
};

/* All of argv, envp and their NULs: a quarter of the stack, as Linux has it, within what the kernel
 * will allocate. */
#define EXEC_STRINGS_MAX ((size_t)64 * 1024)

err_t exec_strings_from_user(struct exec_strings *s, uintptr_t argv, uintptr_t envp);
err_t exec_strings_from_kernel(struct exec_strings *s, const char *const *argv,
                               const char *const *envp);
void exec_strings_free(struct exec_strings *s);

/* On success the current thread's registers enter the new program when it returns to user mode, and
 * the old address space is gone.  On failure (a negative errno) the process is as it was.  Always
 * frees `s`. */
err_t exec_current(const char *path, struct exec_strings *s);
