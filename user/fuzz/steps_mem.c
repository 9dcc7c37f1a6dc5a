/* Steps with memory: private and whatever else is mapped. */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>

#include "fuzz.h"

/* futex(2); musl has no header of it. */
#define FUTEX_WAIT         0
#define FUTEX_WAKE         1
#define FUTEX_CMP_REQUEUE  4
#define FUTEX_WAKE_OP      5
#define FUTEX_PRIVATE_FLAG 128

#define HOG_BYTES (24ul << 20)

void step_memory(struct fuzz *f)
{
    size_t bytes = (1 + random_below(f, 32)) * PAGE_BYTES;
    long at = CALL(f, SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | (one_in(f, 8) ? MAP_POPULATE : 0), -1, 0);
    size_t pages = bytes / PAGE_BYTES;
    long part;

    if (at < 0)
        return;
    area_add(f, at, bytes);
    touch_area(f, &(struct area){(uintptr_t)at, bytes});
    part = at + (long)(random_below(f, pages) * PAGE_BYTES);
    switch (random_below(f, 4)) {
    case 0:
        CALL(f, SYS_mprotect, part, PAGE_BYTES, (long)random_below(f, 4));
        break;
    case 1:
        CALL(f, SYS_munmap, part, PAGE_BYTES);
        break;
    case 2:
        CALL(f, SYS_madvise, part, PAGE_BYTES, MADV_DONTNEED);
        break;
    default: /* over the middle of it */
        CALL(f, SYS_mmap, part, PAGE_BYTES, PROT_READ | PROT_WRITE,
             MAP_FIXED | MAP_ANONYMOUS | (one_in(f, 2) ? MAP_SHARED : MAP_PRIVATE), -1, 0);
    }
    touch_area(f, &(struct area){(uintptr_t)at, bytes});
}

/* Moves, grows and shrinks what is there, of whatever kind, in whole or in part. */
void step_remap(struct fuzz *f)
{
    struct area *a = area_pick(f), old = *a;
    size_t pages = old.bytes / PAGE_BYTES, first, n, new_bytes;
    long flags = one_in(f, 4) ? 0 : MREMAP_MAYMOVE, to = 0, at;

    if (pages == 0)
        return;
    first = one_in(f, 2) ? 0 : random_below(f, pages);
    n = 1 + random_below(f, pages - first);
    new_bytes = (1 + random_below(f, 2 * n)) * PAGE_BYTES;
    if (one_in(f, 5)) {
        flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        to = arg_make(f, 'a');
    }
    at = CALL(f, SYS_mremap, (long)(old.beg + first * PAGE_BYTES), (long)(n * PAGE_BYTES),
              (long)new_bytes, flags, to);
    if (at > 0)
        *a = (struct area){(uintptr_t)at, new_bytes};
    touch_area(f, a);
}

void step_touch(struct fuzz *f)
{
    touch_area(f, area_pick(f));
}

/* Takes memory until there is none, or this is enough, and gives it back. */
void step_hog(struct fuzz *f)
{
    size_t bytes = random_below(f, HOG_BYTES / PAGE_BYTES) * PAGE_BYTES;
    long kind = one_in(f, 3) ? MAP_SHARED | MAP_NORESERVE : MAP_PRIVATE;
    long at;

    if (!one_in(f, 8))
        return;
    at = CALL(f, SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
        return;
    for (size_t i = 0; i < bytes; i += PAGE_BYTES)
        touch(f, (uintptr_t)at + i, true);
    if (one_in(f, 2))
        CALL(f, SYS_munmap, at, (long)bytes);
    else
        area_add(f, at, bytes);
}

void step_futex(struct fuzz *f)
{
    long word = arg_make(f, 'a'), to = arg_make(f, 'a');

    switch (random_below(f, 5)) {
    case 0:
        CALL(f, SYS_futex, word, FUTEX_WAIT, 0, (long)short_time(f));
        break;
    case 1:
        CALL(f, SYS_futex, word, FUTEX_CMP_REQUEUE, 1, INT_MAX, to, 0);
        break;
    case 2:
        CALL(f, SYS_futex, word, FUTEX_WAKE_OP, 1, 1, to, (long)random_below(f, 1ul << 32));
        break;
    case 3: /* a robust list in memory that may go: whatever is there when the thread ends */
        CALL(f, SYS_set_robust_list, word, 24);
        break;
    default:
        CALL(f, SYS_futex, word, FUTEX_WAKE | (one_in(f, 2) ? FUTEX_PRIVATE_FLAG : 0), INT_MAX);
    }
}

/* An allocation or a sleep of the next calls fails; root alone may ask for that. */
void step_failing(struct fuzz *f)
{
    static step_fn *const steps[] = {step_region, step_sysv,  step_numbered, step_shm_file,
                                     step_memory, step_remap, step_files,    step_names,
                                     step_pipes,  step_proc,  step_fork};

    long kind = one_in(f, 2) ? FAIL_ALLOC : (long)random_below(f, FAIL_KINDS);

    CALL(f, SHOAL_SYS_failNth, 1 + (long)random_below(f, 12), kind);
    steps[random_below(f, sizeof(steps) / sizeof(steps[0]))](f);
    CALL(f, SHOAL_SYS_failNth, 0, kind);
}
