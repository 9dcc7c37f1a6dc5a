#include "unit.h"

#include <stdio.h>
#include <string.h>

#include <lib/hash.h>

static void test_depends_on_every_bit(void **state)
{
    unsigned char key[16] = {0};
    uint64_t zero = hash_bytes(HASH_SEED, key, sizeof(key));
    for (size_t bit = 0; bit < sizeof(key) * 8; bit++) {
        key[bit / 8] ^= (unsigned char)(1u << bit % 8);
        uint64_t other = hash_bytes(HASH_SEED, key, sizeof(key));
        key[bit / 8] ^= (unsigned char)(1u << bit % 8);
        /* About half of the 64 bits flip; 10 is far below chance. */
        assert_true(__builtin_popcountll(zero ^ other) > 10);
    }
}

static void test_length_and_seed(void **state)
{
    static const char zeros[8];
    uint64_t seen[9];
    for (size_t n = 0; n <= 8; n++) {
        seen[n] = hash_bytes(HASH_SEED, zeros, n);
        for (size_t i = 0; i < n; i++)
            assert_true(seen[i] != seen[n]);
        assert_true(hash_bytes(HASH_SEED + 1, zeros, n) != seen[n]);
        assert_true(hash_bytes(HASH_SEED, zeros, n) == seen[n]);
    }
    uint64_t chained = hash_bytes(hash_bytes(HASH_SEED, "a", 1), "b", 1);
    assert_true(chained != hash_bytes(hash_bytes(HASH_SEED, "b", 1), "a", 1));
}

/* Names as people give them: low and high bits both spread. */
static void test_spread(void **state)
{
    unsigned low[64] = {0}, high[64] = {0};
    for (unsigned i = 0; i < 6400; i++) {
        char name[32];
        int n = snprintf(name, sizeof(name), "region%u", i);
        uint64_t hash = hash_bytes(HASH_SEED, name, (size_t)n);
        low[hash % 64]++;
        high[hash >> 58]++;
    }
    for (unsigned i = 0; i < 64; i++) {
        assert_in_range(low[i], 50, 160);
        assert_in_range(high[i], 50, 160);
    }
}

/* Found by searching: what tests/host/test_named.c calls two names of one hash. */
static void test_two_of_one_hash(void **state)
{
    assert_true(hash_bytes(HASH_SEED, "MoBJFnd40IF", 11) ==
                hash_bytes(HASH_SEED, "yDHiTg4IA-G", 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depends_on_every_bit),
        cmocka_unit_test(test_length_and_seed),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_two_of_one_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
