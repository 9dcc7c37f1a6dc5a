/* The x87 and SSE state: FXSAVE areas of 512 bytes (SDM vol. 1, 10.5.1). */
#pragma once

#include <lib/util.h>

#define FPU_BYTES 512

static inline void fpu_save(uint8_t *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void fpu_load(const uint8_t *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* The state a program starts with (System V ABI, 3.4.1). */
void fpu_reset(uint8_t *area);

/* Makes an area that came from user memory safe to load: reserved MXCSR bits would fault. */
void fpu_sanitize(uint8_t *area);
