#include <lib/rbtree.h>

static bool is_red(const struct rbnode *node)
{
    return node && node->red;
}

/* Puts `new` (may be NULL) where `old` hangs below its parent. */
static void replace_child(struct rbtree *tree, struct rbnode *old, struct rbnode *new)
{
    struct rbnode *parent = old->parent;
    if (!parent)
        tree->root = new;
    else if (parent->left == old)
        parent->left = new;
    else
        parent->right = new;
    if (new)
        new->parent = parent;
}

/* x's right child takes x's place, x becomes its left child. */
static void rotate_left(struct rbtree *tree, struct rbnode *x)
{
    struct rbnode *y = x->right;
    replace_child(tree, x, y);
    x->right = y->left;
    if (x->right)
        x->right->parent = x;
    y->left = x;
    x->parent = y;
}

static void rotate_right(struct rbtree *tree, struct rbnode *x)
{
    struct rbnode *y = x->left;
    replace_child(tree, x, y);
    x->left = y->right;
    if (x->left)
        x->left->parent = x;
    y->right = x;
    x->parent = y;
}

static void rotate(struct rbtree *tree, struct rbnode *x, bool left)
{
    if (left)
        rotate_left(tree, x);
    else
        rotate_right(tree, x);
}

void rb_insert(struct rbtree *tree, struct rbnode *node, struct rbnode *parent,
               struct rbnode **link)
{
    node->parent = parent;
    node->left = node->right = NULL;
    node->red = true;
    *link = node;

    /* Only "a red node has a red parent" can be wrong, and only at `node`. */
    while (is_red(node->parent)) {
        parent = node->parent;
        struct rbnode *grand = parent->parent; /* exists: the root is black */
        bool on_left = parent == grand->left;
        struct rbnode *uncle = on_left ? grand->right : grand->left;
        if (is_red(uncle)) {
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == (on_left ? parent->right : parent->left)) {
            rotate(tree, parent, on_left);
            parent = node;
        }
        parent->red = false;
        grand->red = true;
        rotate(tree, grand, !on_left);
        break;
    }
    tree->root->red = false;
}

/* Every path through `node` (may be NULL) lacks one black node; `parent` is its parent. */
static void remove_fix(struct rbtree *tree, struct rbnode *node, struct rbnode *parent)
{
    while (parent && !is_red(node)) {
        bool on_left = parent->left == node;
        struct rbnode *sibling =
            on_left ? parent->right : parent->left; /* exists: it has more black */
        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            rotate(tree, parent, on_left);
            sibling = on_left ? parent->right : parent->left;
        }
        struct rbnode *near = on_left ? sibling->left : sibling->right;
        struct rbnode *far = on_left ? sibling->right : sibling->left;
        if (!is_red(near) && !is_red(far)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(far)) {
            near->red = false;
            sibling->red = true;
            rotate(tree, sibling, !on_left);
            far = sibling;
            sibling = near;
        }
        sibling->red = parent->red;
        parent->red = far->red = false;
        rotate(tree, parent, on_left);
        return;
    }
    if (node)
        node->red = false;
}

static struct rbnode *leftmost(struct rbnode *node)
{
    while (node && node->left)
        node = node->left;
    return node;
}

static struct rbnode *rightmost(struct rbnode *node)
{
    while (node && node->right)
        node = node->right;
    return node;
}

void rb_remove(struct rbtree *tree, struct rbnode *node)
{
    struct rbnode *child, *parent;
    bool lost_red;

    if (node->left && node->right) {
        /* The successor has no left child: it leaves its place and takes that of `node`. */
        struct rbnode *next = leftmost(node->right);
        lost_red = next->red;
        child = next->right;
        parent = next->parent == node ? next : next->parent;
        if (next->parent != node) {
            replace_child(tree, next, child);
            next->right = node->right;
            next->right->parent = next;
        }
        replace_child(tree, node, next);
        next->left = node->left;
        next->left->parent = next;
        next->red = node->red;
    } else {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        lost_red = node->red;
        replace_child(tree, node, child);
    }
    if (!lost_red)
        remove_fix(tree, child, parent);
}

struct rbnode *rb_first(const struct rbtree *tree)
{
    return leftmost(tree->root);
}

struct rbnode *rb_last(const struct rbtree *tree)
{
    return rightmost(tree->root);
}

struct rbnode *rb_next(const struct rbnode *node)
{
    if (node->right)
        return leftmost(node->right);
    while (node->parent && node == node->parent->right)
        node = node->parent;
    return node->parent;
}

struct rbnode *rb_prev(const struct rbnode *node)
{
    if (node->left)
        return rightmost(node->left);
    while (node->parent && node == node->parent->left)
        node = node->parent;
    return node->parent;
}

/* The depth of a valid tree is at most twice the bits of a pointer, so the recursion is bounded for
 * the kernel's trees; a damaged tree stops it at the first wrong parent pointer.  Black height, or
 * -1 when invalid. */
static int black_height(const struct rbnode *node, const struct rbnode *parent)
{
    if (!node)
        return 0;
    if (node->parent != parent || (node->red && is_red(parent)))
        return -1;
    int left = black_height(node->left, node);
    int right = black_height(node->right, node);
    if (left < 0 || left != right)
        return -1;
    return left + !node->red;
}

bool rb_valid(const struct rbtree *tree)
{
    return !is_red(tree->root) && black_height(tree->root, NULL) >= 0;
}
