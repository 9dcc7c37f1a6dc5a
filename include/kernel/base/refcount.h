/* Reference counts that panic instead of wrapping or coming back from zero. */
#pragma once

#include <kernel/base/panic.h>

typedef struct refcount {
    uint32_t n;
} refcount_t;

static inline void ref_init(refcount_t *r, uint32_t n)
{
    __atomic_store_n(&r->n, n, __ATOMIC_RELAXED);
}

static inline uint32_t ref_read(const refcount_t *r)
{
    return __atomic_load_n(&r->n, __ATOMIC_RELAXED);
}

static inline void ref_get(refcount_t *r)
{
    uint32_t old = __atomic_fetch_add(&r->n, 1, __ATOMIC_RELAXED);
    ASSERT(old != 0 && old < UINT32_MAX / 2);
}

/* Takes a reference unless the count has reached zero; then what its users wrote is seen. */
static inline bool ref_get_unless_zero(refcount_t *r)
{
    uint32_t old = __atomic_load_n(&r->n, __ATOMIC_ACQUIRE);
    do {
        if (old == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&r->n, &old, old + 1, true, __ATOMIC_ACQUIRE,
                                          __ATOMIC_ACQUIRE));
    return true;
}

/* Drops one; true when it was the last and the caller must dispose of the object. */
static inline bool ref_put(refcount_t *r)
{
    uint32_t old = __atomic_fetch_sub(&r->n, 1, __ATOMIC_ACQ_REL);
    ASSERT(old != 0);
    return old == 1;
}
