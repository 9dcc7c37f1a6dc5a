/* Access to the memory of the current process.  May fault and sleep: no spin lock, no addrspace
 * lock held. */
#pragma once

#include <lib/util.h>

/* 0, or -EFAULT when any byte of the user range is outside user space or cannot be touched; then
 * the destination may be partly written.  n may be 0. */
int copy_from_user(void *dst, uintptr_t src, size_t n);
int copy_to_user(uintptr_t dst, const void *src, size_t n);
int clear_user(uintptr_t dst, size_t n);

/* Copies a string with its NUL.  Its length without the NUL; -EFAULT; -ENAMETOOLONG when there is
 * no NUL within `size` bytes (never reads past the NUL or past src + size). */
long copy_string_from_user(char *dst, uintptr_t src, size_t size);
