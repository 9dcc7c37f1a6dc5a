/* Intrusive red-black tree (left-leaning variants are not used: plain CLRS).  The caller locks and
 * compares: it walks root/left/right itself to find a place, then links and rebalances. */
#pragma once

#include <lib/util.h>

struct rbnode {
    struct rbnode *parent, *left, *right;
    bool red;
};

struct rbtree {
    struct rbnode *root;
};

#define rb_entry(node, type, member) container_of(node, type, member)

/* Links `node` at `*link` (NULL so far), the left or right pointer of `parent` or the tree's root,
 * and rebalances. */
void rb_insert(struct rbtree *tree, struct rbnode *node, struct rbnode *parent,
               struct rbnode **link);
void rb_remove(struct rbtree *tree, struct rbnode *node);

/* In-order neighbours; NULL at the ends. */
struct rbnode *rb_first(const struct rbtree *tree);
struct rbnode *rb_last(const struct rbtree *tree);
struct rbnode *rb_next(const struct rbnode *node);
struct rbnode *rb_prev(const struct rbnode *node);

/* For walkers in tests: true when order-independent invariants hold (no red node has a red child,
 * every path has the same number of black nodes, parent pointers agree). */
bool rb_valid(const struct rbtree *tree);
