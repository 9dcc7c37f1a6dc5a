/* What a failing run prints goes here, with the reason, and stays. */
#include "cases.h"

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

const struct kept_case kept_cases[] = {
    {"tour", STEPS_OF(tour)},
    {"unlock_unnamed", STEPS_OF(unlock_unnamed)},
    {0},
};
