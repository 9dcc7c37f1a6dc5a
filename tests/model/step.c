/* Names and numbers of steps. */
#include "step.h"

#include <stdio.h>

const char *op_name(unsigned op)
{
    static const char *const names[] = {
#define X(name) #name,
        OPS(X)
#undef X
    };
    return op < OP_COUNT ? names[op] : "?";
}

const char *region_name(long name)
{
    static const char *const names[] = {"a", "b", "c", "no/name"};
    return names[name];
}

/* Never in the middle of a word that is looked at. */
long size_of(int index)
{
    static const long sizes[SIZES] = {0,        4,        4096, 4100, 8192, 3 * PAGE + 2052,
                                      8 * PAGE, 1l << 40, -4000};
    return sizes[(unsigned)index % SIZES];
}

long user_of(int index)
{
    static const long users[USERS] = {0, 1000, 2000};
    return users[(unsigned)index % USERS];
}

void step_print(char *to, size_t bytes, const struct step *s)
{
    int last = ARGS - 1;
    while (last > 0 && s->a[last] == 0)
        last--;
    int n = snprintf(to, bytes, "{%u, %s, {", s->seat, op_name(s->op));
    for (int i = 0; i <= last; i++)
        n += snprintf(to + n, bytes - (size_t)n, i ? ", %d" : "%d", s->a[i]);
    snprintf(to + n, bytes - (size_t)n, "}, %d},", s->how);
}
