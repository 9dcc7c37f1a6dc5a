/* Time and the per-CPU timer. */
#pragma once

#include <stdint.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_NEVER  UINT64_MAX

/* Nanoseconds since boot; never goes back, agrees between CPUs.  Any context. */
uint64_t arch_time_ns(void);

/* Nanoseconds since 1970-01-01 UTC at time 0 of arch_time_ns(); 0 when there is no such clock. */
uint64_t arch_boot_wall_ns(void);

/* This CPU's one next kernel_timer_irq(), at `deadline_ns` (NS_NEVER: none).  Interrupts off. */
void arch_timer_set(uint64_t deadline_ns);
