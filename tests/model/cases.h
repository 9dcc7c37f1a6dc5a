/* Sequences that have failed once. */
#pragma once

#include "step.h"

struct kept_case {
    const char *name; /* NULL ends the list */
    const struct step *steps;
    unsigned nsteps;
};

extern const struct kept_case kept_cases[];
