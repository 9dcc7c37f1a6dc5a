/* What the doors by number make of pages that the process moves and unmaps by hand. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include <abi/zone.h>

#include "doors.h"
#include "threads.h"

#define OPENS  3
#define ROUNDS 150
#define PIECES 300ul

static pthread_barrier_t begin;
static char *page;

/* Below the page many mappings, so that it takes time until the page that goes with them, the last,
 * is not counted any more. */
static void *unmap_by_hand(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&begin);
    CHECK_OK(munmap(page - PIECES * PAGE, (PIECES + 1) * PAGE));
    return NULL;
}

static void map_pieces(void)
{
    char *beg = page - PIECES * PAGE;

    CHECK(mmap(beg, PIECES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
               0) == beg,
          "mmap: %s", strerror(errno));
    for (unsigned long i = 0; i < PIECES; i += 2)
        CHECK_OK(mprotect(beg + i * PAGE, PAGE, PROT_READ | PROT_WRITE));
}

/* X2: an open comes before the munmap, or after it and is the only one; nothing between. */
static void case_open_beside_munmap(void)
{
    CHECK_EQ(pthread_barrier_init(&begin, NULL, 2), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned closes = 0;
        pthread_t t;

        for (int i = 0; i < OPENS; i++) {
            long addr = xv6_open(1);

            CHECK(addr > 0, "X1: shm_open = %ld", addr);
            page = (char *)addr;
        }
        map_pieces();
        t = thread_new(unmap_by_hand, NULL);
        pthread_barrier_wait(&begin);
        for (unsigned spin = 0; spin < round * 400; spin++)
            __asm__ volatile("");
        CHECK(xv6_open(1) > 0, "X1: shm_open");
        thread_end(t);
        while (xv6_close(1) == 0)
            closes++;
        CHECK(closes <= 1, "X2: %u opens after the munmap, round %u", closes, round);
        door_must_be_empty("xv6", "X2");
    }
}

static char *zone(int id, int flags, int pages)
{
    long addr = zone_get(id, flags, pages);

    CHECK(addr > 0, "Z1: shmem(%d, %d, %d) = %ld", id, flags, pages, addr);
    return (char *)addr;
}

/* Z2: at most 16 zones a process; one that mremap has pulled apart is still one. */
static void case_zone_in_two_places(void)
{
    char *apart = zone(0, M_CREATE, 3), *between = zone(1, M_CREATE, 1);
    void *to = between + 8 * PAGE;

    CHECK(mremap(apart + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to, "mremap: %s",
          strerror(errno));
    for (int i = 2; i < ZONES_MAX; i++)
        (void)zone(i, M_CREATE, 1);
    CHECK(zone_get(ZONES_MAX, M_CREATE, 1) < 0, "Z2: more than %d", ZONES_MAX);
    CHECK_OK(munmap(apart, PAGE));
    CHECK_OK(munmap(apart + 2 * PAGE, PAGE));
    CHECK(zone_get(ZONES_MAX, M_CREATE, 1) < 0, "Z2: a piece of zone 0 is left");
    CHECK_OK(munmap(to, PAGE));
    (void)zone(ZONES_MAX, M_CREATE, 1);
}

int main(void)
{
    RUN(case_open_beside_munmap);
    RUN(case_zone_in_two_places);
    return check_done();
}
