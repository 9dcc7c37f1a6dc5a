/* Steps at random, with an eye on the model: mostly what makes sense, some of
 * what does not. */
#define _GNU_SOURCE
#include "run.h"

#include <abi/region.h>
#include <abi/zone.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

static uint64_t state;
static unsigned weights[OP_COUNT];
static int names, slots, pages, seats; /* of this run */

uint64_t generator_random(uint64_t below)
{
    uint64_t x = state; /* xorshift64* (Vigna) */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    state = x;
    return (x * 0x2545f4914f6cdd1du >> 11) % below;
}

static int pick(int below)
{
    return (int)generator_random((uint64_t)below);
}

static bool one_in(int n)
{
    return pick(n) == 0;
}

/* Each run likes some calls and leaves others out, and has few things to do
 * them with: what happens to many things once happens to one of them more
 * often. */
void generator_seed(uint64_t seed, bool concurrent)
{
    static const unsigned usual[OP_COUNT] = {
        [CREATE] = 8,  [MAP] = 8,     [MAPWITH] = 8,  [UNMAP] = 4,    [DESTROY] = 5,  [LOCK] = 6,
        [TRYLOCK] = 2, [UNLOCK] = 4,  [STAT] = 2,     [CHMOD] = 2,    [XOPEN] = 6,    [XCLOSE] = 4,
        [SHMEM] = 6,   [SHMGET] = 4,  [SHMAT] = 6,    [SHMDT] = 4,    [SHMRM] = 2,    [SHMSTAT] = 2,
        [SHMSET] = 1,  [SHMLOCK] = 1, [SHMINFO] = 1,  [ALLOCATE] = 2, [LIST] = 2,     [FREE] = 1,
        [MSYNC] = 1,   [OPEN] = 8,    [MEMFD] = 3,    [CLOSE] = 3,    [TRUNCATE] = 8, [READ] = 4,
        [WRITE] = 6,   [FSTAT] = 2,   [FCHMOD] = 1,   [UNLINK] = 2,   [LINK] = 2,     [RENAME] = 1,
        [MMAP] = 12,   [MUNMAP] = 6,  [MPROTECT] = 6, [MREMAP] = 8,   [DISCARD] = 3,  [MLOCK] = 2,
        [MINCORE] = 2, [LOAD] = 8,    [STORE] = 16,   [COMPARE] = 3,  [FORK] = 6,     [EXEC] = 1,
        [EXIT] = 1,    [KILL] = 1,    [INTR] = 1,     [SETEUID] = 2,
    };
    static const unsigned char families[] = {CREATE, XOPEN, SHMEM, SHMGET, OPEN, MMAP, LOAD};
    unsigned family = 0, liked = 1;
    state = seed * 0x9e3779b97f4a7c15u + 0x1234567;
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (family < sizeof families && op == families[family]) {
            family++;
            liked = one_in(2) ? 1 : one_in(2) ? 4 : 0;
        }
        weights[op] = usual[op] * (op >= LOAD ? 2 : liked) * (one_in(5) ? 0 : one_in(5) ? 4 : 1);
    }
    weights[FORK] |= 3;
    weights[STORE] |= 12;
    names = concurrent && !one_in(3) ? 1 : 1 + pick(NAMES);
    slots = 1 + pick(SLOTS);
    pages = one_in(2) ? ARENA_PAGES : 8;
    seats = 2 + pick(concurrent ? 3 : SEATS - 1);
}

static unsigned pick_op(void)
{
    unsigned total = 0;
    for (int op = 0; op < OP_COUNT; op++)
        total += weights[op];
    unsigned at = (unsigned)pick((int)total), op = 0;
    while (at >= weights[op])
        at -= weights[op++];
    return op;
}

static int pick_seat(const struct model *m, bool alive)
{
    int seat = pick(alive ? SEATS : seats);
    for (int i = 0; i < SEATS && m->proc[seat].alive != alive; i++)
        seat = (seat + 1) % SEATS;
    return seat;
}

static int pick_awake(const struct model *m)
{
    int seat = pick_seat(m, true);
    for (int i = 0; i < SEATS && (!m->proc[seat].alive || m->proc[seat].asleep); i++)
        seat = (seat + 1) % SEATS;
    return seat;
}

static int name(void)
{
    return one_in(100) ? NAMES : pick(names);
}

static int arena(void)
{
    return pick(pages);
}

/* Most often where something is. */
static int anywhere(void)
{
    if (one_in(12))
        return one_in(2) ? REF_FRY : REF_SHRIMP;
    return one_in(3) ? arena()
                     : REF_MAPPING + pick(6) * REF_PAGES + pick(one_in(2) ? 2 : REF_PAGES);
}

static int mode(void)
{
    static const int modes[] = {0600, 0644, 0666, 0640, 0400, 0, 0060, 0606};
    return modes[pick(8)];
}

static void args(struct step *s, int a, int b, int c, int d, int e, int f)
{
    const int all[ARGS] = {a, b, c, d, e, f};
    memcpy(s->a, all, sizeof all);
}

static int open_flags(void)
{
    static const int modes[] = {O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY};
    int flags = modes[pick(5)] | (one_in(2) ? O_CREAT : 0) | (one_in(6) ? O_EXCL : 0);
    return flags | ((flags & O_ACCMODE) != O_RDONLY && one_in(8) ? O_TRUNC : 0);
}

static int prot(void)
{
    static const int prots[] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
                                PROT_NONE, PROT_WRITE};
    return prots[pick(5)];
}

static int mmap_flags(int *ref)
{
    int flags = one_in(2) ? MAP_SHARED : MAP_PRIVATE;
    *ref = -1;
    if (!one_in(3)) {
        flags |= one_in(3) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
        *ref = arena();
    }
    return flags | (one_in(3) ? MAP_ANONYMOUS : 0) | (one_in(8) ? MAP_POPULATE : 0);
}

static void region_args(const struct model *m, struct step *s)
{
    static const int how[] = {RS_WAIT, RS_NOWAIT, RS_UNLINK};
    switch (s->op) {
    case CREATE:
        args(s, name(), one_in(8) ? pick(SIZES) : 1 + pick(6), pick(4), 0, 0, 0);
        break;
    case MAPWITH:
        args(s, name(), pick(one_in(6) ? 64 : 16), one_in(3) ? pick(5) - 1 : 0,
             one_in(2) ? pick(5) : 0, arena(), one_in(2));
        break;
    case UNMAP:
        args(s, name(), anywhere(), 0, 0, 0, 0);
        break;
    case DESTROY:
        args(s, name(), how[pick(3)], one_in(3), 0, 0, 0);
        break;
    case LOCK:
        args(s, name(), one_in(4), 0, 0, 0, 0);
        break;
    case CHMOD:
        args(s, name(), one_in(20) ? 01000 : mode(), 0, 0, 0, 0);
        break;
    default:
        args(s, name(), 0, 0, 0, 0, 0);
    }
}

static void door_args(const struct model *m, struct step *s)
{
    switch (s->op) {
    case SHMEM:
        args(s, one_in(20) ? ZONE_IDS : pick(3), one_in(2) ? M_CREATE : pick(8), pick(5), 0, 0, 0);
        break;
    case SHMGET:
        args(s, pick(3), pick(7), (one_in(3) ? 0 : IPC_CREAT) | (one_in(6) ? IPC_EXCL : 0) | mode(),
             0, 0, 0);
        break;
    case SHMAT:
        args(s, pick(16),
             one_in(2)   ? -1
             : one_in(4) ? anywhere()
                         : arena(),
             (one_in(4) ? SHM_RDONLY : 0) | (one_in(4) ? SHM_REMAP : 0), 0, 0, 0);
        break;
    case SHMDT:
        args(s, anywhere(), 0, 0, 0, 0, 0);
        break;
    case SHMSET:
        args(s, pick(16), pick(USERS), mode(), 0, 0, 0);
        break;
    case SHMLOCK:
        args(s, pick(16), one_in(2) ? SHM_LOCK : SHM_UNLOCK, 0, 0, 0, 0);
        break;
    case SETEUID:
        args(s, pick(USERS), 0, 0, 0, 0, 0);
        break;
    case FORK:
        args(s, pick_seat(m, false), 0, 0, 0, 0, 0);
        break;
    default: /* XOPEN, XCLOSE, SHMRM, SHMSTAT; those without */
        args(s, pick(4), 0, 0, 0, 0, 0);
    }
}

static void file_args(struct step *s)
{
    int slot = pick(slots);
    switch (s->op) {
    case OPEN:
        args(s, slot, pick(names), open_flags(), mode(), 0, 0);
        break;
    case TRUNCATE:
        args(s, slot, pick(7), 0, 0, 0, 0);
        break;
    case ALLOCATE:
        args(s, slot, pick(14), pick(5), 0, 0, 0);
        break;
    case READ:
    case WRITE:
        args(s, slot, pick(18), 1 + pick(1000), 0, 0, 0);
        break;
    case FCHMOD:
        args(s, slot, mode(), 0, 0, 0, 0);
        break;
    case UNLINK ... RENAME:
        args(s, pick(NAMES), pick(names), 0, 0, 0, 0);
        break;
    default:
        args(s, slot, 0, 0, 0, 0, 0);
    }
}

static void memory_args(struct step *s)
{
    int flags, ref;
    switch (s->op) {
    case MMAP:
        flags = mmap_flags(&ref);
        args(s, ref, pick(7), prot(), flags, pick(slots), one_in(3) ? pick(4) : 0);
        break;
    case MPROTECT:
        args(s, anywhere(), 1 + pick(4), prot(), 0, 0, 0);
        break;
    case MREMAP:
        flags = one_in(4) ? 0 : MREMAP_MAYMOVE | (one_in(2) ? MREMAP_FIXED : 0);
        args(s, anywhere(), pick(5), pick(7), flags, arena(), 0);
        break;
    case LOAD:
        args(s, anywhere(), pick(HALVES), 0, 0, 0, 0);
        break;
    case STORE:
        args(s, anywhere(), pick(HALVES), 1 + pick(1000), 0, 0, 0);
        break;
    case COMPARE:
        args(s, 0, 0, 0, 0, 0, 0);
        break;
    default:
        args(s, anywhere(), 1 + pick(4), 0, 0, 0, 0);
    }
}

void generate(const struct model *m, struct step *s)
{
    *s = (struct step){.seat = (uint8_t)pick_awake(m), .op = (uint8_t)pick_op()};
    if (s->op == KILL || s->op == INTR)
        s->seat = (uint8_t)pick_seat(m, true);
    if (s->op <= CHMOD)
        region_args(m, s);
    else if (s->op <= SHMINFO)
        door_args(m, s);
    else if (s->op <= RENAME)
        file_args(s);
    else if (s->op <= COMPARE)
        memory_args(s);
    else
        door_args(m, s);
    if (m->proc[s->seat].euid == 0 && one_in(8))
        s->how = HOW_FAILS(1 + pick(6));
}
