#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <kernel/base/stackdepth.h>

#define BYTES 16384

static _Alignas(16) char stack[BYTES];

/* A thread that used the upper `bytes` of the stack, and the lowest word. */
static void use(size_t bytes)
{
    stack_depth_start(stack, BYTES);
    memset(stack, 1, 8);
    memset(stack + BYTES - bytes, 2, bytes);
}

static void test_deepest(void **state)
{
    host_console_clear();
    stack_depth_print();
    assert_string_equal(host_console(), "");
    use(1000);
    stack_depth_end(stack, BYTES, "first");
    use(4000);
    stack_depth_end(stack, BYTES, "deepest");
    use(3000);
    stack_depth_end(stack, BYTES, "last");
    stack_depth_print();
    assert_string_equal(host_console(),
                        "deepest kernel stack: 4000 of 16384 bytes, thread deepest\r\n");
}

static void too_deep(void *arg)
{
    use(BYTES - 4096 + 8);
    stack_depth_end(stack, BYTES, "diver");
}

static void just_right(void *arg)
{
    use(BYTES - 4096);
    stack_depth_end(stack, BYTES, "swimmer");
}

static void test_too_deep(void **state)
{
    host_expect_panic(too_deep, NULL, "thread diver left only 4088 of 16384 bytes");
    assert_int_equal(host_run_forked(just_right, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deepest),
        cmocka_unit_test(test_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
