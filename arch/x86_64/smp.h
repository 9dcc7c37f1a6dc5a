/* The other CPUs. */
#pragma once

#include <lib/util.h>

/* True once a CPU has asked all others to stop; ..._here: it was this one. */
bool stop_requested(void);
bool stop_requested_here(void);
