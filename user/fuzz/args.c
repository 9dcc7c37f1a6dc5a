/* Arguments: plausible ones of each kind, and hostile ones. */
#define _GNU_SOURCE
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include <abi/region.h>
#include <abi/zone.h>

#include "fuzz.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint64_t random_next(struct fuzz *f)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return f->random * 0x2545f4914f6cdd1dull;
}

unsigned long random_below(struct fuzz *f, unsigned long n)
{
    return (unsigned long)((random_next(f) >> 11) % n);
}

bool one_in(struct fuzz *f, unsigned n)
{
    return random_below(f, n) == 0;
}

static const long hostile[] = {
    0,
    1,
    -1,
    2,
    -2,
    -100,
    INT_MIN,
    INT_MAX,
    UINT_MAX,
    1l << 32,
    LONG_MIN,
    LONG_MAX,
    LONG_MAX - 4094,
    PAGE_BYTES - 1,
    PAGE_BYTES,
    PAGE_BYTES + 1,
    -4095,
    -4096,
    -4097,
    0x10000,
    0x10001,
    0x7fffffffe000, /* Shrimpy's last page, then the last page of user memory and its end */
    0x7ffffffff000,
    0x7fffffffffff,
    0x800000000000, /* not canonical from here ... */
    0xffff7fffffffffff,
    0xffff800000000000, /* ... to here: the kernel's half, the direct map and its text */
    0xffff800000100000,
    (long)0xffffffff80000000,
    (long)0xffffffff80100000,
    FRY,
    SHRIMP,
    SHMBASE,
    SHMTOP,
    SHMTOP - 1,
};

long arg_hostile(struct fuzz *f)
{
    switch (random_below(f, 8)) {
    case 0:
        return 1l << random_below(f, 63);
    case 1:
        return (1l << random_below(f, 63)) - 1;
    case 2:
        return (long)random_next(f);
    default:
        return hostile[random_below(f, COUNT(hostile))];
    }
}

void *scratch_take(struct fuzz *f, size_t bytes)
{
    size_t all = SCRATCH_PAGES * PAGE_BYTES;

    if (f->used + bytes > all)
        f->used = 0;
    f->used += (unsigned)((bytes + 15) & ~15ul);
    return f->scratch + f->used - ((bytes + 15) & ~15ul);
}

struct area *area_pick(struct fuzz *f)
{
    return &areas[random_below(f, AREAS)];
}

/* An address in memory that is or was mapped. */
static long mapped_address(struct fuzz *f)
{
    const struct area *a = area_pick(f);
    size_t pages = a->bytes / PAGE_BYTES;

    if (pages == 0)
        return arg_hostile(f);
    return (long)(a->beg + random_below(f, pages + one_in(f, 8)) * PAGE_BYTES);
}

/* Where a buffer may be: good, at the edge of what is there, read-only, gone, or anywhere. */
static long buffer(struct fuzz *f)
{
    uintptr_t beg = (uintptr_t)f->scratch, end = beg + SCRATCH_PAGES * PAGE_BYTES;

    switch (random_below(f, 16)) {
    case 0:
        return (long)(end - random_below(f, 64)); /* the next page has no access */
    case 1:
        return (long)(beg - random_below(f, PAGE_BYTES)); /* read only */
    case 2:
        return arg_hostile(f);
    case 3:
    case 4:
    case 5:
        return mapped_address(f) + (long)random_below(f, PAGE_BYTES);
    case 6:
        return one_in(f, 2) ? (long)FRY : (long)SHRIMP;
    default:
        return (long)scratch_take(f, 256 + random_below(f, 2048));
    }
}

static const char *const region_names[FUZZ_NAMES] = {"fz0", "fz1", "fz2", "fz3", "fz4", "fz5"};
static const char long_name[] = "a-name-of-more-than-127-bytes-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

const char *name_of_region(struct fuzz *f)
{
    return region_names[random_below(f, FUZZ_NAMES)];
}

/* A name whose last byte is the last before memory without access; not always with its NUL. */
static const char *name_at_the_edge(struct fuzz *f)
{
    size_t n = 1 + random_below(f, 140);
    char *at = (char *)f->scratch + SCRATCH_PAGES * PAGE_BYTES - n;

    memset(at, 'e', n);
    if (one_in(f, 2))
        at[n - 1] = '\0';
    return at;
}

static const char *odd_name(struct fuzz *f)
{
    static const char *const odd[] = {
        "", ".", "..", "/", "a/b", long_name, "fz\xff\n", "................................"};

    return one_in(f, 3) ? name_at_the_edge(f) : odd[random_below(f, COUNT(odd))];
}

const char *path_to_change(struct fuzz *f)
{
    static const char *const own[] = {
        "f0",           "f1",           "f2",           "f3",           "d0",
        "d1",           "d0/f1",        "d0/d1",        "d0/d1/f2",     "d1/../f3",
        "d0/../d1/f0",  "l0",           "l1",           "d0/l2",        "d0/l2/f0",
        "/dev/shm/fz0", "/dev/shm/fz1", "/dev/shm/fz2", "/dev/shm/fz3", "/dev/shm/fz4",
        "/dev/shm/fz5", FUZZ_DIR "/f0", FUZZ_DIR "/d0", "./f1",
    };

    return own[random_below(f, COUNT(own))];
}

static const char *path_to_look_at(struct fuzz *f)
{
    static const char *const there[] = {
        "/",
        ".",
        "..",
        "/tmp",
        "/dev",
        "/dev/shm",
        "/dev/null",
        "/dev/zero",
        "/proc",
        "/proc/self",
        "/proc/1",
        "/proc/self/maps",
        "/proc/1/maps",
        "/proc/regions",
        "/proc/meminfo",
        "/proc/self/status",
        "/proc/sysvipc/shm",
        "/proc/self/comm",
        "/bin/regions",
        "../../../tmp/fuzz/f0",
    };

    if (one_in(f, 2))
        return path_to_change(f);
    return there[random_below(f, COUNT(there))];
}

struct timespec *short_time(struct fuzz *f)
{
    struct timespec *ts = scratch_take(f, sizeof(*ts));

    *ts = (struct timespec){0, (long)random_below(f, 2000000)};
    return ts;
}

/* Sixteen words of anything. */
static long anything(struct fuzz *f)
{
    long *words = scratch_take(f, 16 * sizeof(long));

    for (unsigned i = 0; i < 16; i++)
        words[i] = one_in(f, 2) ? (long)random_below(f, 16) : arg_hostile(f);
    return (long)words;
}

static long pieces(struct fuzz *f)
{
    struct iovec *iov = scratch_take(f, 8 * sizeof(*iov));

    for (unsigned i = 0; i < 8; i++) {
        iov[i].iov_base = (void *)buffer(f);
        iov[i].iov_len = one_in(f, 12) ? (size_t)arg_hostile(f) : random_below(f, 5000);
    }
    return (long)iov;
}

static long region_map(struct fuzz *f)
{
    struct region_map *how = scratch_take(f, sizeof(*how));

    *how = (struct region_map){.flags = (uint32_t)random_below(f, RM_ALL + 1),
                               .offset_bytes = random_below(f, 4) * PAGE_BYTES,
                               .length_bytes = random_below(f, 4) * PAGE_BYTES,
                               .addr = (uint64_t)mapped_address(f),
                               .timeout_ns = (int64_t)random_below(f, 2000000)};
    if (one_in(f, 16))
        ((long *)how)[random_below(f, sizeof(*how) / sizeof(long))] = arg_hostile(f);
    return (long)how;
}

static long flags(struct fuzz *f)
{
    long bits = 0;

    if (one_in(f, 3))
        return (long)random_below(f, 8);
    for (unsigned long n = random_below(f, 4); n > 0; n--)
        bits |= 1l << random_below(f, 22);
    return bits;
}

static long descriptor(struct fuzz *f)
{
    return one_in(f, 24) ? arg_hostile(f) : (long)random_below(f, one_in(f, 2) ? 8 : 24);
}

/* Root may end the supervisor and init: it aims at itself and its children alone. */
long pid_pick(struct fuzz *f)
{
    long self = fuzz_call(f, SYS_getpid, (const long[6]){0});

    if (f->root || one_in(f, 2))
        return self;
    return one_in(f, 4) ? arg_hostile(f) : self - 4 + (long)random_below(f, 9);
}

/* One argument; `kind` is a letter of table.c. */
long arg_make(struct fuzz *f, char kind)
{
    bool hostile_one = one_in(f, 24);

    switch (kind) {
    case 'k':
        return pid_pick(f);
    case 'p': /* root must not take away what others need */
        return (long)(f->root || !hostile_one ? path_to_change(f) : odd_name(f));
    }
    if (hostile_one)
        return arg_hostile(f);
    switch (kind) {
    case 'f':
        return descriptor(f);
    case 'D':
        return one_in(f, 2) ? -100 : descriptor(f); /* AT_FDCWD */
    case 'q':
        return (long)(one_in(f, 16) ? odd_name(f) : path_to_look_at(f));
    case 'N':
        return (long)(one_in(f, 16) ? odd_name(f) : name_of_region(f));
    case 'b':
        return buffer(f);
    case 'n':
        return (long)random_below(f, one_in(f, 8) ? 100000 : 600);
    case 'l':
        return (long)(random_below(f, 40) * PAGE_BYTES);
    case 'a':
        return mapped_address(f);
    case 'P':
        return one_in(f, 3) ? buffer(f) : anything(f);
    case 't':
        return one_in(f, 12) ? buffer(f) : (long)short_time(f);
    case 'V':
        return one_in(f, 12) ? buffer(f) : pieces(f);
    case 'R':
        return one_in(f, 12) ? buffer(f) : region_map(f);
    case 'c':
        return (long)random_below(f, 10);
    case 'x':
        return flags(f);
    case 's':
        return (long)random_below(f, 66);
    case 'u':
        return one_in(f, 4) ? (long)random_below(f, 3) : 1000 + (long)random_below(f, 3);
    case 'o':
        return (long)random_below(f, 1 << 20);
    case 'm':
        return (long)random_below(f, 010000);
    case '8':
        return 8;
    case '0':
        return 0;
    default:
        return arg_hostile(f);
    }
}
