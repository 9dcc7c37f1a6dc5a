#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <arch/cpu.h>
#include <kernel/phys/failpoint.h>
#include <lib/util.h>

static void test_counts_down_once(void **state)
{
    struct failpoint fp = {.countdown = {[FAIL_ALLOC] = 3}};
    assert_false(failpoint_hit(FAIL_ALLOC)); /* no thread yet */
    failpoint_switch(&fp);
    assert_false(failpoint_hit(FAIL_ALLOC));
    assert_false(failpoint_hit(FAIL_ALLOC));
    assert_true(failpoint_hit(FAIL_ALLOC));
    for (int i = 0; i < 5; i++)
        assert_false(failpoint_hit(FAIL_ALLOC));
    failpoint_switch(NULL);
}

static void test_is_the_threads_own(void **state)
{
    struct failpoint one = {.countdown = {[FAIL_ALLOC] = 1}},
                     two = {.countdown = {[FAIL_ALLOC] = 2}};
    failpoint_switch(&one);
    host_cpu_self()->id = 1;
    failpoint_switch(&two);
    assert_false(failpoint_hit(FAIL_ALLOC));
    host_cpu_self()->id = 0;
    assert_true(failpoint_hit(FAIL_ALLOC));
    failpoint_switch(&two); /* the thread moves here */
    assert_true(failpoint_hit(FAIL_ALLOC));
    failpoint_switch(NULL);
    assert_int_equal(one.countdown[FAIL_ALLOC], 0);
    assert_int_equal(two.countdown[FAIL_ALLOC], 0);
    assert_true(arch_irq_enabled());
}

static void test_kinds_are_counted_apart(void **state)
{
    struct failpoint fp = {.countdown = {[FAIL_ALLOC] = 1, [FAIL_SLEEP] = 2, [FAIL_TIMEOUT] = 1}};
    failpoint_switch(&fp);
    assert_false(failpoint_hit(FAIL_SLEEP));
    assert_true(failpoint_hit(FAIL_ALLOC));
    assert_true(failpoint_hit(FAIL_SLEEP));
    assert_int_equal(fp.countdown[FAIL_TIMEOUT], 1);
    assert_true(failpoint_hit(FAIL_TIMEOUT));
    failpoint_switch(NULL);
}

static void test_the_machines_counts(void **state)
{
    struct failpoint fp = {.countdown = {[FAIL_ALLOC] = 2}};
    assert_int_equal(failpoint_set_machine("alloc:3,sleep:1"), 0);
    assert_false(failpoint_hit(FAIL_ALLOC));
    failpoint_switch(&fp);
    assert_false(failpoint_hit(FAIL_ALLOC));
    host_console_clear();
    assert_true(failpoint_hit(FAIL_ALLOC)); /* both at once, and each is over */
    assert_non_null(strstr(host_console(), "fail=alloc: fails here"));
    for (int i = 0; i < 5; i++)
        assert_false(failpoint_hit(FAIL_ALLOC));
    assert_false(failpoint_hit(FAIL_TIMEOUT));
    assert_true(failpoint_hit(FAIL_SLEEP));
    assert_false(failpoint_hit(FAIL_SLEEP));
    failpoint_switch(NULL);
}

static void test_options_with_mistakes(void **state)
{
    static const char *const wrong[] = {
        "",          "alloc",    "alloc:",   "alloc:0",          "alloc:x",  "alloc:1,",
        "alloc:1;2", "allocs:1", "alloc: 1", "alloc:4294967296", "memory:1", "alloc:1,sleep",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(failpoint_set_machine(wrong[i]), -EINVAL);
        assert_false(failpoint_hit(FAIL_ALLOC));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_down_once),        cmocka_unit_test(test_is_the_threads_own),
        cmocka_unit_test(test_kinds_are_counted_apart), cmocka_unit_test(test_the_machines_counts),
        cmocka_unit_test(test_options_with_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
