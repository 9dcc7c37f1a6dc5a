/* 64-bit hash of bytes (FNV-1a with a final mix).  Not keyed: a table that hostile keys could crowd
 * must not depend on it for its worst case (ctable is a tree ordered by it, so its worst case stays
 * logarithmic). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_SEED 0xcbf29ce484222325ull

/* `seed` chains calls: hash_bytes(hash_bytes(HASH_SEED, a, n), b, m). */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t n);
