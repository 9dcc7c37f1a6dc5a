/* A3: xv6 pages, zones and Shrimpy's pages with each allocation of each call failing in turn. */
#include "failrow.h"

#include <abi/zone.h>

#include "doors.h"

static long at;

/* ---- xv6 pages */

static void xv6_first_open(struct fail_step *call)
{
    SHOAL_CALL(shm_open, 7);
}

static void xv6_opened(void)
{
    *(volatile char *)row_result = 1;
    CHECK_EQ(xv6_close(7), 0);
}

static void xv6_make(void)
{
    at = xv6_open(7);
    CHECK(at > 0, "X1: %ld", at);
    *(volatile char *)at = 1;
}

static void xv6_second_open(struct fail_step *call)
{
    xv6_make();
    SHOAL_CALL(shm_open, 7);
}

static void xv6_opened_again(void)
{
    CHECK_EQ(row_result, at); /* X2 */
    CHECK_EQ(xv6_close(7), 0);
}

static void xv6_close_one(void)
{
    CHECK_EQ(*(volatile char *)at, 1);
    CHECK_EQ(xv6_close(7), 0);
}

static void xv6_last_close(struct fail_step *call)
{
    xv6_make();
    SHOAL_CALL(shm_close, 7);
}

static void xv6_touch(struct fail_step *call)
{
    at = xv6_open(7);
    TOUCH(WRITE, at);
}

static void xv6_touched(void)
{
    CHECK_EQ(xv6_close(7), 0);
}

/* ---- Zones */

static void zone_create(struct fail_step *call)
{
    SHOAL_CALL(shmem, 5, M_CREATE, 9);
}

static void zone_created(void)
{
    memset((char *)row_result, 1, 9 * PAGE);
    CHECK_OK(munmap((char *)row_result, 9 * PAGE));
}

static void zone_make(void)
{
    at = zone_get(5, M_CREATE, 9);
    CHECK(at > 0, "Z1: %ld", at);
    *(volatile char *)at = 1;
}

static void zone_end(void)
{
    CHECK_EQ(*(volatile char *)at, 1);
    CHECK_OK(munmap((char *)at, 9 * PAGE));
}

static void zone_get_again(struct fail_step *call)
{
    zone_make();
    SHOAL_CALL(shmem, 5, M_RDONLY, 4);
}

static void zone_got(void)
{
    CHECK_OK(munmap((char *)row_result, 4 * PAGE));
}

static void zone_unmap_middle(struct fail_step *call)
{
    zone_make();
    memset((char *)at, 1, 9 * PAGE);
    CALL(munmap, at + 3 * (long)PAGE, PAGE);
}

static void zone_unmap(struct fail_step *call)
{
    zone_make();
    CALL(munmap, at, 9 * PAGE);
}

static void zone_touch(struct fail_step *call)
{
    zone_make();
    TOUCH(READ, at + 8 * (long)PAGE);
}

/* ---- Fry and shrimp */

static void fry_touch(struct fail_step *call)
{
    TOUCH(WRITE, FRY);
}

static void shrimp_touch(struct fail_step *call)
{
    TOUCH(READ, SHRIMP);
}

static void fry_in_a_call(struct fail_step *call)
{
    CALL(getcwd, (long)FRY, PAGE);
}

static void fork_with_fry(struct fail_step *call)
{
    *(volatile char *)FRY = 1;
    CALL(fork);
}

static void forked(void)
{
    CHILD_EXITS((pid_t)row_result, 0);
}

static const struct fail_row rows[] = {
    ROW("shm_open, the first", xv6_first_open, xv6_opened, NULL),
    ROW("shm_open, a second", xv6_second_open, xv6_opened_again, xv6_close_one, NONE),
    ROW("shm_close, the last", xv6_last_close, NULL, NULL, NONE),
    ROW("a touch of an xv6 page", xv6_touch, NULL, xv6_touched, .errors = {EFAULT}),
    ROW("shmem, M_CREATE", zone_create, zone_created, NULL),
    ROW("shmem, a second", zone_get_again, zone_got, zone_end),
    ROW("munmap, the middle of a zone", zone_unmap_middle, NULL, zone_end),
    ROW("munmap of a zone", zone_unmap, NULL, NULL, NONE),
    ROW("a touch of a zone", zone_touch, NULL, zone_end, .errors = {EFAULT}),
    /* A touch makes and maps the page, then brings it in: when that fails it stays mapped. */
    ROW("FRY, first touch", fry_touch, NULL, NULL, .errors = {EFAULT},
        .flags = ROW_FRESH | ROW_KEEPS),
    ROW("SHRIMP, first touch", shrimp_touch, NULL, NULL, .errors = {EFAULT},
        .flags = ROW_FRESH | ROW_KEEPS),
    ROW("FRY, first touch by a call", fry_in_a_call, NULL, NULL, .errors = {EFAULT, ENOMEM},
        .flags = ROW_FRESH | ROW_KEEPS),
    ROW("fork with a fry page", fork_with_fry, forked, NULL, .errors = {ENOMEM, EAGAIN},
        .flags = ROW_FORKS | ROW_FRESH),
};

int main(void)
{
    ROWS(rows);
    return check_done();
}
