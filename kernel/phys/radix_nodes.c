/* Nodes of the radix trees of the kernel, all of one cache. */
#include <kernel/phys/kmem.h>
#include <lib/radix.h>

static struct kmem_cache node_cache = KMEM_CACHE("radix node", struct radix_node);

static struct radix_node *node_alloc(void)
{
    return kmem_alloc(&node_cache);
}

static void node_free(struct radix_node *node)
{
    kmem_free(&node_cache, node);
}

const struct radix_ops kmem_radix_ops = {.node_alloc = node_alloc, .node_free = node_free};
