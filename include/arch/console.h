/* The machine's console line. */
#pragma once

#include <stddef.h>

/* Writes bytes as they are, polling.  Any context, early boot and panic too; caller serializes. */
void arch_console_write(const char *s, size_t n);

/* From now on calls kernel_console_input() for each byte that arrives. */
void arch_console_listen(void);

/* Waits until all that was written has left the machine. */
void arch_console_drain(void);
