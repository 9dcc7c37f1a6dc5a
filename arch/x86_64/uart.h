/* COM1. */
#pragma once

/* Before anything is printed. */
void uart_init(void);

/* Its interrupt.  Interrupts off. */
void uart_interrupt(void);
