/* COM1, a 16550A: output polled, input by interrupt. */
#include "uart.h"
#include "apic.h"
#include "trap.h"
#include "x86.h"
#include <arch/console.h>
#include <arch/upcall.h>
#include <kernel/base/printk.h>

#define COM1         0x3f8
#define UART_DATA    (COM1 + 0)
#define UART_IER     (COM1 + 1)
#define UART_FCR     (COM1 + 2)
#define UART_LCR     (COM1 + 3)
#define UART_MCR     (COM1 + 4)
#define UART_LSR     (COM1 + 5)
#define UART_SCRATCH (COM1 + 7)

#define IER_RECEIVED  0x01
#define LCR_8N1       0x03
#define LCR_DIVISOR   0x80
#define FCR_ENABLE    0x07 /* and clear both FIFOs */
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* lets the interrupt out */
#define LSR_RECEIVED  0x01
#define LSR_CAN_SEND  0x20
#define LSR_ALL_SENT  0x40
#define FIFO_BYTES    16
#define RECEIVE_MAX   256      /* a line that never falls silent must not keep the CPU */
#define LSR_SPINS_MAX 10000000 /* seconds: only a broken line is dropped */

static bool present;

void uart_init(void)
{
    outb(UART_SCRATCH, 0x5a);
    present = inb(UART_SCRATCH) == 0x5a;
    if (!present)
        return;
    outb(UART_IER, 0);
    outb(UART_LCR, LCR_DIVISOR);
    outb(UART_DATA, 1); /* 115200 baud */
    outb(UART_IER, 0);
    outb(UART_LCR, LCR_8N1);
    outb(UART_FCR, FCR_ENABLE);
    outb(UART_MCR, MCR_DTR_RTS);
}

static bool lsr_wait(uint8_t bit)
{
    for (unsigned i = 0; i < LSR_SPINS_MAX; i++) {
        if (inb(UART_LSR) & bit)
            return true;
        arch_cpu_relax();
    }
    return false;
}

void arch_console_write(const char *s, size_t n)
{
    for (size_t i = 0; present && i < n; i++) {
        /* "Can send" means that the whole FIFO is empty. */
        if (i % FIFO_BYTES == 0 && !lsr_wait(LSR_CAN_SEND))
            return;
        outb(UART_DATA, s[i]);
    }
}

void arch_console_drain(void)
{
    if (present)
        lsr_wait(LSR_ALL_SENT);
}

void arch_console_listen(void)
{
    if (!present)
        return;
    if (!ioapic_route_com1(VECTOR_IRQ_COM1)) {
        printk("console: no interrupt line for input\n");
        return;
    }
    outb(UART_MCR, MCR_DTR_RTS | MCR_OUT2);
    outb(UART_IER, IER_RECEIVED);
}

void uart_interrupt(void)
{
    for (unsigned i = 0; i < RECEIVE_MAX && (inb(UART_LSR) & LSR_RECEIVED); i++)
        kernel_console_input(inb(UART_DATA));
}
