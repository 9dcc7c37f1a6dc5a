#include "unit.h"

#include <lib/rbtree.h>

#define KEYS 300

struct item {
    struct rbnode node;
    int key;
    bool in;
};

static struct rbtree tree;
static struct item items[KEYS];

static void insert(int key)
{
    struct rbnode **link = &tree.root, *parent = NULL;
    while (*link) {
        parent = *link;
        int at = rb_entry(parent, struct item, node)->key;
        assert_int_not_equal(at, key);
        link = key < at ? &parent->left : &parent->right;
    }
    rb_insert(&tree, &items[key].node, parent, link);
    items[key].in = true;
}

static void remove_key(int key)
{
    rb_remove(&tree, &items[key].node);
    items[key].in = false;
}

/* The tree holds exactly the items that are in, in order, both ways. */
static void check_all(void)
{
    assert_true(rb_valid(&tree));
    struct rbnode *node = rb_first(&tree);
    for (int key = 0; key < KEYS; key++)
        if (items[key].in) {
            assert_ptr_equal(node, &items[key].node);
            node = rb_next(node);
        }
    assert_null(node);
    node = rb_last(&tree);
    for (int key = KEYS - 1; key >= 0; key--)
        if (items[key].in) {
            assert_ptr_equal(node, &items[key].node);
            node = rb_prev(node);
        }
    assert_null(node);
}

static int setup(void **state)
{
    tree.root = NULL;
    for (int key = 0; key < KEYS; key++)
        items[key] = (struct item){.key = key};
    return 0;
}

static void test_empty(void **state)
{
    assert_null(rb_first(&tree));
    assert_null(rb_last(&tree));
    assert_true(rb_valid(&tree));
}

static void test_random(void **state)
{
    uint64_t random = 1;
    for (int step = 0; step < 20000; step++) {
        int key = (int)random_below(&random, KEYS);
        if (items[key].in)
            remove_key(key);
        else
            insert(key);
        assert_true(rb_valid(&tree));
        if (step % 16 == 0)
            check_all();
    }
}

/* All insertion orders of 6 keys, and for each all of them removed upward, downward and from the
 * middle. */
static void test_all_small(void **state)
{
    for (int code = 0; code < 720; code++) {
        for (int way = 0; way < 3; way++) {
            int left[6] = {0, 1, 2, 3, 4, 5}, rest = code;
            for (int n = 6; n > 0; n--) {
                int pick = rest % n;
                rest /= n;
                insert(left[pick]);
                left[pick] = left[n - 1];
            }
            check_all();
            static const int orders[3][6] = {
                {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 3, 1, 4, 0, 5}};
            for (int i = 0; i < 6; i++) {
                remove_key(orders[way][i]);
                assert_true(rb_valid(&tree));
            }
            assert_null(tree.root);
        }
    }
}

static void test_ascending_and_descending(void **state)
{
    for (int key = 0; key < KEYS; key++)
        insert(key);
    check_all();
    for (int key = 0; key < KEYS; key += 2)
        remove_key(key);
    check_all();
    for (int key = KEYS - 1; key > 0; key -= 2)
        remove_key(key);
    assert_null(tree.root);
    for (int key = KEYS - 1; key >= 0; key--)
        insert(key);
    check_all();
}

/* The walker itself: each kind of damage is seen. */
static void test_valid_sees_damage(void **state)
{
    for (int key = 0; key < 32; key++)
        insert(key);
    tree.root->red = true;
    assert_false(rb_valid(&tree));
    tree.root->red = false;
    struct rbnode *last = rb_last(&tree);
    struct rbnode *parent = last->parent;
    last->parent = last;
    assert_false(rb_valid(&tree));
    last->parent = parent;
    struct rbnode *node = rb_first(&tree);
    node->red = !node->red;
    assert_false(rb_valid(&tree));
    node->red = !node->red;
    assert_true(rb_valid(&tree));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, setup),
        cmocka_unit_test_setup(test_random, setup),
        cmocka_unit_test_setup(test_all_small, setup),
        cmocka_unit_test_setup(test_ascending_and_descending, setup),
        cmocka_unit_test_setup(test_valid_sees_damage, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
