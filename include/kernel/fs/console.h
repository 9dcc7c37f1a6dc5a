/* The console as a terminal: /dev/console and /dev/tty. */
#pragma once

#include <kernel/fs/file.h>

extern const struct file_ops console_file_ops;

/* Called for each ^C while ISIG is set, in interrupt context with no lock held. */
void console_set_interrupt_handler(void (*handler)(void));
