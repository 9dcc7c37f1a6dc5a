#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <kernel/base/cmdline.h>

static void assert_init_args(const char *const *want, unsigned n)
{
    const char *const *argv;
    assert_int_equal(cmdline_init_args(&argv), n);
    for (unsigned i = 0; i < n; i++)
        assert_string_equal(argv[i], want[i]);
    assert_null(argv[n]);
}

static void test_options(void **state)
{
    cmdline_init("  quiet cpus=4   mem=0x10 bad=12k name= quietly=1 cpus=2 -- init");
    assert_string_equal(cmdline_get("quiet"), "");
    assert_string_equal(cmdline_get("cpus"), "2"); /* the last one */
    assert_string_equal(cmdline_get("name"), "");
    assert_null(cmdline_get("cpu"));
    assert_null(cmdline_get("init"));
    assert_null(cmdline_get("="));
    assert_int_equal(cmdline_u64("cpus", 9), 2);
    assert_int_equal(cmdline_u64("mem", 9), 16);
    assert_int_equal(cmdline_u64("absent", 9), 9);
    host_console_clear();
    assert_int_equal(cmdline_u64("bad", 9), 9);
    assert_non_null(strstr(host_console(), "bad=12k is not a number"));
    assert_int_equal(cmdline_u64("quiet", 9), 9);
}

static void test_lists(void **state)
{
    cmdline_init("trace=syscall,fault,,x none=");
    assert_true(cmdline_has("trace", "syscall"));
    assert_true(cmdline_has("trace", "fault"));
    assert_true(cmdline_has("trace", "x"));
    assert_false(cmdline_has("trace", "sys"));
    assert_false(cmdline_has("trace", "faults"));
    assert_false(cmdline_has("none", "x"));
    assert_false(cmdline_has("absent", "x"));
}

static void test_init_args(void **state)
{
    cmdline_init("a=1 -- /bin/test --flag a=1 --");
    assert_init_args((const char *[]){"/bin/test", "--flag", "a=1", "--"}, 4);
    cmdline_init("a=1");
    assert_init_args(NULL, 0);
    cmdline_init("");
    assert_init_args(NULL, 0);
    assert_null(cmdline_get("a"));
}

static void test_quotes(void **state)
{
    cmdline_init(
        "opt=\"a b\"c -- \"two words\" \"\" a\\ b \\\"q\\\" \"in \\\" quote\" \\\\ open\"ended x");
    assert_string_equal(cmdline_get("opt"), "a bc");
    assert_init_args(
        (const char *[]){"two words", "", "a b", "\"q\"", "in \" quote", "\\", "openended x"}, 7);
    cmdline_init("-- end\\");
    assert_init_args((const char *[]){"end\\"}, 1);
}

static void test_too_long(void **state)
{
    static char line[CMDLINE_BYTES + 100];
    memset(line, 'x', sizeof(line) - 1);
    host_console_clear();
    cmdline_init(line);
    assert_non_null(strstr(host_console(), "cut"));
    line[CMDLINE_BYTES - 1] = '\0';
    assert_string_equal(cmdline_get(line), "");

    memset(line, 0, sizeof(line));
    strcpy(line, "--");
    for (int i = 0; i < CMDLINE_ARGS_MAX + 2; i++)
        strcat(line, " w");
    host_console_clear();
    cmdline_init(line);
    const char *const *argv;
    assert_int_equal(cmdline_init_args(&argv), CMDLINE_ARGS_MAX);
    assert_null(argv[CMDLINE_ARGS_MAX]);
    assert_non_null(strstr(host_console(), "ignored"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_init_args), cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
