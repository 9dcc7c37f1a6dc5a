/* What a failing run prints goes here, with the reason, and stays. */
#include "cases.h"

#include <abi/region.h>

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, sizeof(name) / sizeof(name)[0]                                                \
    }

/* A tour: the calls that most others need. */
static const struct step tour[] = {
    {0, CREATE, {0, 5}},     {0, FORK, {1}},       {1, MAP, {0}},     {0, MAP, {0}},
    {1, STORE, {100, 1, 7}}, {0, COMPARE, {0}},    {0, LOCK, {0}},    {1, LOCK, {0}},
    {0, EXIT, {0}},          {1, DESTROY, {0, 2}}, {1, COMPARE, {0}},
};

const struct kept_case kept_cases[] = {CASE(tour), {0}};
