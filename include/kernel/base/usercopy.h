/* Access to the memory of the current process.  May fault and sleep: no lock held but those of the
 * file tree and of vnodes, not in an interrupt handler (debug builds panic). */
#pragma once

#include <arch/usercopy.h>

/* 0, or -EFAULT when any byte of the user range is outside user space or cannot be touched; then
 * the destination may be partly written.  n may be 0. */
int copy_from_user(void *dst, uintptr_t src, size_t n);
int copy_to_user(uintptr_t dst, const void *src, size_t n);
int clear_user(uintptr_t dst, size_t n);

/* Copies a string with its NUL.  Its length without the NUL; -EFAULT; -ENAMETOOLONG when there is
 * no NUL within `size` bytes (never reads past the NUL or past src + size). */
long copy_string_from_user(char *dst, uintptr_t src, size_t size);

/* One aligned word, without faulting pages in: -EFAULT at once when it is not there (the caller
 * lets go of its locks, calls vm_fault() and tries again).  Any context.  user_cas_u32 puts `new`
 * there if *seen is, atomically, and sets *seen to what was there. */
static inline int user_load_u32(uintptr_t addr, uint32_t *value)
{
    return arch_user_load_u32(addr, value);
}

static inline int user_cas_u32(uintptr_t addr, uint32_t *seen, uint32_t new)
{
    return arch_user_cas_u32(addr, seen, new);
}
