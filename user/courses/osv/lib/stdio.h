/* printf, to descriptor 1: %d %u %x %p %s %c %%, l for 64 bits. */
#pragma once

#include <lib/usyscall.h>

#define ANSI_COLOR_RED   "\x1b[31m"
#define ANSI_COLOR_GREEN "\x1b[32m"
#define ANSI_COLOR_RESET "\x1b[0m"
