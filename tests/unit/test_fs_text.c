/* Files whose text is made at open. */
#include "fs_support.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include <kernel/fs/procfs.h>

#define LINE_BYTES 13
#define LONG_BYTES ((size_t)6 << 20) /* more than the largest block of memory */

static char back[20000];
static size_t text_lines;

static void print_lines(struct textbuf *b)
{
    for (size_t i = 0; i < text_lines; i++)
        textbuf_print(b, "%012zu\n", i);
}

static int group_setup(void **state)
{
    procfs_add("lines", print_lines);
    return fs_group_setup(state);
}

static long open_lines(size_t bytes)
{
    text_lines = bytes / LINE_BYTES;
    return SYS(open, ARG("/proc/lines"), O_RDONLY);
}

static void check_text(const char *got, size_t pos, size_t n)
{
    char line[32] = "";
    size_t printed = SIZE_MAX;

    for (size_t i = 0; i < n; i++, pos++) {
        if (pos / LINE_BYTES != printed) {
            printed = pos / LINE_BYTES;
            snprintf(line, sizeof line, "%012zu\n", printed);
        }
        if (got[i] != line[pos % LINE_BYTES])
            fail_msg("byte %zu of the text is %#x, not %#x", pos, got[i], line[pos % LINE_BYTES]);
    }
}

static void longer_than_any_block(void **state)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 9999, sizeof back};
    long fd = open_lines(LONG_BYTES);
    size_t pos = 0, bytes = text_lines * LINE_BYTES;
    long n;

    assert_true(fd >= 0);
    for (unsigned i = 0; (n = SYS(read, fd, ARG(back), sizes[i % ARRAY_LEN(sizes)])) > 0; i++) {
        assert_int_equal(n, MIN(sizes[i % ARRAY_LEN(sizes)], bytes - pos));
        check_text(back, pos, (size_t)n);
        pos += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(pos, bytes);
    assert_int_equal(SYS(pread64, fd, ARG(back), 100, bytes - 7), 7);
    check_text(back, bytes - 7, 7);
    assert_int_equal(SYS(pread64, fd, ARG(back), 100, bytes), 0);
    assert_int_equal(SYS(pread64, fd, ARG(back), 100, INT64_MAX), 0);
    assert_int_equal(SYS(close, fd), 0);
}

/* What was copied before a bad page counts. */
static void bad_memory(void **state)
{
    long fd = open_lines(LONG_BYTES);

    fs_set_bad_page(back + 5000);
    long n = SYS(read, fd, ARG(back), sizeof back);
    assert_in_range(n, PAGE_BYTES, 5000);
    check_text(back, 0, (size_t)n);
    assert_int_equal(SYS(read, fd, ARG(back + 5000), 1), -EFAULT);
    assert_int_equal(SYS(lseek, fd, 0, SEEK_CUR), n);
    struct linux_iovec iov[2] = {{ARG(back), 64}, {ARG(back + 5000), 64}};
    assert_int_equal(SYS(readv, fd, ARG(iov), 2), 64);
    check_text(back, (size_t)n, 64);
    assert_int_equal(SYS(lseek, fd, 0, SEEK_CUR), n + 64);
    assert_int_equal(SYS(close, fd), 0);
}

/* 70 pages need two levels of nodes. */
static void every_allocation_fails(void **state)
{
    unsigned failed = 0;

    for (unsigned n = 1;; n++) {
        fs_fail_nth(n);
        long fd = open_lines(70 * PAGE_BYTES);
        if (!fs_fail_nth(0)) {
            assert_int_equal(SYS(close, fd), 0);
            break;
        }
        failed++;
        assert_int_equal(fd, -ENOMEM);
    }
    assert_true(failed > 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(longer_than_any_block, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(bad_memory, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(every_allocation_fails, fs_setup, fs_teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
