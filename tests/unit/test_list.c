#include "unit.h"

#include <lib/list.h>

struct item {
    int value;
    struct list node;
};

/* The list's values, first to last, must be these; backwards too. */
static void assert_values(struct list *head, const int *values, size_t n)
{
    size_t i = 0;
    list_for_each (node, head) {
        assert_true(i < n);
        assert_int_equal(list_entry(node, struct item, node)->value, values[i]);
        i++;
    }
    assert_int_equal(i, n);
    for (struct list *node = head->prev; node != head; node = node->prev)
        assert_int_equal(list_entry(node, struct item, node)->value, values[--i]);
    assert_int_equal(i, 0);
}

static void test_push_pop(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    list_push_back(&head, &items[1].node);
    list_push_back(&head, &items[2].node);
    list_push_front(&head, &items[0].node);
    list_insert_between(&items[3].node, &items[1].node, &items[2].node);
    assert_values(&head, (int[]){0, 1, 3, 2}, 4);
    assert_ptr_equal(list_first(&head, struct item, node), &items[0]);
    assert_ptr_equal(list_pop_front(&head), &items[0].node);
    assert_values(&head, (int[]){1, 3, 2}, 3);
}

static void test_remove_twice(void **state)
{
    struct list head = LIST_INIT(head);
    struct item a = {.value = 1}, b = {.value = 2};
    list_push_back(&head, &a.node);
    list_push_back(&head, &b.node);
    list_remove(&a.node);
    assert_true(list_empty(&a.node));
    list_remove(&a.node);
    assert_values(&head, (int[]){2}, 1);
}

static void test_splice(void **state)
{
    struct list to, from;
    list_init(&to);
    list_init(&from);
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    list_splice_back(&to, &from);
    assert_true(list_empty(&to));
    list_push_back(&from, &items[0].node);
    list_push_back(&from, &items[1].node);
    list_splice_back(&to, &from);
    assert_true(list_empty(&from));
    assert_values(&to, (int[]){0, 1}, 2);
    list_push_back(&from, &items[2].node);
    list_push_back(&from, &items[3].node);
    list_splice_back(&to, &from);
    assert_values(&to, (int[]){0, 1, 2, 3}, 4);
}

static void test_remove_while_walking(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[6];
    for (int i = 0; i < 6; i++) {
        items[i].value = i;
        list_push_back(&head, &items[i].node);
    }
    list_for_each_safe (node, &head) {
        if (list_entry(node, struct item, node)->value % 2)
            list_remove(node);
    }
    assert_values(&head, (int[]){0, 2, 4}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_pop),
        cmocka_unit_test(test_remove_twice),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_remove_while_walking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
