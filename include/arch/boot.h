/* What the boot found: filled by the arch before kernel_main(). */
#pragma once

#include <lib/util.h>

typedef uint64_t paddr_t;

struct prange {
    paddr_t beg, end; /* [beg, end) in bytes */
};

#define BOOT_RANGES_MAX 64

struct bootinfo {
    const char *cmdline; /* never NULL */
    unsigned nram;
    struct prange ram[BOOT_RANGES_MAX]; /* usable, ascending, page aligned, in the direct map */
    unsigned nreserved;
    struct prange reserved[BOOT_RANGES_MAX]; /* of ram[]: kernel image, boot tables, initramfs */
    const void *initramfs;                   /* NULL when there is none */
    size_t initramfs_bytes;
};
