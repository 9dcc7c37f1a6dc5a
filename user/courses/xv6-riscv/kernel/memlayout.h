/* The top of a program's memory (S1): trampoline, trap frame, and below them FRY and SHRIMP. */
#pragma once

#include <abi/zone.h>

#define TRAMPOLINE (SHRIMPY_TOP - 4096)
#define TRAPFRAME  (TRAMPOLINE - 4096)
