/* Each look for a signal in a call that takes long, with an answer as if one had come: -EINTR and
 * as before, or what was done by then. */
#include "failrow.h"

#define BIG (40 * PAGE)

static void *mapped;
static int fd;
static char big[BIG];

static void random_bytes(struct fail_step *call)
{
    CALL(getrandom, (long)big, PAGE);
}

static void whole_pieces(void)
{
    CHECK(row_result > 0 && row_result % 256 == 0, "%ld", row_result);
}

/* So few are always given, whatever signal there is. */
static void few_random_bytes(struct fail_step *call)
{
    CALL(getrandom, (long)big, 256);
}

static void some_bytes(void)
{
    CHECK(row_result > 0, "%ld", row_result);
}

static void open_file(const char *path)
{
    fd = open(path, O_CREAT | O_RDWR, 0600);
    CHECK_OK(fd);
}

static void read_zeros(struct fail_step *call)
{
    open_file("/dev/zero");
    CALL(read, fd, (long)big, BIG);
}

static void read_random(struct fail_step *call)
{
    open_file("/dev/urandom");
    CALL(read, fd, (long)big, BIG);
}

static void write_file(struct fail_step *call)
{
    open_file("/tmp/fail");
    CALL(write, fd, (long)big, BIG);
}

static void read_file(struct fail_step *call)
{
    open_file("/tmp/fail");
    CHECK_EQ(pwrite(fd, big, BIG, 0), BIG);
    CALL(read, fd, (long)big, BIG);
}

static void allocate_file(struct fail_step *call)
{
    open_file("/tmp/fail");
    CHECK_OK(ftruncate(fd, BIG));
    CALL(fallocate, fd, 0, 0, BIG);
}

static void close_file(void)
{
    close(fd);
    (void)unlink("/tmp/fail");
}

static void map_populated(struct fail_step *call)
{
    CALL(mmap, 0, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
}

static void unmap_big(void)
{
    memset((char *)row_result, 1, BIG);
    CHECK_OK(munmap((char *)row_result, BIG));
}

static void bring_in(struct fail_step *call)
{
    mapped = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(mapped, 1, BIG);
    CALL(mlock, (long)mapped, BIG);
}

#define ASKED 1000ul /* pages: more than it asks about at a time */

static void ask_what_is_there(struct fail_step *call)
{
    mapped = mmap(NULL, ASKED * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CALL(mincore, (long)mapped, ASKED * PAGE, (long)big);
}

static void unmap_asked(void)
{
    CHECK_OK(munmap(mapped, ASKED * PAGE));
}

static void unmap_mapped(void)
{
    CHECK_OK(munmap(mapped, BIG));
}

#define LOOK .kind = FAIL_SLEEP, .errors = {EINTR}, .flags = ROW_SURVIVES

static const struct fail_row looks[] = {
    ROW("getrandom", random_bytes, whole_pieces, NULL, .kind = FAIL_SLEEP, .flags = ROW_SURVIVES),
    ROW("getrandom, 256 bytes", few_random_bytes, whole_pieces, NULL, .kind = FAIL_SLEEP, NONE),
    ROW("read of /dev/zero", read_zeros, some_bytes, close_file, LOOK),
    ROW("read of /dev/urandom", read_random, some_bytes, close_file, LOOK),
    ROW("write of a file", write_file, some_bytes, close_file, LOOK),
    ROW("read of a file", read_file, some_bytes, close_file, LOOK),
    ROW("fallocate", allocate_file, NULL, close_file, LOOK),
    ROW("mmap, populated", map_populated, unmap_big, NULL, LOOK),
    ROW("mincore", ask_what_is_there, NULL, unmap_asked, LOOK),
    ROW("mlock", bring_in, NULL, unmap_mapped, LOOK),
};

int main(void)
{
    ROWS(looks);
    return check_done();
}
