/* Time stamp counter, timer, and the machine's clocks they are measured against. */
#pragma once

#include <stdint.h>

/* Measures TSC and local APIC timer against the 8254, reads the CMOS clock.  Boot CPU; takes 10 ms.
 */
void clock_init(void);

/* Busy waiting, after clock_init(). */
void clock_spin_us(unsigned us);

/* The local APIC timer has fired. */
void timer_interrupt(void);

/* Seconds since 1970 of the CMOS clock; 0 when it has none or says nonsense. */
uint64_t rtc_read_s(void);
