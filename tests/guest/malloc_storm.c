/* malloc, realloc and free in random order, with sizes on both sides of the C library's mmap
 * threshold. */
#include "check.h"

#define SLOTS 200
#define STEPS 6000

static struct slot {
    unsigned char *p;
    size_t size;
    unsigned char fill;
} slots[SLOTS];

static struct rng rng;

static size_t size_random(void)
{
    switch (rng_below(&rng, 20)) {
    case 0:
        return 130000 + rng_below(&rng, 200000);
    case 1:
    case 2:
        return 4000 + rng_below(&rng, 9000);
    default:
        return 1 + rng_below(&rng, 600);
    }
}

/* Both ends and one byte inside: enough to see a block that overlaps another or lost a page. */
static void slot_check(const struct slot *s)
{
    size_t at = rng_below(&rng, s->size);

    CHECK(s->p[0] == s->fill && s->p[s->size - 1] == s->fill && s->p[at] == s->fill,
          "block of %zu bytes changed", s->size);
}

static void slot_fill(struct slot *s)
{
    s->fill = (unsigned char)rng_next(&rng);
    memset(s->p, s->fill, s->size);
}

static void step(void)
{
    struct slot *s = &slots[rng_below(&rng, SLOTS)];
    size_t size = size_random();
    size_t kept;

    if (!s->p) {
        s->p = malloc(size);
        CHECK(s->p != NULL, "malloc(%zu)", size);
        s->size = size;
        slot_fill(s);
        return;
    }
    slot_check(s);
    if (rng_below(&rng, 3) == 0) {
        kept = s->size < size ? s->size : size;
        s->p = realloc(s->p, size);
        CHECK(s->p != NULL, "realloc(%zu)", size);
        for (size_t i = 0; i < kept; i += 97)
            CHECK_EQ(s->p[i], s->fill);
        s->size = size;
        slot_fill(s);
        return;
    }
    free(s->p);
    s->p = NULL;
}

static void case_storm(void)
{
    for (unsigned i = 0; i < STEPS; i++)
        step();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            slot_check(&slots[i]);
        free(slots[i].p);
    }
}

static void case_calloc_is_zero(void)
{
    for (unsigned i = 0; i < 50; i++) {
        unsigned char *p = calloc(3000, 7);

        CHECK(p != NULL, "calloc");
        for (unsigned j = 0; j < 21000; j += 11)
            CHECK_EQ(p[j], 0);
        memset(p, 0xff, 21000);
        free(p);
    }
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    RUN(case_storm);
    RUN(case_calloc_is_zero);
    return check_done();
}
