#define _GNU_SOURCE
#include "unit.h"

#include <limits.h>
#include <string.h>

#include <abi/region.h>
#include <lib/err.h>

static void test_is_error(void **state)
{
    assert_false(is_error(0));
    assert_false(is_error(1));
    assert_false(is_error(LONG_MAX));
    assert_false(is_error(LONG_MIN));
    assert_false(is_error(-4096));
    assert_true(is_error(-4095));
    assert_true(is_error(-1));
}

static void test_names(void **state)
{
    assert_string_equal(err_name(0), "OK");
    assert_string_equal(err_name(ENOENT), "ENOENT");
    assert_string_equal(err_name(-ENOENT), "ENOENT");
    assert_string_equal(err_name(-ERFKILL), "ERFKILL");
    assert_string_equal(err_name(-EAGAIN), "EAGAIN");
    assert_string_equal(err_name(41), "E?");
    assert_string_equal(err_name(133), "E?");
    assert_string_equal(err_name(INT_MAX), "E?");
    assert_string_equal(err_name(INT_MIN), "E?");
}

/* The region calls' names are the same numbers. */
static void test_region_errors(void **state)
{
    static const struct {
        err_t err;
        const char *name;
    } cases[] = {
        {ERR_OK, "OK"},
        {ERR_NOTEXIST, "ENOENT"},
        {ERR_INTR, "EINTR"},
        {ERR_NOMEM, "ENOMEM"},
        {ERR_ACCESS, "EACCES"},
        {ERR_FAULT, "EFAULT"},
        {ERR_BUSY, "EBUSY"},
        {ERR_EXIST, "EEXIST"},
        {ERR_INVAL, "EINVAL"},
        {ERR_DEADLOCK, "EDEADLK"},
        {ERR_TIMEOUT, "ETIMEDOUT"},
        {ERR_OWNERDEAD, "EOWNERDEAD"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(err_name(cases[i].err), cases[i].name);
}

/* Against the host, where it runs on the same ABI. */
static void test_like_the_host(void **state)
{
    for (int err = 1; err <= 132; err++) {
        const char *host = strerrorname_np(err);
        if (host)
            assert_string_equal(err_name(err), host);
        else
            assert_string_equal(err_name(err), "E?");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_error),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_region_errors),
        cmocka_unit_test(test_like_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
