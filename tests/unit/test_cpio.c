#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <lib/cpio.h>

struct member {
    const char *name;
    uint32_t mode;
    const char *data;
};

static const struct member members[] = {
    {".", 0040755, ""},          {"./bin", 0040755, ""},    {"./bin/init", 0100755, "#!program"},
    {"/etc/empty", 0100644, ""}, {"a", 0100600, "1"},       {"bb", 0100600, "12"},
    {"ccc", 0100600, "123"},     {"dddd", 0100600, "1234"},
};
static const char *const names[] = {"", "bin", "bin/init", "etc/empty", "a", "bb", "ccc", "dddd"};

static char archive[4096];
static size_t archive_bytes;

static void append(const void *data, size_t n)
{
    assert_true(archive_bytes + n <= sizeof(archive));
    memcpy(archive + archive_bytes, data, n);
    archive_bytes += n;
}

static void append_padding(void)
{
    while (archive_bytes % 4)
        append("", 1);
}

static void append_member(unsigned ino, const struct member *m, const char *magic)
{
    char header[128];
    int n =
        snprintf(header, sizeof(header), "%s%08x%08x%08x%08x%08x%08X%08x%08x%08x%08x%08x%08zx%08x",
                 magic, ino, m->mode, 10 + ino, 20 + ino, 1, 0xabcdef, (unsigned)strlen(m->data), 0,
                 0, 0, 0, strlen(m->name) + 1, 0);
    assert_int_equal(n, 110);
    append(header, (size_t)n);
    append(m->name, strlen(m->name) + 1);
    append_padding();
    append(m->data, strlen(m->data));
    append_padding();
}

static int setup(void **state)
{
    archive_bytes = 0;
    for (unsigned i = 0; i < ARRAY_LEN(members); i++)
        append_member(i, &members[i], i % 2 ? "070702" : "070701");
    append_member(0, &(struct member){"TRAILER!!!", 0, ""}, "070701");
    return 0;
}

static void test_whole(void **state)
{
    struct cpio_iter it;
    struct cpio_entry entry;
    cpio_begin(&it, archive, archive_bytes);
    for (unsigned i = 0; i < ARRAY_LEN(members); i++) {
        assert_int_equal(cpio_next(&it, &entry), 1);
        assert_string_equal(entry.name, names[i]);
        assert_true(entry.name > archive && entry.name < (const char *)entry.data);
        assert_int_equal(entry.mode, members[i].mode);
        assert_int_equal(entry.size_bytes, strlen(members[i].data));
        assert_memory_equal(entry.data, members[i].data, entry.size_bytes);
        assert_int_equal(entry.ino, i);
        assert_int_equal(entry.uid, 10 + i);
        assert_int_equal(entry.gid, 20 + i);
        assert_int_equal(entry.nlink, 1);
        assert_int_equal(entry.mtime_s, 0xabcdef);
    }
    assert_int_equal(cpio_next(&it, &entry), 0);
    assert_int_equal(cpio_next(&it, &entry), 0);
}

static volatile unsigned sum; /* keeps the reads */

/* Reads to the end; every byte of every entry is touched.  The last result. */
static int read_all(const char *image, size_t n, unsigned *entries)
{
    struct cpio_iter it;
    struct cpio_entry entry;
    int result;
    cpio_begin(&it, image, n);
    for (*entries = 0; (result = cpio_next(&it, &entry)) == 1; ++*entries) {
        for (size_t i = 0; i < entry.size_bytes; i++)
            sum += ((const unsigned char *)entry.data)[i];
        assert_true(strlen(entry.name) < n);
        assert_true(it.offset <= n);
    }
    return result;
}

/* Cut at every length, in a block of exactly that size: damaged, with the members before the cut
 * intact. */
static void test_cut(void **state)
{
    size_t trailer_end = archive_bytes;
    while (archive[trailer_end - 1] == '\0')
        trailer_end--;
    unsigned last = 0;
    for (size_t n = 0; n <= archive_bytes; n++) {
        char *copy = malloc(n);
        memcpy(copy, archive, n);
        unsigned entries;
        assert_int_equal(read_all(copy, n, &entries), n > trailer_end ? 0 : -EINVAL);
        assert_true(entries >= last);
        last = entries;
        free(copy);
    }
    assert_int_equal(last, ARRAY_LEN(members));
}

/* Every byte changed in some ways: any result, but never a byte outside of the archive. */
static void test_damaged(void **state)
{
    static const char values[] = {0, '0', 'f', 'F', 'g', '/', '.', (char)0xff};
    char *copy = malloc(archive_bytes);
    for (size_t i = 0; i < archive_bytes; i++)
        for (size_t v = 0; v < sizeof(values); v++) {
            memcpy(copy, archive, archive_bytes);
            copy[i] = values[v];
            unsigned entries;
            int result = read_all(copy, archive_bytes, &entries);
            assert_true(result == 0 || result == -EINVAL);
        }
    free(copy);
}

static void assert_first_damaged(void)
{
    unsigned entries;
    assert_int_equal(read_all(archive, archive_bytes, &entries), -EINVAL);
    assert_int_equal(entries, 0);
}

static void test_bad_fields(void **state)
{
    memcpy(archive, "070707", 6);
    assert_first_damaged();
    setup(state);
    memcpy(archive + 6 + 11 * 8, "00000000", 8); /* a name without even a NUL */
    assert_first_damaged();
    setup(state);
    memcpy(archive + 6 + 11 * 8, "ffffffff", 8);
    assert_first_damaged();
    setup(state);
    memcpy(archive + 6 + 6 * 8, "ffffffff", 8); /* the data's size */
    assert_first_damaged();
    setup(state);
    archive[111] = 'x'; /* the name's NUL */
    assert_first_damaged();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole, setup),
        cmocka_unit_test_setup(test_cut, setup),
        cmocka_unit_test_setup(test_damaged, setup),
        cmocka_unit_test_setup(test_bad_fields, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
