#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <abi/exit.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/refcount.h>
#include <kernel/base/spinlock.h>
#include <kernel/base/symtab.h>

/* What the build's second link would give. */
extern const uint32_t symtab_count;
extern const uint64_t symtab_addrs[];
extern const uint32_t symtab_name_offsets[];
extern const char symtab_names[];
const uint32_t symtab_count = 4;
const uint64_t symtab_addrs[] = {0x1000, 0x1010, 0x2000, 0x3000};
const uint32_t symtab_name_offsets[] = {0, 5, 10, 15};
const char symtab_names[] = "aaaa\0bbbb\0cccc\0";

static void test_symtab(void **state)
{
    static const struct {
        uintptr_t pc;
        const char *name;
        uintptr_t offset;
    } cases[] = {
        {0, NULL, 0},        {0xfff, NULL, 0},        {0x1000, "aaaa", 0}, {0x100f, "aaaa", 15},
        {0x1010, "bbbb", 0}, {0x1fff, "bbbb", 0xfef}, {0x2000, "cccc", 0}, {0x2fff, "cccc", 0xfff},
        {0x3000, NULL, 0},   {UINTPTR_MAX, NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uintptr_t offset = 0;
        const char *name = symtab_lookup(cases[i].pc, &offset);
        if (!cases[i].name) {
            assert_null(name);
            continue;
        }
        assert_non_null(name);
        assert_string_equal(name, cases[i].name);
        assert_int_equal(offset, cases[i].offset);
    }
    host_console_clear();
    symtab_print_pc(2, 0x1014);
    symtab_print_pc(3, 5);
    assert_string_equal(host_console(), "    #2 0x0000000000001014 bbbb+0x4\r\n"
                                        "    #3 0x0000000000000005\r\n");
}

static void test_printk(void **state)
{
    host_console_clear();
    printk("%d\n%s", 1, "two\nthree");
    console_write("a\nb\r\n", 5);
    assert_string_equal(host_console(), "1\r\ntwo\r\nthreea\r\nb\r\r\n");
    host_console_clear();
    char many[500]; /* more than is gathered at once */
    memset(many, '\n', sizeof(many));
    console_write(many, sizeof(many));
    assert_int_equal(strlen(host_console()), 1000);
}

static struct spinlock held = SPINLOCK_INIT("held one", RANK_PMEM);

static void panic_with_lock(void *arg)
{
    spin_lock(&held);
    panic("value %d", 42);
}

static void test_report(void **state)
{
    host_expect_panic(panic_with_lock, NULL, "panic: value 42\r\npanic: on CPU 0 of 1\r\n");
    assert_non_null(strstr(host_console(), "locks held: 1\r\n    \"held one\""));
}

/* A panic prints, although its own CPU holds the console lock (RANK_CONSOLE is the last rank: no
 * lock is above). */
static void format_and_panic(void *arg)
{
    struct spinlock *bad = arg;
    spin_lock(bad);
    printk("never printed\n");
}

static void test_panic_inside_the_console(void **state)
{
    struct spinlock bad = SPINLOCK_INIT("other console", RANK_CONSOLE);
    host_expect_panic(format_and_panic, &bad, "takes \"console\"");
    assert_null(strstr(host_console(), "never printed"));
}

static void fail_assert(void *arg)
{
    ASSERTF(*(int *)arg == 3, "it is %d", *(int *)arg);
}

static void test_assert(void **state)
{
    int value = 3;
    assert_int_equal(host_run_forked(fail_assert, &value), EXIT_CODE_OK);
    value = 4;
    host_expect_panic(fail_assert, &value, "assertion failed: *(int *)arg == 3: it is 4");
}

static void get_from_zero(void *arg)
{
    ref_get(arg);
}

static void put_below_zero(void *arg)
{
    ref_put(arg);
}

static void test_refcount(void **state)
{
    refcount_t ref;
    ref_init(&ref, 1);
    ref_get(&ref);
    assert_true(ref_get_unless_zero(&ref));
    assert_int_equal(ref_read(&ref), 3);
    assert_false(ref_put(&ref));
    assert_false(ref_put(&ref));
    assert_true(ref_put(&ref));
    assert_false(ref_get_unless_zero(&ref));
    host_expect_panic(get_from_zero, &ref, "assertion failed");
    host_expect_panic(put_below_zero, &ref, "assertion failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symtab), cmocka_unit_test(test_printk),
        cmocka_unit_test(test_report), cmocka_unit_test(test_panic_inside_the_console),
        cmocka_unit_test(test_assert), cmocka_unit_test(test_refcount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
