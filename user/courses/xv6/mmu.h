#pragma once

#define PGSIZE         4096
#define PGSHIFT        12
#define PGROUNDUP(sz)  (((sz) + PGSIZE - 1) & ~(unsigned long)(PGSIZE - 1))
#define PGROUNDDOWN(a) ((a) & ~(unsigned long)(PGSIZE - 1))
#define PTE_P          0x001
#define PTE_W          0x002
#define PTE_U          0x004
