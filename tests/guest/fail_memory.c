/* A3: mmap and its family, brk, and page faults of each kind, with each allocation failing in
 * turn. */
#include "failrow.h"

#include <sys/shm.h>

#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define PAGES 9
#define FAR   0x300000000000 /* nothing else is there: no page table of any level */
#define FAR2  0x380000000000
#define TMP   "/tmp/fail"

static char *at;
static int fd;
static unsigned char residence[PAGES];

static void map(int flags, int file)
{
    at = mmap(NULL, PAGES * PAGE, RW, flags, file, 0);
    CHECK(at != MAP_FAILED, "mmap: %s", strerror(errno));
}

static void map_touched(int flags)
{
    map(flags, -1);
    for (unsigned i = 0; i < PAGES; i++)
        at[i * PAGE] = (char)i;
}

static void make_file(void)
{
    static const char text[10] = "text";

    fd = open(TMP, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK_OK(fd);
    CHECK_OK(ftruncate(fd, PAGES * PAGE));
    CHECK_EQ(write(fd, text, sizeof(text)), sizeof(text));
}

static void unmap_result(void)
{
    CHECK_OK(munmap((char *)row_result, PAGES * PAGE));
}

static void unmap_all(void)
{
    CHECK_OK(munmap(at, PAGES * PAGE));
}

static void remove_file(void)
{
    CHECK_OK(close(fd));
    CHECK_OK(unlink(TMP));
}

static void unmap_and_remove(void)
{
    unmap_all();
    remove_file();
}

/* Each page is what it was, and writable. */
static void pages_are_whole(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(at[i * PAGE], (char)i);
        at[i * PAGE] = (char)i;
    }
}

static void whole_unmap(void)
{
    pages_are_whole();
    unmap_all();
}

/* ---- mmap */

static void map_private(struct fail_step *call)
{
    CALL(mmap, 0, PAGES * PAGE, RW, ANON, -1);
}

static void map_shared(struct fail_step *call)
{
    CALL(mmap, 0, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void map_populated(struct fail_step *call)
{
    CALL(mmap, 0, PAGES * PAGE, RW, ANON | MAP_POPULATE, -1);
}

static void map_file_shared(struct fail_step *call)
{
    make_file();
    CALL(mmap, 0, PAGES * PAGE, RW, MAP_SHARED, fd);
}

static void map_file_private(struct fail_step *call)
{
    make_file();
    CALL(mmap, 0, PAGES * PAGE, RW, MAP_PRIVATE, fd);
}

static void map_over(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mmap, (long)at + 2 * (long)PAGE, 3 * PAGE, RW, ANON | MAP_FIXED, -1);
}

static void map_file_over(struct fail_step *call)
{
    map_touched(ANON);
    make_file();
    CALL(mmap, (long)at + 2 * (long)PAGE, 3 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd);
}

static void map_shared_over(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mmap, (long)at + 2 * (long)PAGE, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1);
}

/* ---- munmap, mprotect, mremap, brk, advice */

static void unmap_middle(struct fail_step *call)
{
    map_touched(ANON);
    CALL(munmap, (long)at + 2 * (long)PAGE, PAGE);
}

static void unmap_whole(struct fail_step *call)
{
    map_touched(ANON);
    CALL(munmap, (long)at, PAGES * PAGE);
}

static void protect_middle(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mprotect, (long)at + 2 * (long)PAGE, 3 * PAGE, PROT_READ);
}

static void protect_several(struct fail_step *call)
{
    map_touched(ANON);
    CHECK_OK(mprotect(at + 4 * PAGE, PAGE, PROT_READ));
    CALL(mprotect, (long)at + 2 * (long)PAGE, 5 * PAGE, PROT_NONE);
}

static void protect_shared(struct fail_step *call)
{
    map_touched(MAP_SHARED | MAP_ANONYMOUS);
    CALL(mprotect, (long)at + 2 * (long)PAGE, 3 * PAGE, PROT_READ);
}

static void move_to(struct fail_step *call, int flags)
{
    map_touched(flags);
    CALL(mremap, (long)at, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR);
}

static void move_far(struct fail_step *call)
{
    move_to(call, ANON);
}

static void move_shared_far(struct fail_step *call)
{
    move_to(call, MAP_SHARED | MAP_ANONYMOUS);
}

static void moved(void)
{
    CHECK(mremap((char *)FAR, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at,
          "mremap: %s", strerror(errno));
}

static void move_middle(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mremap, (long)at + 3 * (long)PAGE, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR);
}

static void moved_middle(void)
{
    CHECK(mremap((char *)FAR, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 3 * PAGE) ==
              at + 3 * PAGE,
          "mremap: %s", strerror(errno));
}

/* Onto something that is there, cut out of its middle, and smaller than it was. */
static void move_onto(struct fail_step *call)
{
    map_touched(ANON);
    CHECK(mmap((char *)FAR, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0) == (char *)FAR, "mmap");
    CALL(mremap, (long)at + 3 * (long)PAGE, 3 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
         FAR + 3 * (long)PAGE);
}

static void unmap_both(void)
{
    CHECK_OK(munmap((char *)FAR, PAGES * PAGE));
    unmap_all();
}

static void shrink(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mremap, (long)at, PAGES * PAGE, 4 * PAGE, 0);
}

static void shrink_middle(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mremap, (long)at + 2 * (long)PAGE, 4 * PAGE, PAGE, 0);
}

static void grow_elsewhere(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mremap, (long)at + 2 * (long)PAGE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
}

static void grown(void)
{
    CHECK_OK(munmap((char *)row_result, 8 * PAGE));
}

static void heap_grow(struct fail_step *call)
{
    long end = syscall(SYS_brk, 0);

    CALL(brk, end + 5 * (long)PAGE);
}

static void advise(struct fail_step *call)
{
    map_touched(MAP_SHARED | MAP_ANONYMOUS);
    CALL(madvise, (long)at, PAGES * PAGE, MADV_DONTNEED);
}

static void bring_in(struct fail_step *call)
{
    map(ANON, -1);
    at[0] = 1;
    CALL(madvise, (long)at + PAGE, 3 * PAGE, MADV_WILLNEED);
}

static void lock(struct fail_step *call)
{
    map(ANON, -1);
    at[0] = 1;
    CALL(mlock, (long)at, 1 * PAGE);
}

static void lock_absent(struct fail_step *call)
{
    map(ANON, -1);
    at[0] = 1;
    CALL(mlock, (long)at + PAGE, PAGE);
}

static void look(struct fail_step *call)
{
    map_touched(ANON);
    CALL(mincore, (long)at, PAGES * PAGE, (long)residence);
}

static void sync_file(struct fail_step *call)
{
    make_file();
    map(MAP_SHARED, fd);
    at[PAGE] = 1;
    CALL(msync, (long)at, PAGES * PAGE, MS_SYNC);
}

/* ---- Faults */

static void anon_far(struct fail_step *call)
{
    at = mmap((char *)FAR, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    TOUCH(WRITE, at);
}

static void anon_near(struct fail_step *call)
{
    map(ANON, -1);
    at[0] = 1;
    TOUCH(READ, at + PAGE);
}

static void shared_far(struct fail_step *call)
{
    at = mmap((char *)FAR2, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    TOUCH(WRITE, at + PAGE);
}

static void file_shared(struct fail_step *call)
{
    make_file();
    map(MAP_SHARED, fd);
    at[0] = 1;
    TOUCH(WRITE, at + 2 * PAGE);
}

static void file_private_read(struct fail_step *call)
{
    make_file();
    map(MAP_PRIVATE, fd);
    at[0] = 1;
    TOUCH(READ, at + 2 * PAGE);
}

/* The page in the cache, and then the copy of it. */
static void file_private_write(struct fail_step *call)
{
    make_file();
    map(MAP_PRIVATE, fd);
    at[0] = 1;
    CHECK_EQ(pwrite(fd, "x", 1, 2 * PAGE), 1);
    TOUCH(WRITE, at + 2 * PAGE);
}

static void file_copy_of_mapped(struct fail_step *call)
{
    make_file();
    map(MAP_PRIVATE, fd);
    at[0] = 1;
    CHECK_EQ(((volatile char *)at)[2 * PAGE], 0);
    TOUCH(WRITE, at + 2 * PAGE);
}

static pid_t sharer;
static struct gate hold;

static void share_pages(void *arg)
{
    (void)arg;
    gate_pass(&hold);
}

/* Another process has the pages too: the first write copies. */
static void copy_on_write(struct fail_step *call)
{
    map_touched(ANON);
    hold = gate_make();
    sharer = child_start(share_pages, NULL);
    WAIT_UNTIL(process_sleeps(sharer), "the other process does not wait");
    TOUCH(WRITE, at + 3 * PAGE);
}

static void sharer_ends(void)
{
    gate_open(&hold, 1);
    CHILD_EXITS(sharer, 0);
    close(hold.fd[0]);
    close(hold.fd[1]);
    whole_unmap();
}

static void stack_grows(struct fail_step *call)
{
    char here;

    TOUCH(WRITE, &here - 700 * 1024);
}

#define FAULT .errors = {EFAULT}

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
    ROW("mprotect, the middle", protect_middle, NULL, unmap_all),
    ROW("mprotect, several", protect_several, NULL, unmap_all),
    ROW("mprotect of shared memory", protect_shared, NULL, unmap_all),
    ROW("mremap, far away", move_far, moved, whole_unmap),
    ROW("mremap of shared memory", move_shared_far, moved, whole_unmap),
    ROW("mremap, the middle", move_middle, moved_middle, whole_unmap),
    ROW("mremap onto memory", move_onto, NULL, unmap_both, .flags = ROW_TABLES),
    ROW("mremap, smaller", shrink, NULL, unmap_all),
    ROW("mremap, the middle smaller", shrink_middle, NULL, unmap_all),
    ROW("mremap, larger and elsewhere", grow_elsewhere, grown, unmap_all),
    ROW("brk", heap_grow, NULL, NULL, .flags = ROW_FRESH | ROW_SURVIVES),
    ROW("madvise, MADV_DONTNEED", advise, NULL, unmap_all, NONE),
    ROW("madvise, MADV_WILLNEED", bring_in, NULL, unmap_all, NONE),
    ROW("mlock", lock, NULL, unmap_all, NONE),
    ROW("mlock of what is absent", lock_absent, NULL, unmap_all, .errors = {EAGAIN, ENOMEM}),
    ROW("mincore", look, NULL, unmap_all, NONE),
    ROW("msync", sync_file, NULL, unmap_and_remove, NONE),
};

static const struct fail_row faults[] = {
    ROW("fault: anonymous, tables of all levels", anon_far, NULL, unmap_all, FAULT,
        .flags = ROW_TABLES),
    ROW("fault: anonymous, read", anon_near, NULL, unmap_all, FAULT),
    ROW("fault: shared, tables of all levels", shared_far, NULL, unmap_all, FAULT,
        .flags = ROW_TABLES),
    ROW("fault: file, shared", file_shared, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, read", file_private_read, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, write", file_private_write, NULL, unmap_and_remove, FAULT),
    ROW("fault: file, private, copy", file_copy_of_mapped, NULL, unmap_and_remove, FAULT),
    ROW("fault: copy on write", copy_on_write, NULL, sharer_ends, FAULT),
    ROW("fault: the stack", stack_grows, NULL, NULL, FAULT, .flags = ROW_FRESH),
};

int main(void)
{
    ROWS(maps);
    ROWS(faults);
    return check_done();
}
