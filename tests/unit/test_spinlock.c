#include "host_support.h"
#include "unit.h"

#include <kernel/base/printk.h>
#include <kernel/base/spinlock.h>

#define CPUS   4
#define ROUNDS 20000

static struct spinlock lock = SPINLOCK_INIT("counter", RANK_TIMER);
static unsigned long counter; /* lock */

static void test_interrupts(void **state)
{
    assert_true(arch_irq_enabled());
    spin_lock(&lock);
    assert_false(arch_irq_enabled());
    assert_true(spin_is_locked(&lock));
    struct spinlock inner;
    spin_init(&inner, "inner", RANK_CONSOLE);
    spin_lock(&inner);
    spin_unlock(&inner);
    assert_false(arch_irq_enabled()); /* as they were before the inner one */
    spin_unlock(&lock);
    assert_true(arch_irq_enabled());
    assert_false(spin_is_locked(&lock));
}

static void test_keep_irq_off(void **state)
{
    spin_lock(&lock);
    assert_true(spin_unlock_keep_irq_off(&lock));
    assert_false(arch_irq_enabled());
    assert_false(spin_is_locked(&lock));
    spin_lock(&lock);
    assert_false(spin_unlock_keep_irq_off(&lock));
    arch_irq_enable();
}

static void count(unsigned cpu)
{
    for (int i = 0; i < ROUNDS; i++) {
        spin_lock(&lock);
        counter++;
        spin_unlock(&lock);
    }
}

static void test_counting(void **state)
{
    counter = 0;
    host_run_cpus(CPUS, count);
    assert_int_equal(counter, CPUS * ROUNDS);
}

#define ANOTHER 3u /* a CPU, plus one */

static unsigned waits;

static void count_waits(void)
{
    waits++;
}

/* Takes the lock while another CPU has claimed it, and `meanwhile` is what that one does. */
static void take_claimed(void (*meanwhile)(void))
{
    waits = 0;
    lock.claimed_by = ANOTHER;
    host_while_waiting = meanwhile;
    spin_lock(&lock);
    host_while_waiting = NULL;
    assert_int_equal(lock.claimed_by, 0);
    spin_unlock(&lock);
    assert_false(spin_is_locked(&lock));
}

/* A CPU that does not run, as virtual ones do not at times, loses the turn that it has claimed. */
static void test_turn_lost(void **state)
{
    take_claimed(count_waits);
    assert_in_range(waits, 2, 1000);
}

static void take_turn(void)
{
    waits++;
    if (waits == 2) {
        assert_false(spin_is_locked(&lock)); /* free, and left to it */
        lock.taken = 1;
        lock.claimed_by = 0;
    } else if (waits == 4) {
        assert_in_range(lock.claimed_by, 1, UINT8_MAX); /* by who waits now */
        lock.taken = 0;
    }
}

/* A free lock is left to who has claimed it: so one that lets go and comes back at once lets others
 * in. */
static void test_turn_taken(void **state)
{
    take_claimed(take_turn);
    assert_int_equal(waits, 4);
}

static void take_twice(void *arg)
{
    spin_lock(&lock);
    spin_lock(&lock);
}

static void unlock_unheld(void *arg)
{
    spin_unlock(&lock);
}

static void test_misuse(void **state)
{
    host_expect_panic(take_twice, NULL, "takes \"counter\"");
    host_expect_panic(unlock_unheld, NULL, "does not hold it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupts), cmocka_unit_test(test_keep_irq_off),
        cmocka_unit_test(test_counting),   cmocka_unit_test(test_turn_lost),
        cmocka_unit_test(test_turn_taken), cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
