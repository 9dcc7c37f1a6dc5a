#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/stackdepth.h>
#include <lib/string.h>

#define FILL_BYTE 0xf1
#define FILL_WORD 0xf1f1f1f1f1f1f1f1ull

/* What must stay unused: an interrupt may come at the deepest point of the next run. */
#define LEFT_MIN_BYTES ((size_t)4096)

/* The deepest so far.  Two ends at once may leave the name of one with the bytes of the other: it
 * is for people. */
static size_t deepest_bytes, deepest_of_bytes;
static char deepest_name[16];

void stack_depth_start(void *stack_beg, size_t bytes)
{
    memset(stack_beg, FILL_BYTE, bytes);
}

void stack_depth_end(const void *stack_beg, size_t bytes, const char *name)
{
    const uint64_t *words = stack_beg;
    size_t n = bytes / sizeof(*words), i = 1; /* the first word may hold the arch's canary */
    while (i < n && words[i] == FILL_WORD)
        i++;
    size_t left = i * sizeof(*words);
    ASSERTF(left >= LEFT_MIN_BYTES, "thread %s left only %zu of %zu bytes of its kernel stack",
            name, left, bytes);
    if (bytes - left <= __atomic_load_n(&deepest_bytes, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&deepest_bytes, bytes - left, __ATOMIC_RELAXED);
    deepest_of_bytes = bytes;
    str_copy(deepest_name, name, sizeof(deepest_name));
}

void stack_depth_print(void)
{
    if (deepest_bytes)
        printk("deepest kernel stack: %zu of %zu bytes, thread %s\n", deepest_bytes,
               deepest_of_bytes, deepest_name);
}
