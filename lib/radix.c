#include <abi/errno.h>
#include <lib/radix.h>

#define INDEX_BITS (sizeof(size_t) * 8)
#define HEIGHT_MAX ((INDEX_BITS + RADIX_BITS - 1) / RADIX_BITS)

/* The slot in a node of `level` (1: the lowest) on the way to `index`. */
static unsigned slot_of(size_t index, unsigned level)
{
    return (unsigned)(index >> ((level - 1) * RADIX_BITS)) & (RADIX_FANOUT - 1);
}

/* Can a tree of this height hold `index`? */
static bool reaches(unsigned height, size_t index)
{
    return height >= HEIGHT_MAX || (index >> (height * RADIX_BITS)) == 0;
}

void *radix_get(const struct radix *tree, size_t index)
{
    if (!tree->root || !reaches(tree->height, index))
        return NULL;
    const struct radix_node *node = tree->root;
    for (unsigned level = tree->height; level > 1 && node; level--)
        node = node->slots[slot_of(index, level)];
    return node ? node->slots[slot_of(index, 1)] : NULL;
}

void *radix_replace(struct radix *tree, size_t index, void *item)
{
    struct radix_node *node = tree->root;
    for (unsigned level = tree->height; level > 1; level--)
        node = node->slots[slot_of(index, level)];
    void *old = node->slots[slot_of(index, 1)];
    node->slots[slot_of(index, 1)] = item;
    return old;
}

/* How many nodes storing at `index` needs, once the tree has `height`. */
static unsigned nodes_needed(const struct radix *tree, unsigned height, size_t index)
{
    if (!tree->root)
        return height;
    if (height > tree->height) /* new roots, then a way down that shares only the topmost of them */
        return (height - tree->height) + (height - 1);
    unsigned level = height;
    for (const struct radix_node *node = tree->root; node && level > 0; level--)
        node = level > 1 ? node->slots[slot_of(index, level)] : NULL;
    return level;
}

static void node_put(struct radix_node *node, unsigned slot, void *item)
{
    node->slots[slot] = item;
    node->used++;
}

int radix_insert(struct radix *tree, const struct radix_ops *ops, size_t index, void *item)
{
    unsigned height = tree->root ? tree->height : 1;
    while (!reaches(height, index))
        height++;

    /* All memory first: what follows cannot fail. */
    struct radix_node *spare[2 * HEIGHT_MAX];
    unsigned needed = nodes_needed(tree, height, index);
    for (unsigned i = 0; i < needed; i++) {
        spare[i] = ops->node_alloc();
        if (!spare[i]) {
            while (i > 0)
                ops->node_free(spare[--i]);
            return -ENOMEM;
        }
    }

    if (!tree->root) {
        tree->root = spare[--needed];
        tree->height = height;
    }
    for (; tree->height < height; tree->height++) {
        struct radix_node *root = spare[--needed];
        node_put(root, 0, tree->root);
        tree->root = root;
    }
    struct radix_node *node = tree->root;
    for (unsigned level = height; level > 1; level--) {
        unsigned slot = slot_of(index, level);
        if (!node->slots[slot])
            node_put(node, slot, spare[--needed]);
        node = node->slots[slot];
    }
    node_put(node, slot_of(index, 1), item);
    tree->count++;
    return 0;
}

/* Drops roots that only lead to their first slot, and the last root when nothing is left. */
static void lower_root(struct radix *tree, const struct radix_ops *ops)
{
    while (tree->height > 1 && tree->root->used == 1 && tree->root->slots[0]) {
        struct radix_node *root = tree->root;
        tree->root = root->slots[0];
        tree->height--;
        ops->node_free(root);
    }
    if (tree->root->used == 0) {
        ops->node_free(tree->root);
        tree->root = NULL;
        tree->height = 0;
    }
}

void *radix_remove(struct radix *tree, const struct radix_ops *ops, size_t index)
{
    void *item = radix_get(tree, index);
    if (!item)
        return NULL;

    struct radix_node *path[HEIGHT_MAX + 1];
    path[tree->height] = tree->root;
    for (unsigned level = tree->height; level > 1; level--)
        path[level - 1] = path[level]->slots[slot_of(index, level)];

    for (unsigned level = 1; level <= tree->height; level++) {
        path[level]->slots[slot_of(index, level)] = NULL;
        if (--path[level]->used > 0 || level == tree->height)
            break;
        ops->node_free(path[level]);
    }
    tree->count--;
    lower_root(tree, ops);
    return item;
}

void *radix_next(const struct radix *tree, size_t *index)
{
    size_t at = *index;
    while (tree->root && reaches(tree->height, at)) {
        /* Down as far as there are nodes on the way to `at`. */
        const struct radix_node *node = tree->root;
        unsigned level = tree->height;
        for (; level > 1 && node->slots[slot_of(at, level)]; level--)
            node = node->slots[slot_of(at, level)];
        void *item = node->slots[slot_of(at, level)];
        if (item) {
            *index = at;
            return item;
        }
        /* Nothing below this slot: to the first index of the next one, which may be in the parent's
         * next. */
        size_t step = (size_t)1 << ((level - 1) * RADIX_BITS);
        if (__builtin_add_overflow(ALIGN_DOWN(at, step), step, &at))
            return NULL;
    }
    return NULL;
}
