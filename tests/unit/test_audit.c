#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <kernel/base/audit.h>

static void test_same(void **state)
{
    struct audit boot = {0}, now = {0};
    host_console_clear();
    assert_int_equal(audit_compare(&boot, &now), 0);
    audit_add(&boot, "frames", 3);
    audit_add(&boot, "threads", 1);
    audit_add(&now, "threads", 1); /* in another order */
    audit_add(&now, "frames", 3);
    audit_add(&now, "late", 0); /* not seen at boot, and none now */
    assert_int_equal(audit_compare(&boot, &now), 0);
    assert_string_equal(host_console(), "");
}

static void test_differences(void **state)
{
    struct audit boot = {0}, now = {0};
    audit_add(&boot, "frames anonymous", 0);
    audit_add(&boot, "gone", 2);
    audit_add(&boot, "same", 7);
    audit_add(&now, "frames anonymous", 3);
    audit_add(&now, "same", 7);
    audit_add(&now, "late", 1);
    host_console_clear();
    assert_int_equal(audit_compare(&boot, &now), 3);
    assert_string_equal(host_console(), "audit: frames anonymous: 0 at boot, 3 now\r\n"
                                        "audit: gone: 2 at boot, 0 now\r\n"
                                        "audit: late: 0 at boot, 1 now\r\n");
}

static void overfill(void *arg)
{
    static struct audit audit;
    for (int i = 0; i <= AUDIT_MAX; i++)
        audit_add(&audit, "one too many", 0);
}

static void test_full(void **state)
{
    host_expect_panic(overfill, NULL, "no room for \"one too many\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
