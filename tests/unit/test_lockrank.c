#include "host_support.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/cpu.h>
#include <kernel/base/context.h>
#include <kernel/base/lockrank.h>
#include <kernel/base/spinlock.h>

static int mutex_a, mutex_b; /* any address is a lock here */

/* Spin locks are taken with interrupts off. */
__attribute__((noinline)) static void take(const void *lock, const char *name, enum lock_rank rank,
                                           bool nested)
{
    if (rank >= RANK_SPIN)
        arch_irq_disable();
    lock_rank_acquire(&(struct lock_taker){.lock = lock,
                                           .name = name,
                                           .rank = rank,
                                           .nested = nested,
                                           .frame = __builtin_frame_address(0)});
}

static void test_good_orders(void **state)
{
    take(&mutex_a, "a", RANK_VNODE, false);
    take(&mutex_b, "b", RANK_ADDRSPACE, false);
    assert_true(lock_rank_held(RANK_VNODE));
    assert_false(lock_rank_held(RANK_RMAP));
    lock_rank_release(&mutex_a); /* in any order */
    assert_false(lock_rank_held(RANK_VNODE));
    take(&mutex_a, "parent's child", RANK_ADDRSPACE, true);
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
    take(&mutex_a, "first", pair->first, false);
    take(pair->same_lock ? &mutex_a : &mutex_b, "second", pair->second, pair->nested);
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
    assert_non_null(strstr(host_console(), "while holding \"first\""));
    struct pair again = {RANK_ADDRSPACE, RANK_ADDRSPACE, true, true};
    host_expect_panic(take_pair, &again, "takes \"second\" (rank 4), which it holds already");
}

/* Where the calls of a record are printed. */
static const char *calls_after(const char *title)
{
    const char *calls = strstr(host_console(), title);
    if (!calls)
        fail_msg("no \"%s\" in\n%s", title, host_console());
    return calls;
}

/* The first return address that is printed after `title`. */
static uintptr_t first_call(const char *title)
{
    unsigned long pc;
    assert_int_equal(sscanf(strstr(calls_after(title), "#0 "), "#0 %lx", &pc), 1);
    return pc;
}

static uintptr_t outer_call; /* where take_outer() returns to */

__attribute__((noinline)) static void take_outer(void)
{
    outer_call = (uintptr_t)__builtin_return_address(0);
    take(&mutex_a, "outer", RANK_VNODE, false);
}

static void take_outer_then_lower(void *arg)
{
    *(uintptr_t *)arg = 0;
    take_outer();
    *(uintptr_t *)arg = outer_call;
    take(&mutex_b, "lower", RANK_FS_TREE, false);
}

/* A panic shows the calls that lead to it, and those that took each lock. */
static void test_both_chains(void **state)
{
    uintptr_t *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    host_expect_panic(take_outer_then_lower, shared, "while holding \"outer\"");
    calls_after("panic: called from");
    assert_in_range(first_call("panic: called from"), 1, UINTPTR_MAX);
    const char *taken = calls_after("locks held: 1");
    char want[32];
    snprintf(want, sizeof want, "#1 %#018lx", *shared);
    if (!strstr(taken, want))
        fail_msg("no call \"%s\" in\n%s", want, taken);
    munmap(shared, sizeof(*shared));
}

static void release_unheld(void *arg)
{
    lock_rank_release(&mutex_a);
}

static void release_twice(void *arg)
{
    take(&mutex_a, "twice", RANK_VNODE, false);
    lock_rank_release(&mutex_a);
    take(&mutex_b, "another", RANK_VNODE, false);
    lock_rank_release(&mutex_a);
}

static void wait_would_deadlock(void *arg)
{
    take(&mutex_a, "a", RANK_VNODE, false);
    lock_rank_check(&(struct lock_taker){.lock = &mutex_a, .name = "a", .rank = RANK_VNODE});
}

static void sleep_with_spin(void *arg)
{
    take(&mutex_a, "spin", RANK_PMEM, false);
    assert_may_sleep("sleeper");
}

static void sleep_with_irq_off(void *arg)
{
    arch_irq_disable();
    assert_may_sleep("sleeper");
}

static void return_with_lock(void *arg)
{
    take(&mutex_a, "kept", RANK_VNODE, false);
    assert_may_sleep("a mutex may be held");
    assert_no_locks("return to user");
}

static void take_too_many(void *arg)
{
    static int locks[LOCKS_HELD_MAX + 1];
    for (int i = 0; i <= LOCKS_HELD_MAX; i++)
        take(&locks[i], "many", RANK_ADDRSPACE, true);
}

static void sleep_on_other(void *arg)
{
    take(&mutex_a, "queue", RANK_FILE, false);
    assert_may_sleep_on(&mutex_a, "sleeper");
    take(&mutex_b, "other", RANK_PMEM, false);
    assert_may_sleep_on(&mutex_a, "sleeper");
}

static void sleep_on_unheld(void *arg)
{
    arch_irq_disable();
    assert_may_sleep_on(&mutex_a, "sleeper");
}

static void fault_with_door(void *arg)
{
    take(&mutex_a, "vnode", RANK_VNODE, false);
    assert_may_fault("copy");
    take(&mutex_b, "door", RANK_SHM_DOOR, false);
    assert_may_sleep("a door may sleep");
    assert_may_fault("copy");
}

static void fault_with_spin(void *arg)
{
    take(&mutex_a, "spin", RANK_PMEM, false);
    assert_may_fault("copy");
}

static void switch_with_spin(void *arg)
{
    take(&mutex_a, "mutex", RANK_VNODE, false);
    assert_no_spin_locks("switch");
    take(&mutex_b, "spin", RANK_PMEM, false);
    assert_no_spin_locks("switch");
}

static void spin_with_irq_on(void *arg)
{
    lock_rank_acquire(&(struct lock_taker){.lock = &mutex_a, .name = "spin", .rank = RANK_PMEM});
}

static void release_with_irq_on(void *arg)
{
    take(&mutex_a, "spin", RANK_PMEM, false);
    arch_irq_enable();
    lock_rank_release(&mutex_a);
}

static void enable_under_spin(void *arg)
{
    take(&mutex_a, "spin", RANK_PMEM, false);
    irq_enable();
}

static void restore_under_spin(void *arg)
{
    bool irq = irq_save();
    take(&mutex_a, "spin", RANK_PMEM, false);
    irq_restore(irq);
}

static void restore_unbalanced(void *arg)
{
    bool irq = irq_save();
    irq_enable();
    irq_restore(irq);
}

/* What an interrupt handler does wrong. */
static void in_handler(void *arg)
{
    void (*wrong)(void) = *(void (**)(void))arg;
    take(&mutex_a, "interrupted", RANK_VNODE, false);
    arch_irq_disable();
    interrupt_enter();
    take(&mutex_b, "spin", RANK_PMEM, false); /* as it may */
    lock_rank_release(&mutex_b);
    wrong();
    interrupt_leave();
}

static void handler_fine(void) {}

static void handler_mutex(void)
{
    take(&mutex_b, "mutex", RANK_ADDRSPACE, false);
}

static void handler_sleeps(void)
{
    assert_may_sleep("sleeper");
}

static void handler_faults(void)
{
    assert_may_fault("copy");
}

static void handler_allocates(void)
{
    assert_not_interrupt("alloc");
}

static void handler_keeps(void)
{
    take(&mutex_b, "kept", RANK_PMEM, false);
}

static void handler_irq_on(void)
{
    irq_enable();
}

static void handler_irq_left_on(void)
{
    arch_irq_enable();
}

static void handler_returns_to_user(void)
{
    assert_no_locks("return to user");
}

static void interrupted_under_spin(void *arg)
{
    take(&mutex_a, "spin", RANK_PMEM, false);
    interrupt_enter();
}

static void handler_with_irq_on(void *arg)
{
    interrupt_enter();
}

static void test_interrupts(void **state)
{
    static const struct {
        void (*wrong)(void);
        const char *text;
    } cases[] = {
        {handler_mutex, "an interrupt handler takes \"mutex\" (rank 4), which sleeps"},
        {handler_sleeps, "sleeper: in an interrupt handler"},
        {handler_faults, "copy: in an interrupt handler"},
        {handler_allocates, "alloc: in an interrupt handler"},
        {handler_keeps, "an interrupt handler still holds \"kept\""},
        {handler_irq_on, "turning interrupts on: in an interrupt handler"},
        {handler_irq_left_on, "an interrupt handler turned interrupts on"},
        {handler_returns_to_user, "return to user: in an interrupt handler"},
    };
    void (*fine)(void) = handler_fine;
    assert_int_equal(host_run_forked(in_handler, &fine), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        void (*wrong)(void) = cases[i].wrong;
        host_expect_panic(in_handler, &wrong, cases[i].text);
    }
    host_expect_panic(in_handler, &(void (*)(void)){handler_keeps}, "\"kept\" (");
    calls_after("of interrupt handlers too), taken at");
    host_expect_panic(handler_with_irq_on, NULL, "begins with interrupts on");
    host_expect_panic(interrupted_under_spin, NULL,
                      "an interrupt while spin lock \"spin\" is held");
}

static void test_panics(void **state)
{
    host_expect_panic(release_twice, NULL, "\"twice\" is released by a context that does not hold");
    calls_after("\"twice\" (");
    host_expect_panic(wait_would_deadlock, NULL, "takes \"a\" (rank 2), which it holds already");
    host_expect_panic(sleep_on_other, NULL, "sleeper: may sleep, but spin lock \"other\" is held");
    host_expect_panic(sleep_on_unheld, NULL, "sleeper: the lock of the queue is not held");
    host_expect_panic(fault_with_door, NULL, "copy: may fault, but lock \"door\" is held");
    host_expect_panic(fault_with_spin, NULL, "copy: may sleep, but spin lock \"spin\" is held");
    host_expect_panic(switch_with_spin, NULL, "switch: spin lock \"spin\" is still held");
    host_expect_panic(spin_with_irq_on, NULL, "\"spin\" is taken with interrupts on");
    host_expect_panic(release_with_irq_on, NULL, "interrupts are on, but spin lock \"spin\"");
    host_expect_panic(enable_under_spin, NULL, "turning interrupts on: spin lock \"spin\"");
    host_expect_panic(restore_under_spin, NULL, "turning interrupts on: spin lock \"spin\"");
    host_expect_panic(restore_unbalanced, NULL, "irq_restore: interrupts are on already");
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
    take(&mutex_a, "a", RANK_ADDRSPACE, false);
    lock_rank_switch(&two);
    assert_false(lock_rank_held(RANK_ADDRSPACE));
    take(&mutex_b, "b", RANK_VNODE, false);
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
        cmocka_unit_test(test_good_orders), cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_panics),      cmocka_unit_test(test_both_chains),
        cmocka_unit_test(test_interrupts),  cmocka_unit_test(test_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
