/* How osv's test programs speak: error() tells and ends the program, pass() tells. */
#pragma once

#include <lib/stdio.h>
#include <lib/usyscall.h>

#define error(...)                                                                                 \
    (printf(ANSI_COLOR_RED "ERROR: " ANSI_COLOR_RESET "(line %d) ", __LINE__),                     \
     printf(__VA_ARGS__), printf("\n"), exit(-1))

#define pass(...)                                                                                  \
    (printf(ANSI_COLOR_GREEN "passed " ANSI_COLOR_RESET), printf(__VA_ARGS__), printf("\n"))

#define assert(condition)                                                                          \
    ((condition) ? (void)0                                                                         \
                 : (printf("Assertion failed (line %d): %s\n", __LINE__, #condition), exit(-1)))
