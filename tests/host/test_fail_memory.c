/* A3: mmap and its family, brk, and page faults of each kind, with each allocation failing in turn.
 */
#include "failrow.h"

#define PAGES 9
#define BYTES (PAGES * U_PAGE)
#define FAR2  (U_FAR + 8192 * U_GIB)
#define TMP   "/tmp/fail"

#define MAYMOVE 1
#define FIXED   2

static uintptr_t at;
static int fd;

static void map(int flags, int file)
{
    at = u_mmap(0, BYTES, U_RW, flags, file, 0);
}

static void map_touched(int flags)
{
    map(flags, -1);
    for (unsigned i = 0; i < PAGES; i++)
        u_store8(at + i * U_PAGE, (uint8_t)i);
}

static void make_file(void)
{
    fd = (int)u_open(TMP, O_CREAT | O_EXCL | O_RDWR, 0600);
    U_EQ(U_CALL(SYS_ftruncate, (unsigned long)fd, BYTES), 0);
    U_EQ(u_pwrite(fd, "text", 4, 0), 4);
}

static void unmap_result(long result)
{
    U_EQ(U_CALL(SYS_munmap, (uintptr_t)result, BYTES), 0);
}

static void unmap_all(void)
{
    U_EQ(U_CALL(SYS_munmap, at, BYTES), 0);
}

static void remove_file(void)
{
    U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    U_EQ(u_unlink(TMP), 0);
}

static void unmap_and_remove(void)
{
    unmap_all();
    remove_file();
}

/* Each page is what it was, and writable. */
static void whole_unmap(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        U_EQ(u_load8(at + i * U_PAGE), i);
        u_store8(at + i * U_PAGE, (uint8_t)i);
    }
    unmap_all();
}

/* ---- mmap */

static struct fail_call do_map(uintptr_t to, size_t bytes, int flags, int file)
{
    return CALL(SYS_mmap, to, bytes, U_RW, flags, file);
}

static struct fail_call map_private(void)
{
    return do_map(0, BYTES, U_ANON, -1);
}

static struct fail_call map_shared(void)
{
    return do_map(0, BYTES, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static struct fail_call map_populated(void)
{
    return do_map(0, BYTES, U_ANON | MAP_POPULATE, -1);
}

static struct fail_call map_file_shared(void)
{
    make_file();
    return do_map(0, BYTES, MAP_SHARED, fd);
}

static struct fail_call map_file_private(void)
{
    make_file();
    return do_map(0, BYTES, MAP_PRIVATE, fd);
}

static struct fail_call map_over(void)
{
    map_touched(U_ANON);
    return do_map(at + 2 * U_PAGE, 3 * U_PAGE, U_ANON | MAP_FIXED, -1);
}

static struct fail_call map_file_over(void)
{
    map_touched(U_ANON);
    make_file();
    return do_map(at + 2 * U_PAGE, 3 * U_PAGE, MAP_SHARED | MAP_FIXED, fd);
}

static struct fail_call map_shared_over(void)
{
    map_touched(U_ANON);
    return do_map(at + 2 * U_PAGE, 3 * U_PAGE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1);
}

/* ---- munmap, mprotect, mremap, brk, advice */

static struct fail_call unmap_middle(void)
{
    map_touched(U_ANON);
    return CALL(SYS_munmap, at + 2 * U_PAGE, U_PAGE);
}

static struct fail_call unmap_whole(void)
{
    map_touched(U_ANON);
    return CALL(SYS_munmap, at, BYTES);
}

static struct fail_call protect_several(void)
{
    map_touched(U_ANON);
    U_EQ(U_CALL(SYS_mprotect, at + 4 * U_PAGE, U_PAGE, PROT_READ), 0);
    return CALL(SYS_mprotect, at + 2 * U_PAGE, 5 * U_PAGE, PROT_NONE);
}

static struct fail_call protect_shared(void)
{
    map_touched(MAP_SHARED | MAP_ANONYMOUS);
    return CALL(SYS_mprotect, at + 2 * U_PAGE, 3 * U_PAGE, PROT_READ);
}

static struct fail_call move_far(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mremap, at, BYTES, BYTES, MAYMOVE | FIXED, U_FAR);
}

static struct fail_call move_shared(void)
{
    map_touched(MAP_SHARED | MAP_ANONYMOUS);
    return CALL(SYS_mremap, at, BYTES, BYTES, MAYMOVE | FIXED, U_FAR);
}

static void moved(long result)
{
    U_EQ(U_CALL(SYS_mremap, U_FAR, BYTES, BYTES, MAYMOVE | FIXED, at), at);
}

static struct fail_call move_middle(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mremap, at + 3 * U_PAGE, 3 * U_PAGE, 3 * U_PAGE, MAYMOVE | FIXED, U_FAR);
}

static void moved_middle(long result)
{
    U_EQ(U_CALL(SYS_mremap, U_FAR, 3 * U_PAGE, 3 * U_PAGE, MAYMOVE | FIXED, at + 3 * U_PAGE),
         at + 3 * U_PAGE);
}

/* Onto something that is there, cut out of its middle, and smaller than it was. */
static struct fail_call move_onto(void)
{
    map_touched(U_ANON);
    u_mmap(U_FAR, BYTES, U_RW, U_ANON | MAP_FIXED, -1, 0);
    return CALL(SYS_mremap, at + 3 * U_PAGE, 3 * U_PAGE, 2 * U_PAGE, MAYMOVE | FIXED,
                U_FAR + 3 * U_PAGE);
}

static void unmap_both(void)
{
    U_EQ(U_CALL(SYS_munmap, U_FAR, BYTES), 0);
    unmap_all();
}

static struct fail_call shrink(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mremap, at, BYTES, 4 * U_PAGE, 0);
}

static struct fail_call shrink_middle(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mremap, at + 2 * U_PAGE, 4 * U_PAGE, U_PAGE, 0);
}

static struct fail_call grow_elsewhere(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mremap, at + 2 * U_PAGE, 4 * U_PAGE, 8 * U_PAGE, MAYMOVE);
}

static void grown(long result)
{
    U_EQ(U_CALL(SYS_munmap, (uintptr_t)result, 8 * U_PAGE), 0);
}

static uintptr_t heap_end;

/* brk answers where the heap ends, whatever happens. */
static struct fail_call heap_grow(void)
{
    heap_end = (uintptr_t)U_CALL(SYS_brk, 0);
    return CALL(SYS_brk, heap_end + 5 * U_PAGE);
}

static void heap_is_one_or_other(long result)
{
    U_CHECK((uintptr_t)result == heap_end || (uintptr_t)result == heap_end + 5 * U_PAGE);
}

static struct fail_call heap_shrink(void)
{
    heap_end = (uintptr_t)U_CALL(SYS_brk, U_CALL(SYS_brk, 0) + 5 * (long)U_PAGE) - 5 * U_PAGE;
    return CALL(SYS_brk, heap_end + U_PAGE);
}

static void heap_shrunk(long result)
{
    U_CHECK((uintptr_t)result == heap_end + U_PAGE || (uintptr_t)result == heap_end + 5 * U_PAGE);
}

static struct fail_call advise(void)
{
    map_touched(MAP_SHARED | MAP_ANONYMOUS);
    return CALL(SYS_madvise, at, BYTES, MADV_DONTNEED);
}

static struct fail_call lock_absent(void)
{
    map(U_ANON, -1);
    u_store8(at, 1);
    return CALL(SYS_mlock, at + U_PAGE, U_PAGE);
}

static struct fail_call look(void)
{
    map_touched(U_ANON);
    return CALL(SYS_mincore, at, BYTES, box_room(PAGES));
}

static struct fail_call sync_file(void)
{
    make_file();
    map(MAP_SHARED, fd);
    u_store8(at + U_PAGE, 1);
    return CALL(SYS_msync, at, BYTES, MS_SYNC);
}

/* ---- faults */

static struct fail_call anon_far(void)
{
    at = u_mmap(U_FAR, BYTES, U_RW, U_ANON | MAP_FIXED, -1, 0);
    return CALL(TOUCH_WRITE, at);
}

static struct fail_call anon_near(void)
{
    map(U_ANON, -1);
    u_store8(at, 1);
    return CALL(TOUCH_READ, at + U_PAGE);
}

static struct fail_call shared_far(void)
{
    at = u_mmap(FAR2, BYTES, U_RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return CALL(TOUCH_WRITE, at + U_PAGE);
}

static struct fail_call shared_unpromised(void)
{
    at = u_mmap(0, BYTES, U_RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    u_store8(at, 1);
    return CALL(TOUCH_WRITE, at + U_PAGE);
}

static struct fail_call file_shared(void)
{
    make_file();
    map(MAP_SHARED, fd);
    u_store8(at, 1);
    return CALL(TOUCH_WRITE, at + 2 * U_PAGE);
}

static struct fail_call file_private_read(void)
{
    make_file();
    map(MAP_PRIVATE, fd);
    u_store8(at, 1);
    return CALL(TOUCH_READ, at + 2 * U_PAGE);
}

/* The page in the cache, and then the copy of it. */
static struct fail_call file_private_write(void)
{
    make_file();
    map(MAP_PRIVATE, fd);
    u_store8(at, 1);
    U_EQ(u_pwrite(fd, "x", 1, 2 * U_PAGE), 1);
    return CALL(TOUCH_WRITE, at + 2 * U_PAGE);
}

static struct fail_call file_copy_of_mapped(void)
{
    make_file();
    map(MAP_PRIVATE, fd);
    u_store8(at, 1);
    U_EQ(u_load8(at + 2 * U_PAGE), 0);
    return CALL(TOUCH_WRITE, at + 2 * U_PAGE);
}

/* Another process has the pages, too: the first write copies. */
static uint32_t sharing;
static long sharer;

static int share_pages(uintptr_t arg)
{
    __atomic_store_n(&sharing, 1, __ATOMIC_SEQ_CST);
    U_WAIT_UNTIL(!__atomic_load_n(&sharing, __ATOMIC_SEQ_CST));
    return 0;
}

static struct fail_call copy_on_write(void)
{
    map_touched(U_ANON);
    sharer = u_fork(share_pages, 0);
    U_WAIT_UNTIL(__atomic_load_n(&sharing, __ATOMIC_SEQ_CST));
    own_pages();
    return CALL(TOUCH_WRITE, at + 3 * U_PAGE);
}

static void sharer_ends(void)
{
    __atomic_store_n(&sharing, 0, __ATOMIC_SEQ_CST);
    u_must_exit(sharer, 0);
    whole_unmap();
}

static struct fail_call stack_grows(void)
{
    return CALL(TOUCH_WRITE, host_stack_pointer() - 700 * 1024);
}

#define NONE   .flags = ROW_NEEDS_NONE
#define TABLES .flags = ROW_TABLES
#define FAULT  .errors = {EFAULT}

static const struct fail_row maps[] = {
    ROW("mmap, private", map_private, unmap_result, NULL),
    ROW("mmap, shared and anonymous", map_shared, unmap_result, NULL),
    ROW("mmap, populated", map_populated, unmap_result, NULL, .flags = ROW_SURVIVES),
    ROW("mmap of a file, shared", map_file_shared, unmap_result, remove_file),
    ROW("mmap of a file, private", map_file_private, unmap_result, remove_file),
    ROW("mmap over memory", map_over, NULL, unmap_all),
    ROW("mmap of a file over memory", map_file_over, NULL, unmap_and_remove),
    ROW("mmap, shared, over memory", map_shared_over, NULL, unmap_all),
    ROW("munmap, the middle", unmap_middle, NULL, unmap_all),
    ROW("munmap", unmap_whole, NULL, NULL, NONE),
    ROW("mprotect, several", protect_several, NULL, unmap_all),
    ROW("mprotect of shared memory", protect_shared, NULL, unmap_all),
    ROW("mremap, far away", move_far, moved, whole_unmap),
    ROW("mremap of shared memory", move_shared, moved, whole_unmap),
    ROW("mremap, the middle", move_middle, moved_middle, whole_unmap),
    ROW("mremap onto memory", move_onto, NULL, unmap_both, TABLES),
    ROW("mremap, smaller", shrink, NULL, unmap_all),
    ROW("mremap, the middle smaller", shrink_middle, NULL, unmap_all),
    ROW("mremap, larger and elsewhere", grow_elsewhere, grown, unmap_all),
    ROW("brk", heap_grow, heap_is_one_or_other, NULL, .flags = ROW_FRESH | ROW_SURVIVES),
    ROW("brk, less", heap_shrink, heap_shrunk, NULL, .flags = ROW_FRESH | ROW_SURVIVES),
    ROW("madvise, MADV_DONTNEED", advise, NULL, unmap_all, NONE),
    ROW("mlock of what is absent", lock_absent, NULL, unmap_all, .errors = {EAGAIN, ENOMEM}),
    ROW("mincore", look, NULL, unmap_all, NONE),
    ROW("msync", sync_file, NULL, unmap_and_remove, NONE),
};

static const struct fail_row faults[] = {
    ROW("fault: anonymous, tables of all levels", anon_far, NULL, unmap_all, FAULT, TABLES),
    ROW("fault: anonymous, read", anon_near, NULL, unmap_all, FAULT),
    ROW("fault: shared, tables of all levels", shared_far, NULL, unmap_all, FAULT, TABLES),
    ROW("fault: shared, not promised", shared_unpromised, NULL, unmap_all, FAULT),
    ROW("fault: file, shared", file_shared, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, read", file_private_read, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, write", file_private_write, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, copy", file_copy_of_mapped, NULL, unmap_and_remove, FAULT),
    ROW("fault: copy on write", copy_on_write, NULL, sharer_ends, FAULT),
    ROW("fault: the stack", stack_grows, NULL, NULL, FAULT, .flags = ROW_FRESH | ROW_TABLES),
};

static int fail_maps(uintptr_t sp)
{
    ROWS(maps);
    return 0;
}

static int fail_faults(uintptr_t sp)
{
    ROWS(faults);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "maps", .init = fail_maps, .runs = 1},
        {.name = "faults", .init = fail_faults, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
