/* Physical memory as a firmware or boot loader left it, for the parsers of arch/x86_64: a few
 * pieces with contents, zeros elsewhere.  boot_ptr() hands out a copy of exactly the bytes asked
 * for, aligned as they are, so that the sanitizers see each byte read beyond. */
#pragma once

#include "fuzz.h"

#include <arch/mmu.h>

#define FIRMWARE_PIECES_MAX 80
#define FIRMWARE_BYTES_MAX  (64ul << 20) /* a parser that asks for more in all does not end */

/* Where the "kernel image" is. */
#define IMAGE_BEG 0x200000ul
#define IMAGE_END 0x480000ul

/* Forgets all pieces and blocks of the input before. */
void firmware_reset(void);

/* Puts a copy of `n` bytes at `paddr`; where two pieces overlap the later one counts. */
void firmware_put(paddr_t paddr, const void *data, size_t n);

/* Reads as the parsers would. */
void firmware_read(paddr_t paddr, void *to, size_t n);

/* Runs fn(); NULL, or the reason with which it stopped the boot. */
const char *firmware_run(void (*fn)(void));

/* A physical address: near `near`, in a page of low numbers, anywhere. */
paddr_t take_paddr(struct input *in, paddr_t near);
