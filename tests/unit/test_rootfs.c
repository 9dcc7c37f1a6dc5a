/* The initramfs as the root: good archives, damaged ones, hostile ones, and too little memory. */
#include "fs_support.h"
#include "host_support.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static char image[65536];
static size_t image_bytes;

static void put(const void *data, size_t n)
{
    if (n > 0)
        memcpy(image + image_bytes, data, n);
    image_bytes += n;
    while (image_bytes % 4 != 0)
        image[image_bytes++] = 0;
}

static void add_linked(const char *name, unsigned mode, const char *data, size_t n, unsigned ino,
                       unsigned nlink)
{
    char head[512];
    int len = snprintf(head, sizeof(head),
                       "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", ino, mode,
                       3, 4, nlink, 77, n, 0, 0, 0, 0, strlen(name) + 1, 0, name);
    put(head, (size_t)len + 1);
    put(data, n);
}

static void add(const char *name, unsigned mode, const char *data)
{
    add_linked(name, mode, data, data != NULL ? strlen(data) : 0, 1, 1);
}

static void end(void)
{
    add_linked("TRAILER!!!", 0, NULL, 0, 0, 1);
}

static int setup(void **state)
{
    image_bytes = 0;
    host_console_clear();
    return 0;
}

static void must_contain(const char *path, const char *text)
{
    char buf[256] = {0};
    long fd = SYS(open, ARG(path), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(SYS(read, fd, ARG(buf), sizeof(buf) - 1), strlen(text));
    assert_string_equal(buf, text);
    MUST(SYS(close, fd));
}

static void add_good(void)
{
    add(".", S_IFDIR | 0711, NULL);
    add("bin", S_IFDIR | 0750, NULL);
    add("bin/init", S_IFREG | 04755, "program");
    add("no/parent/here", S_IFREG | 0600, "text");
    add("no", S_IFDIR | 0700, NULL);
    add("link", S_IFLNK | 0777, "no/parent/here");
    add("dev", S_IFDIR | 0700, NULL);
    add("dev/console", S_IFCHR | 0600, NULL);
    add("proc", S_IFDIR | 0700, NULL);
    add_linked("one", S_IFREG | 0600, NULL, 0, 9, 2);
    add_linked("bin/two", S_IFREG | 0600, "both", 4, 9, 2);
    end();
}

static void good_archive(void **state)
{
    struct linux_stat st;
    static char before[sizeof(image)];
    add_good();
    memcpy(before, image, sizeof(image));
    MUST(fs_begin(image, image_bytes));
    must_contain("/bin/init", "program");
    must_contain("/link", "text");
    must_contain("/one", "both");
    MUST(SYS(stat, ARG("/one"), ARG(&st)));
    assert_int_equal(st.st_nlink, 2);
    MUST(SYS(stat, ARG("/bin/init"), ARG(&st)));
    assert_int_equal(st.st_mode, S_IFREG | 04755);
    assert_int_equal(st.st_uid, 3);
    assert_int_equal(st.st_mtim.sec, 77);
    MUST(SYS(stat, ARG("/no"), ARG(&st)));
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    MUST(SYS(stat, ARG("/"), ARG(&st)));
    assert_int_equal(st.st_mode, S_IFDIR | 0711);
    MUST(SYS(stat, ARG("/dev/console"), ARG(&st)));
    assert_int_equal(st.st_rdev, DEV_OF(5, 1));
    MUST(SYS(stat, ARG("/proc/meminfo"), ARG(&st)));
    MUST(SYS(stat, ARG("/tmp"), ARG(&st)));
    assert_int_equal(st.st_mode, S_IFDIR | 01777);
    /* Writing does not touch the archive; what was cut off does not come back from it. */
    long fd = SYS(open, ARG("/bin/init"), O_RDWR);
    assert_int_equal(SYS(write, fd, ARG("PRO"), 3), 3);
    MUST(SYS(ftruncate, fd, 5));
    MUST(SYS(ftruncate, fd, 7));
    char buf[8];
    assert_int_equal(SYS(pread64, fd, ARG(buf), 8, 0), 7);
    assert_memory_equal(buf, "PROgr\0\0", 7);
    assert_memory_equal(image, before, image_bytes);
    fs_end();
}

static void must_refuse(const char *why)
{
    host_console_clear();
    FAILS(EINVAL, fs_begin(image, image_bytes));
    assert_non_null(strstr(host_console(), why));
    assert_non_null(strstr(host_console(), "offset "));
}

static void hostile_archives(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
        const char *data, *why;
    } cases[] = {
        {"a/../../b", S_IFREG | 0644, "x", "'..'"},
        {"..", S_IFDIR | 0755, NULL, "'..'"},
        {"a/./b", S_IFREG | 0644, "x", "'.'"},
        {"f/g", S_IFREG | 0644, "x", "directory should be"},
        {"f", S_IFREG | 0644, "x", "twice"},
        {"f", S_IFDIR | 0755, NULL, "twice"},
        {"d", S_IFREG | 0644, "x", "twice"},
        {"x", 0644, "x", "type"},
        {"x", 0170000 | 0644, "x", "type"},
        {"x", S_IFLNK | 0777, "", "target"},
        {"", S_IFREG | 0644, "x", ""},
        {"proc/self", S_IFREG | 0644, "x", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        image_bytes = 0;
        add("f", S_IFREG | 0600, "f");
        add("d", S_IFDIR | 0700, NULL);
        add(cases[i].name, cases[i].mode, cases[i].data);
        end();
        if (cases[i].why != NULL)
            must_refuse(cases[i].why);
        else
            FAILS(ENOTEMPTY, fs_begin(image, image_bytes));
    }
    image_bytes = 0;
    char name[300];
    memset(name, 'a', sizeof(name));
    name[299] = '\0';
    add(name, S_IFREG | 0644, "x");
    end();
    must_refuse("too long");
}

/* Cut at every byte, and with every byte changed: mounts or refuses, and nothing is lost. */
static void damaged_archives(void **state)
{
    static char copy[sizeof(image)];
    uint64_t random = 5;
    add_good();
    memcpy(copy, image, sizeof(image));
    size_t whole_bytes = image_bytes;
    for (size_t n = 0; n + 4 < whole_bytes; n += 3)
        FAILS(EINVAL, fs_begin(image, n));
    for (int i = 0; i < 3000; i++) {
        memcpy(image, copy, whole_bytes);
        for (size_t k = random_below(&random, 3) + 1; k > 0; k--)
            image[random_below(&random, whole_bytes)] =
                "0123456789abcdef/.\0x\xff"[random_below(&random, 21)];
        host_console_clear();
        if (fs_begin(image, whole_bytes) == 0)
            fs_end();
    }
}

static void failing_allocations(void **state)
{
    add_good();
    for (unsigned n = 1;; n++) {
        fs_fail_nth(n);
        host_console_clear();
        err_t err = fs_begin(image, image_bytes);
        fs_fail_nth(0);
        if (err == 0)
            break;
        assert_int_equal(err, -ENOMEM);
    }
    fs_end();
}

/* Deep and wide trees go without recursion. */
static void deep_tree(void **state)
{
    MUST(fs_begin(NULL, 0));
    for (int i = 0; i < 2000; i++) {
        MUST(SYS(mkdir, ARG("dir"), 0755));
        MUST(SYS(chdir, ARG("dir")));
    }
    char buf[5000];
    FAILS(ERANGE, SYS(getcwd, ARG(buf), sizeof(buf)));
    fs_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_archive, setup),
        cmocka_unit_test_setup(hostile_archives, setup),
        cmocka_unit_test_setup(damaged_archives, setup),
        cmocka_unit_test_setup(failing_allocations, setup),
        cmocka_unit_test_setup(deep_tree, setup),
    };
    return cmocka_run_group_tests(tests, fs_group_setup, NULL);
}
