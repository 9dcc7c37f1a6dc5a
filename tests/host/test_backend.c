/* What a backend may do (device.h): pages that cannot be filled, or slowly; writing back; refusing
 * to be mapped. */
#include "device.h"
#include "door.h"
#include "runner.h"

#include <signal.h>

static void begin(bool written_back)
{
    host_catch_faults();
    device_begin(written_back);
}

static void end(void)
{
    u_walk();
    U_EQ(U_CALL(SYS_munmap, U_FAR, U_GIB), 0);
    U_EQ(device.released, false);
    device_end();
    U_EQ(device.released, true);
}

/* ---- fill */

static void fill_fails_once(bool promised)
{
    begin(false);
    if (promised)
        U_EQ(device_promise(), 0);
    U_EQ(device_map(U_FAR, true), U_FAR);
    U_EQ(u_load8(U_FAR), 10);
    U_EQ(u_load8(U_FAR + 3 * U_PAGE), 13);
    U_EQ(device.fills, 2);
    device.fill_err = -EIO;
    U_EQ(u_try_read(U_FAR + U_PAGE), SIGBUS);
    U_EQ(u_try_write(U_FAR + U_PAGE), SIGBUS);
    U_EQ(U_CALL(SYS_mlock, U_FAR, DEVICE_PAGES * U_PAGE), -ENOMEM);
    U_EQ(u_load8(U_FAR), 10); /* what is there stays */
    device.fill_err = -ENOMEM;
    U_EQ(U_CALL(SYS_mlock, U_FAR, DEVICE_PAGES * U_PAGE), -EAGAIN);
    device.fill_err = 0;
    U_EQ(u_load8(U_FAR + U_PAGE), 11); /* no trace of the failure */
    U_EQ(device_page(7), 0);
    U_EQ(device_page(8), -ENXIO);
    end();
}

static int fill_fails(uintptr_t sp)
{
    fill_fails_once(false);
    fill_fails_once(true);
    return 0;
}

/* All or nothing; but what somebody has asked for stays. */
static int populates(uintptr_t sp)
{
    begin(false);
    U_EQ(device_page(1), 0);
    device.fails_at = 4;
    device.asked = 2;
    U_EQ(device_populate(0, 6), -EIO);
    U_EQ(device.fills, 4);
    U_EQ(device_resident(), 2); /* 1 and 2 */
    device.fails_at = 0;
    U_EQ(device_populate(0, 6), 0);
    U_EQ(device_resident(), 6);
    U_EQ(device.fills, 4 + 4);
    device.fails_at = 7;
    U_EQ(device_populate(0, 8), -EIO);
    U_EQ(device_resident(), 6); /* those of the one before */
    U_EQ(device_populate(5, DEVICE_PAGES + 1), -EIO);
    device.fails_at = 0;
    U_EQ(device_populate(5, DEVICE_PAGES + 1), -ENXIO);
    U_EQ(device_resident(), 6);
    end();
    return 0;
}

static uint32_t readers;

static int read_page(uintptr_t at)
{
    int sig = u_try_read(at);
    U_CHECK(sig == 0 || sig == SIGBUS);
    __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int cut(uintptr_t npages)
{
    U_EQ(device_resize(npages), 0);
    __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* Others wait for a page that is being filled: those who want it, and who takes it away. */
static void fill_slowly(int err, bool cuts)
{
    begin(false);
    readers = 0;
    device.slow = true;
    U_EQ(device_map(U_FAR, true), U_FAR);
    for (unsigned i = 0; i < 2; i++)
        U_CHECK(u_thread(read_page, U_FAR + 5 * U_PAGE) > 0);
    U_WAIT_UNTIL(__atomic_load_n(&device.filling, __ATOMIC_SEQ_CST));
    if (cuts)
        U_CHECK(u_thread(cut, 4) > 0);
    for (unsigned i = 0; i < 20; i++)
        U_CALL(SYS_sched_yield);
    U_EQ(readers, 0); /* not before it is filled */
    device.fill_err = err;
    __atomic_store_n(&device.may_fill, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(__atomic_load_n(&readers, __ATOMIC_SEQ_CST) == 2u + cuts);
    U_CHECK(cuts || err || device.fills == 1); /* once, however many want it */
    U_EQ(u_try_read(U_FAR + 5 * U_PAGE), cuts || err ? SIGBUS : 0);
    end();
}

static int fill_is_slow(uintptr_t sp)
{
    fill_slowly(0, false);
    fill_slowly(-EIO, false);
    fill_slowly(0, true);
    fill_slowly(-EIO, true);
    return 0;
}

/* ---- reads of devices, into pages that are filled slowly */

static uint32_t reader_tid;
static long read_result;

static int read_into_device(uintptr_t fd)
{
    u_ignore_by_handler(SIGUSR1, 0);
    __atomic_store_n(&reader_tid, (uint32_t)U_CALL(SYS_gettid), __ATOMIC_SEQ_CST);
    read_result = U_CALL(SYS_read, fd, U_FAR, DEVICE_PAGES * U_PAGE);
    u_count(&readers);
    return 0;
}

static void read_slowly(const char *path)
{
    char bytes[16] = "";
    begin(false);
    readers = 0;
    device.slow = true;
    U_EQ(device_map(U_FAR, true), U_FAR);
    unsigned long fd = (unsigned long)u_open(path, O_RDONLY, 0);
    U_CHECK(u_thread(read_into_device, fd) > 0);
    U_WAIT_UNTIL(u_counted(&device.filling));
    U_EQ(U_CALL(SYS_read, fd, u_put(0, bytes, 16), 16), 16);
    U_EQ(u_pread((int)fd, bytes, 16, 5), 16);
    U_EQ(U_CALL(SYS_lseek, fd, 5, SEEK_CUR), 0);
    U_EQ(u_counted(&readers), 0); /* nobody waits for it */
    U_EQ(U_CALL(SYS_tgkill, U_CALL(SYS_getpid), u_counted(&reader_tid), SIGUSR1), 0);
    __atomic_store_n(&device.may_fill, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(u_counted(&readers) == 1);
    U_EQ(read_result, U_PAGE); /* a signal ends it at the next page */
    U_EQ(U_CALL(SYS_close, fd), 0);
    end();
}

static int long_reads(uintptr_t sp)
{
    read_slowly("/dev/zero");
    read_slowly("/dev/full");
    read_slowly("/dev/random");
    read_slowly("/dev/urandom");
    return 0;
}

/* ---- writeback */

static int child_writes(uintptr_t arg)
{
    u_store8(U_FAR + 2 * U_PAGE, 77);
    U_EQ(U_CALL(SYS_msync, U_FAR, 4 * U_PAGE, MS_SYNC), 0);
    U_EQ(device.content[2], 77);
    return 0;
}

static int writes_back(uintptr_t sp)
{
    begin(true);
    U_EQ(device_map(U_FAR, true), U_FAR);
    U_EQ(device_map(U_FAR + 100 * U_PAGE, false), U_FAR + 100 * U_PAGE);
    U_EQ(U_CALL(SYS_munmap, U_FAR + 4 * U_PAGE, U_PAGE), 0);
    U_EQ(u_load8(U_FAR), 10);
    U_EQ(U_CALL(SYS_msync, U_FAR, 4 * U_PAGE, MS_SYNC), 0);
    U_EQ(device.saves, 0); /* nothing was written */
    u_store8(U_FAR, 50);
    u_store8(U_FAR + U_PAGE, 51);
    u_store8(U_FAR + 100 * U_PAGE, 99); /* nobody else's */
    U_EQ(device.content[0], 10);
    U_EQ(U_CALL(SYS_msync, U_FAR, 4 * U_PAGE, MS_SYNC), 0);
    U_EQ(device.saves, 2);
    U_CHECK(device.content[0] == 50 && device.content[1] == 51);
    u_store8(U_FAR, 60); /* is noticed again */
    device.save_err = -EIO;
    U_EQ(U_CALL(SYS_msync, U_FAR, 4 * U_PAGE, MS_SYNC), -EIO);
    U_EQ(U_CALL(SYS_msync, U_FAR, 7 * U_PAGE, MS_SYNC), -EIO); /* the first error is told */
    u_store8(U_FAR + U_PAGE, 61);
    U_EQ(U_CALL(SYS_msync, U_FAR + 4 * U_PAGE, 2 * U_PAGE, MS_SYNC), -EIO);
    device.save_err = 0;
    U_EQ(device.content[0], 50);
    U_EQ(U_CALL(SYS_msync, U_FAR, 4 * U_PAGE, MS_SYNC), 0); /* it was kept */
    U_CHECK(device.content[0] == 60 && device.content[1] == 61);
    u_child_does(child_writes, 0);
    u_store8(U_FAR + 3 * U_PAGE, 63);
    end();
    U_EQ(device.content[3], 63); /* by the last user */
    return 0;
}

/* ---- mapped */

static int refuses(uintptr_t sp)
{
    begin(false);
    u_mmap(U_FAR, 3 * DEVICE_PAGES * U_PAGE, U_RW, U_ANON | MAP_FIXED, -1, 0);
    u_fill(U_FAR, 3 * DEVICE_PAGES, 7);
    device.map_err = -EPERM;
    U_EQ(device_map(U_FAR + DEVICE_PAGES * U_PAGE, true), -EPERM);
    U_EQ(u_maps_count(U_FAR, U_FAR + U_GIB), 1); /* what was there is whole (A3) */
    U_EQ(u_load8(U_FAR + DEVICE_PAGES * U_PAGE), 7);
    U_EQ(device_map(U_FAR + 100 * U_PAGE, true), -EPERM);
    device.map_err = 0;
    U_EQ(device_map(U_FAR + DEVICE_PAGES * U_PAGE, true), U_FAR + DEVICE_PAGES * U_PAGE);
    U_EQ(U_CALL(SYS_munmap, U_FAR + (DEVICE_PAGES + 2) * U_PAGE, U_PAGE), 0);
    U_EQ(device.mappings, 1);
    device.map_err = -EPERM;
    host_child(read_page, U_FAR);
    U_EQ(U_CALL(SYS_fork), -EPERM); /* or it fails whole (A5) */
    U_EQ(device.mappings, 1);
    u_store8(U_FAR, 8);
    device.map_err = 0;
    u_child_does(read_page, U_FAR + DEVICE_PAGES * U_PAGE);
    U_EQ(device.mappings, 1);
    end();
    U_EQ(device.mappings, 0);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "fill_fails", .init = fill_fails, .runs = 1},
        {.name = "populates", .init = populates, .runs = 1},
        {.name = "fill_is_slow", .init = fill_is_slow, .runs = 3},
        {.name = "long_reads", .init = long_reads, .runs = 2},
        {.name = "writes_back", .init = writes_back, .runs = 2},
        {.name = "refuses", .init = refuses, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
