#include "host_support.h"
#include "unit.h"

#include <string.h>

#include <arch/cpu.h>
#include <kernel/base/lockrank.h>
#include <kernel/base/spinlock.h>

static int mutex_a, mutex_b; /* any address is a lock here */

static void test_good_orders(void **state)
{
    lock_rank_acquire(&mutex_a, "a", RANK_VNODE, 1);
    lock_rank_acquire(&mutex_b, "b", RANK_ADDRSPACE, 2);
    assert_true(lock_rank_held(RANK_VNODE));
    assert_false(lock_rank_held(RANK_RMAP));
    lock_rank_release(&mutex_a); /* in any order */
    assert_false(lock_rank_held(RANK_VNODE));
    lock_rank_acquire_nested(&mutex_a, "parent's child", RANK_ADDRSPACE, 3);
    lock_rank_release(&mutex_b);
    lock_rank_release(&mutex_a);
    assert_no_locks("the test");
    assert_may_sleep("the test");
}

/* Pairs of ranks: a greater one is allowed, any other panics and names both. */
struct pair {
    enum lock_rank first, second;
    bool nested, same_lock;
};

static void take_pair(void *arg)
{
    const struct pair *pair = arg;
    lock_rank_acquire(&mutex_a, "first", pair->first, 0x1111);
    const void *second = pair->same_lock ? &mutex_a : &mutex_b;
    if (pair->nested)
        lock_rank_acquire_nested(second, "second", pair->second, 0x2222);
    else
        lock_rank_acquire(second, "second", pair->second, 0x2222);
}

static void test_pairs(void **state)
{
    static const enum lock_rank ranks[] = {RANK_FS_TREE, RANK_ADDRSPACE, RANK_CTABLE, RANK_MEMSTORE,
                                           RANK_CONSOLE};
    for (size_t i = 0; i < ARRAY_LEN(ranks); i++)
        for (size_t j = 0; j < ARRAY_LEN(ranks); j++)
            for (int nested = 0; nested < 2; nested++) {
                struct pair pair = {.first = ranks[i], .second = ranks[j], .nested = nested};
                if (ranks[j] > ranks[i] || (nested && i == j))
                    assert_int_equal(host_run_forked(take_pair, &pair), 0);
                else
                    host_expect_panic(take_pair, &pair, "lock order: takes \"second\"");
            }
    struct pair reverse = {.first = RANK_MEMSTORE, .second = RANK_CTABLE};
    host_expect_panic(take_pair, &reverse, "lock order");
    assert_non_null(strstr(host_console(), "\"first\""));
    assert_non_null(strstr(host_console(), "0x1111"));
    assert_non_null(strstr(host_console(), "0x2222"));
    struct pair again = {RANK_ADDRSPACE, RANK_ADDRSPACE, true, true};
    host_expect_panic(take_pair, &again, "lock order");
}

static void release_unheld(void *arg)
{
    lock_rank_release(&mutex_a);
}

static void sleep_with_spin(void *arg)
{
    lock_rank_acquire(&mutex_a, "spin", RANK_PMEM, 0);
    assert_may_sleep("sleeper");
}

static void sleep_with_irq_off(void *arg)
{
    arch_irq_disable();
    assert_may_sleep("sleeper");
}

static void return_with_lock(void *arg)
{
    lock_rank_acquire(&mutex_a, "kept", RANK_VNODE, 0);
    assert_may_sleep("a mutex may be held");
    assert_no_locks("return to user");
}

static void take_too_many(void *arg)
{
    static int locks[LOCKS_HELD_MAX + 1];
    for (int i = 0; i <= LOCKS_HELD_MAX; i++)
        lock_rank_acquire_nested(&locks[i], "many", RANK_ADDRSPACE, 0);
}

static void test_panics(void **state)
{
    host_expect_panic(release_unheld, NULL, "does not hold it");
    host_expect_panic(sleep_with_spin, NULL, "sleeper: may sleep, but spin lock \"spin\" is held");
    host_expect_panic(sleep_with_irq_off, NULL, "sleeper: may sleep, but interrupts are off");
    host_expect_panic(return_with_lock, NULL, "return to user: lock \"kept\" is still held");
    host_expect_panic(take_too_many, NULL, "taking \"many\"");
}

/* The locks are the thread's: they go when another thread's stack is switched in, and come back
 * with it. */
static void test_switch(void **state)
{
    struct lock_stack one = {0}, two = {0};
    lock_rank_switch(&one);
    lock_rank_acquire(&mutex_a, "a", RANK_ADDRSPACE, 0);
    lock_rank_switch(&two);
    assert_false(lock_rank_held(RANK_ADDRSPACE));
    lock_rank_acquire(&mutex_b, "b", RANK_VNODE, 0);
    lock_rank_switch(&one);
    assert_true(lock_rank_held(RANK_ADDRSPACE));
    assert_int_equal(one.depth, 1);
    assert_int_equal(two.depth, 1);
    lock_rank_release(&mutex_a);
    lock_rank_switch(NULL);
    assert_no_locks("the boot stack");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_orders),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_panics),
        cmocka_unit_test(test_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
