/* Sparse array: unsigned long index -> non-NULL pointer, 64-way radix tree that grows in height on
 * demand. The caller locks.  Memory for nodes comes from, and goes to, the ops the caller gives. */
#pragma once

#include <lib/util.h>

#define RADIX_BITS   6
#define RADIX_FANOUT (1u << RADIX_BITS)

struct radix_node {
    void *slots[RADIX_FANOUT];
    unsigned used; /* slots that are not NULL */
};

struct radix_ops {
    struct radix_node *(*node_alloc)(void); /* zeroed, or NULL */
    void (*node_free)(struct radix_node *node);
};

struct radix {
    struct radix_node *root; /* NULL when empty */
    unsigned height;         /* levels below root, root included; 0 when empty */
    size_t count;            /* items stored */
};

/* The item at `index`, or NULL. */
void *radix_get(const struct radix *tree, size_t index);

/* Stores `item` (not NULL) at `index`, which must be empty.  0, or -ENOMEM with the tree unchanged.
 */
int radix_insert(struct radix *tree, const struct radix_ops *ops, size_t index, void *item);

/* Puts another item (not NULL) in the place of the one at `index`, which must be there, and returns
 * that. */
void *radix_replace(struct radix *tree, size_t index, void *item);

/* Removes and returns the item at `index` (NULL when absent), and frees nodes that have become
 * empty. */
void *radix_remove(struct radix *tree, const struct radix_ops *ops, size_t index);

/* The first item at or after `*index`; writes its index to `*index`.  NULL when there is none. */
void *radix_next(const struct radix *tree, size_t *index);
