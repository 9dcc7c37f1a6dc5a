/* X4: mmap and munmap with two arguments. */
#include "mmu.h"
#include "types.h"
#include "user.h"

#define FAIL                                                                                       \
    {                                                                                              \
        printf(2, "failed at line %d\n", __LINE__);                                                \
        *(volatile int *)0 = 0;                                                                    \
    }

int main(void)
{
    char *a, *b, *hole;
    int i;

    a = mmap(0, 3 * PGSIZE);
    if (a == MAP_FAILED)
        FAIL;
    for (i = 0; i < 3 * PGSIZE; i++)
        if (a[i] != 0)
            FAIL;
    a[0] = 'a';
    a[2 * PGSIZE] = 'c';
    if (munmap(a + PGSIZE, PGSIZE) != 0)
        FAIL;
    hole = mmap(a + PGSIZE, PGSIZE); /* exactly there */
    if (hole != a + PGSIZE || hole[0] != 0)
        FAIL;
    if (mmap(a, PGSIZE) != MAP_FAILED || mmap(a + 2 * PGSIZE, 4 * PGSIZE) != MAP_FAILED)
        FAIL; /* never overwrites */
    if (a[0] != 'a' || a[2 * PGSIZE] != 'c')
        FAIL;
    if (mmap(0, 0) != MAP_FAILED || mmap(a + 1, PGSIZE) != MAP_FAILED)
        FAIL;
    if (munmap(a + 1, PGSIZE) == 0)
        FAIL;
    if (munmap(a, 3 * PGSIZE) != 0)
        FAIL;
    b = mmap(a, 3 * PGSIZE);
    if (b != a || b[0] != 0)
        FAIL;
    printf(1, "mmap: all is well\n");
    exit();
}
