#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <lib/radix.h>

#define ITEMS 400

static size_t nodes_live;
static int allocs_left = -1; /* -1: no limit */

static struct radix_node *node_alloc(void)
{
    if (allocs_left == 0)
        return NULL;
    if (allocs_left > 0)
        allocs_left--;
    nodes_live++;
    return calloc(1, sizeof(struct radix_node));
}

static void node_free(struct radix_node *node)
{
    nodes_live--;
    free(node);
}

static const struct radix_ops ops = {.node_alloc = node_alloc, .node_free = node_free};

static struct radix tree;
static size_t indexes[ITEMS]; /* distinct, ascending */
static bool in[ITEMS];

static int compare(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Indexes of all magnitudes, with neighbours, and the ends of the range. */
static int setup(void **state)
{
    uint64_t random = 7;
    size_t n = 0;
    indexes[n++] = SIZE_MAX;
    indexes[n++] = SIZE_MAX - 1;
    while (n < ITEMS) {
        size_t index = (size_t)random_next(&random) >> random_below(&random, 64);
        bool twice = false;
        for (size_t i = 0; i < n; i++)
            twice |= indexes[i] == index;
        if (!twice)
            indexes[n++] = index;
    }
    qsort(indexes, ITEMS, sizeof(indexes[0]), compare);
    memset(in, 0, sizeof(in));
    allocs_left = -1;
    assert_int_equal(nodes_live, 0);
    assert_null(tree.root);
    return 0;
}

static void *item_of(size_t i)
{
    return &indexes[i];
}

static void check_all(void)
{
    size_t count = 0, at = 0;
    bool ended = false;
    for (size_t i = 0; i < ITEMS; i++) {
        assert_ptr_equal(radix_get(&tree, indexes[i]), in[i] ? item_of(i) : NULL);
        if (!in[i])
            continue;
        count++;
        assert_false(ended);
        assert_ptr_equal(radix_next(&tree, &at), item_of(i));
        assert_int_equal(at, indexes[i]);
        ended = at++ == SIZE_MAX;
    }
    if (!ended)
        assert_null(radix_next(&tree, &at));
    assert_int_equal(tree.count, count);
}

static void clear_all(void)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (in[i]) {
            assert_ptr_equal(radix_remove(&tree, &ops, indexes[i]), item_of(i));
            in[i] = false;
        }
    assert_int_equal(nodes_live, 0);
    assert_null(tree.root);
    assert_int_equal(tree.height, 0);
}

static void test_random(void **state)
{
    uint64_t random = 3;
    for (int step = 0; step < 8000; step++) {
        size_t i = random_below(&random, ITEMS);
        if (in[i]) {
            assert_ptr_equal(radix_remove(&tree, &ops, indexes[i]), item_of(i));
            assert_null(radix_remove(&tree, &ops, indexes[i]));
        } else {
            assert_int_equal(radix_insert(&tree, &ops, indexes[i], item_of(i)), 0);
        }
        in[i] = !in[i];
        if (step % 50 == 0)
            check_all();
    }
    clear_all();
}

static void test_empty(void **state)
{
    size_t at = 0;
    assert_null(radix_get(&tree, 0));
    assert_null(radix_get(&tree, SIZE_MAX));
    assert_null(radix_next(&tree, &at));
    assert_null(radix_remove(&tree, &ops, 5));
}

/* A small file takes one node, and no more after it has been large for a while. */
static void test_height_follows_content(void **state)
{
    int a, b;
    assert_int_equal(radix_insert(&tree, &ops, 63, &a), 0);
    assert_int_equal(nodes_live, 1);
    assert_int_equal(radix_insert(&tree, &ops, 64, &b), 0);
    assert_int_equal(nodes_live, 3);
    assert_int_equal(tree.height, 2);
    assert_ptr_equal(radix_remove(&tree, &ops, 64), &b);
    assert_int_equal(nodes_live, 1);
    assert_int_equal(tree.height, 1);
    assert_ptr_equal(radix_remove(&tree, &ops, 63), &a);
    assert_int_equal(nodes_live, 0);
}

/* Each insertion, with its n-th node missing for all n: -ENOMEM and the tree as before; then it
 * works. */
static void test_failing_allocation(void **state)
{
    uint64_t random = 11;
    for (int step = 0; step < ITEMS; step++) {
        size_t i = random_below(&random, ITEMS);
        if (in[i])
            continue;
        for (int allowed = 0;; allowed++) {
            struct radix before = tree;
            size_t live = nodes_live;
            allocs_left = allowed;
            int err = radix_insert(&tree, &ops, indexes[i], item_of(i));
            allocs_left = -1;
            if (err == 0)
                break;
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(nodes_live, live);
            assert_memory_equal(&tree, &before, sizeof(tree));
            if (step < 20)
                check_all();
        }
        in[i] = true;
    }
    check_all();
    clear_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, setup),
        cmocka_unit_test_setup(test_random, setup),
        cmocka_unit_test_setup(test_height_follows_content, setup),
        cmocka_unit_test_setup(test_failing_allocation, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
