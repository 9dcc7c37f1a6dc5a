#pragma once

#define PGSIZE         4096
#define PGSHIFT        12
#define PGROUNDUP(sz)  (((sz) + PGSIZE - 1) & ~(unsigned long)(PGSIZE - 1))
#define PGROUNDDOWN(a) ((a) & ~(unsigned long)(PGSIZE - 1))

/* The end of a program's memory, here as there the address after the trampoline. */
#define MAXVA 0x00007fffffffe000ul
