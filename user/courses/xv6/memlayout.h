/* Where xv6's kernel begins; on Shoal a program may use more than that. */
#pragma once

#define EXTMEM   0x100000
#define PHYSTOP  0xE000000
#define KERNBASE 0x80000000
#define KERNLINK (KERNBASE + EXTMEM)
