#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/host_support.h"

_Noreturn void fuzz_fail(const char *file, int line, const char *cond, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "%s:%d: %s: ", file, line, cond);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nconsole: %s\n", host_console());
    abort();
}

void *fuzz_copy(const void *data, size_t n)
{
    void *copy = malloc(n);
    if (n > 0)
        memcpy(copy, data, n);
    return copy;
}

/* Checks of the unit tests' support shall abort, too: outside of a test cmocka would exit. */
__attribute__((constructor)) static void make_cmocka_abort(void)
{
    setenv("CMOCKA_TEST_ABORT", "1", 1);
}
