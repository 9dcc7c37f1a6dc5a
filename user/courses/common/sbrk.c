/* The courses' sbrk, in a range of addresses kept for it. */
#include <stddef.h>
#include <sys/mman.h>

#include "course.h"

#define HEAP_BYTES (256l << 20)
#define PAGE_BYTES 4096l

static char *heap;
static long used_bytes;

static long pages_round(long bytes)
{
    return (bytes + PAGE_BYTES - 1) & -PAGE_BYTES;
}

/* Makes the heap `bytes` long; pages that go and come again are zero. */
static int heap_resize(long bytes)
{
    long old = pages_round(used_bytes), new = pages_round(bytes);

    if (new > old)
        return mprotect(heap + old, (size_t)(new - old), PROT_READ | PROT_WRITE);
    if (new < old && mmap(heap + new, (size_t)(old - new), PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return -1;
    return 0;
}

void *course_sbrk(long bytes)
{
    char *end;

    if (!heap) {
        void *range = mmap(NULL, HEAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (range == MAP_FAILED)
            return (void *)-1;
        heap = range;
    }
    end = heap + used_bytes;
    if (bytes > HEAP_BYTES - used_bytes || bytes < -used_bytes ||
        heap_resize(used_bytes + bytes) < 0)
        return (void *)-1;
    used_bytes += bytes;
    return end;
}
