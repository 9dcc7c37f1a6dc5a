/* What a failing run prints goes here, with the reason, and stays. */
#include "cases.h"

#include <fcntl.h>

#define STEPS_OF(list) list, sizeof(list) / sizeof(list)[0]

/* A tour: the calls that most others need. */
static const struct step tour[] = {
    {0, CREATE, {0, 5}, 0},     {0, FORK, {1}, 0},       {1, MAP, {0}, 0},     {0, MAP, {0}, 0},
    {1, STORE, {100, 1, 7}, 0}, {0, COMPARE, {0}, 0},    {0, LOCK, {0}, 0},    {1, LOCK, {0}, 0},
    {0, EXIT, {0}, 0},          {1, DESTROY, {0, 2}, 0}, {1, COMPARE, {0}, 0},
};

/* R9: what lost its name while it was locked is unlocked by the name it was made with. */
static const struct step unlock_unnamed[] = {
    {0, CREATE, {0, 1}, 0}, {0, FORK, {3}, 0},       {3, MAP, {0}, 0},    {0, FORK, {4}, 0},
    {3, TRYLOCK, {0}, 0},   {4, DESTROY, {0, 2}, 0}, {3, UNLOCK, {0}, 0},
};

/* The same while a link keeps it. */
static const struct step unlock_linked[] = {
    {0, CREATE, {0, 1}, 0}, {0, FORK, {3}, 0},       {3, MAP, {0}, 0},       {3, LINK, {0, 1}, 0},
    {3, LOCK, {0}, 0},      {3, DESTROY, {0, 2}, 0}, {3, CREATE, {0, 1}, 0}, {3, MAP, {0}, 0},
    {3, UNLOCK, {0}, 0},    {3, UNLOCK, {0}, 0},     {3, TRYLOCK, {1}, 0},
};

/* P1: open(2) with O_CREAT, but not O_EXCL, said EEXIST when createSharedRegion, which takes no
 * tree lock, made the name between the look for it and the making.  Often, for it needs luck. */
#define ROUND                                                                                      \
    {0, CREATE, {0, 1, 1}, HOW_TOGETHER}, {1, OPEN, {0, 0, O_RDWR | O_CREAT, 0600}, HOW_ALONE},    \
        {1, CLOSE, {0}, HOW_ALONE},                                                                \
    {                                                                                              \
        0, UNLINK, {0}, HOW_ALONE                                                                  \
    }
#define ROUNDS8 ROUND, ROUND, ROUND, ROUND, ROUND, ROUND, ROUND, ROUND
static const struct step open_while_created[] = {
    {0, FORK, {1}, HOW_ALONE}, ROUNDS8, ROUNDS8, ROUNDS8, ROUNDS8, ROUNDS8, ROUNDS8, ROUNDS8,
};

const struct kept_case kept_cases[] = {
    {"tour", STEPS_OF(tour)},
    {"unlock_unnamed", STEPS_OF(unlock_unnamed)},
    {"unlock_linked", STEPS_OF(unlock_linked)},
    {"open_while_created", STEPS_OF(open_while_created)},
    {0},
};
