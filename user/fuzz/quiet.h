/* What the supervisor does while no worker runs (quiet.c). */
#pragma once

/* Makes the folder of the workers.  0 or -1. */
int quiet_prepare(void);

long quiet_free_kb(void);

/* Removes what workers left behind that outlives them, and looks whether all memory came back.
 * 0, or 1 after saying what is wrong. */
int quiet_check(long start_free_kb);
