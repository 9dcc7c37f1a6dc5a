/* Telling whoever watches the kernel's accesses to memory what must not be touched. */
#pragma once

#include <lib/util.h>

/* <machine/poison.h> has
 *   void arch_poison(const void *p, size_t n);     any access to [p, p+n) is an error; any context.
 *   void arch_unpoison(const void *p, size_t n);   p and n as aligned as the object is, or p+n is.
 *   ARCH_REDZONE_BYTES    unused bytes to leave between objects; 0: nobody watches */
#include <machine/poison.h>
