#include "host_support.h"
#include "unit.h"

#include <arch/cpu.h>
#include <kernel/phys/failpoint.h>

static void test_counts_down_once(void **state)
{
    struct failpoint fp = {.countdown = 3};
    assert_false(failpoint_hit()); /* no thread yet */
    failpoint_switch(&fp);
    assert_false(failpoint_hit());
    assert_false(failpoint_hit());
    assert_true(failpoint_hit());
    for (int i = 0; i < 5; i++)
        assert_false(failpoint_hit());
    failpoint_switch(NULL);
}

static void test_is_the_threads_own(void **state)
{
    struct failpoint one = {.countdown = 1}, two = {.countdown = 2};
    failpoint_switch(&one);
    host_cpu_self()->id = 1;
    failpoint_switch(&two);
    assert_false(failpoint_hit());
    host_cpu_self()->id = 0;
    assert_true(failpoint_hit());
    failpoint_switch(&two); /* the thread moves here */
    assert_true(failpoint_hit());
    failpoint_switch(NULL);
    assert_int_equal(one.countdown, 0);
    assert_int_equal(two.countdown, 0);
    assert_true(arch_irq_enabled());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_down_once),
        cmocka_unit_test(test_is_the_threads_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
