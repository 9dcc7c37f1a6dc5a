/* Numbers of the x86's traps. */
#pragma once

#define T_DIVIDE  0
#define T_BRKPT   3
#define T_ILLOP   6
#define T_GPFLT   13
#define T_PGFLT   14
#define T_SYSCALL 64
